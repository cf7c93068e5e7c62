"""Plans and options: two spellings of one thing; every wrong one is a sentence with the way out."""

import pytest

from harness.cli.run_command import key_values, plan_from_options
from harness.errors import UsageError
from harness.options import Option, read_options
from harness.plan import Plan, plan_from_mapping, read_plan, resolve_secrets, write_plan

DECLARED = {
    "mode": Option("lww", "which", ("lww", "abd")),
    "r": Option(1, "replicas"),
    "fsync": Option(True, "durable"),
    "T": Option(None, "failover", kind=float),
}


def given(**changed):
    base = {
        "target": "etcd", "cluster": "local", "nodes": 3, "workload": "", "nemesis": "", "schedule": "", "interval": 10.0, "rate": 200.0,
        "concurrency": "2n", "time_limit": 30.0, "healthy": 5.0, "op_timeout": 2.0, "seed": 7, "consistency": "", "option": [],
        "workload_option": [], "compose": "", "service": [], "label": "", "containers": "", "store": "store", "keep": False,
        "offline": False, "require_faults": False, "timeout": 120.0, "memory": 4096, "quiet": False, "json": False,
    }  # fmt: skip
    return {**base, **changed}


def test_options_are_read_by_the_type_of_their_default():
    read = read_options(DECLARED, {"r": "2", "fsync": "false", "T": "1.5"}, "target x")
    assert read == {"mode": "lww", "r": 2, "fsync": False, "T": 1.5}


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"rr": "1"}, "target x has no option 'rr'"),
        ({"mode": "cp"}, "lww|abd"),
        ({"r": "many"}, "option r='many' is not a int"),
        ({"fsync": "perhaps"}, "option fsync='perhaps'"),
    ],
)
def test_a_wrong_option_says_what_would_be_right(options, says):
    with pytest.raises(UsageError) as error:
        read_options(DECLARED, options, "target x")
    assert says in str(error.value) and "Way out:" in str(error.value)


def test_a_plan_survives_its_file(tmp_path):
    plan = Plan(target="etcd", nemesis=["partition"], target_options={"version": "3.5.1"}, seed=7, time_limit=12.5)
    write_plan(plan, tmp_path / "plan.toml")
    assert read_plan(tmp_path / "plan.toml") == plan


def test_a_plan_keeps_the_name_of_a_secret_and_not_the_secret(tmp_path, monkeypatch):
    monkeypatch.setenv("SHOP_PASSWORD", "hunter2")
    plan = Plan(target="x", target_options={"password": "env:SHOP_PASSWORD"})
    write_plan(plan, tmp_path / "plan.toml")
    assert "hunter2" not in (tmp_path / "plan.toml").read_text()
    assert resolve_secrets(plan.target_options) == {"password": "hunter2"}
    monkeypatch.delenv("SHOP_PASSWORD")
    with pytest.raises(UsageError, match="SHOP_PASSWORD"):
        resolve_secrets(plan.target_options)


@pytest.mark.parametrize(
    ("text", "says"),
    [("target = ", "is not TOML"), ('target = "x"\nnods = 3', "nods"), ('target = "x"\nnodes = "three"', "nodes"), ("nodes = 3", "target")],
)
def test_a_wrong_plan_file_says_which_key(tmp_path, text, says):
    (tmp_path / "plan.toml").write_text(text)
    with pytest.raises(UsageError) as error:
        read_plan(tmp_path / "plan.toml")
    assert says in str(error.value)


def test_options_given_beside_a_plan_file_win(tmp_path):
    write_plan(Plan(target="etcd", rate=50, target_options={"version": "3.5.1"}, seed=3), tmp_path / "p.toml")
    changed = given(target=str(tmp_path / "p.toml"), time_limit=9.0, option=["reads=serializable"])
    plan = plan_from_options(changed, {"target", "time_limit", "option"})
    assert (plan.target, plan.rate, plan.time_limit, plan.seed) == ("etcd", 50, 9.0, 3)
    assert plan.target_options == {"version": "3.5.1", "reads": "serializable"}


def test_the_seed_is_drawn_if_it_is_not_given():
    assert plan_from_options(given(seed=0), set()).seed > 0


@pytest.mark.parametrize(
    "wrong", [{"nodes": 0}, {"rate": 0.0}, {"time_limit": 0.0}, {"nemesis": "kill", "schedule": "s.toml"}, {"option": ["reads"]}]
)
def test_numbers_and_choices_that_no_run_can_have(wrong):
    with pytest.raises(UsageError) as error:
        plan_from_options(given(**wrong), set(wrong))
    assert "Way out:" in str(error.value)


def test_concurrency_counts_nodes():
    assert Plan(target="x", concurrency="2n").threads(5) == 10
    assert Plan(target="x", concurrency="n").threads(3) == 3
    assert Plan(target="x", concurrency="7").threads(3) == 7
    with pytest.raises(UsageError, match="concurrency"):
        Plan(target="x", concurrency="many").threads(3)


def test_key_values_keep_equals_signs_in_the_value():
    assert key_values(["a=b=c"], "-o") == {"a": "b=c"}


def test_unknown_keys_of_a_mapping_are_refused():
    with pytest.raises(UsageError, match="oops"):
        plan_from_mapping({"target": "x", "oops": 1}, "plan.toml")
