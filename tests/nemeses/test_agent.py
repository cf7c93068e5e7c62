"""The agent on its own: whatever ends it or silences it, the faults end too. Seen from outside, on nodes in namespaces."""

import ast
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile

import pytest

from harness import beats
from tests.nemeses.lab import AGENT, Lab, bare_agent, needs_lab, until


@pytest.fixture(scope="module")
def lab():
    made = Lab()
    yield made
    made.close()


def state(pid):
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0]


def break_all(lab, ask):
    """Cut n1 from n2, pause n3, shift n1's clock by 5 s; checked from outside."""
    places = lab.places()
    assert ask("cut", token="1", pairs=[["n1", "n2"]], nodes=places)["in_place"]
    assert ask("pause", token="2", nodes={"n3": places["n3"]})["in_place"]
    assert ask("skew", token="3", clocks={"n1": {"offset_ns": 5_000_000_000}}, nodes=places)["in_place"]
    assert state(lab.services["n3"].pid) == "T"
    assert abs(lab.ask("n1")["skew"] - 5e9) < 1e6
    assert "1" not in lab.hears("n2")


def whole(lab):
    return state(lab.services["n3"].pid) != "T" and abs(lab.ask("n1")["skew"]) < 1e6 and "1" in lab.hears("n2", 0.1)


@needs_lab
def test_the_end_of_stdin_heals_at_once(lab):
    with bare_agent(lab.agent_argv()) as ask:
        ask("open", run=lab.run_id)
        break_all(lab, ask)
        assert f"splitbrain_{lab.run_id}" in lab.tables()
        ask.process.stdin.close()
        assert until(lambda: whole(lab), 2) < 1
        assert ask.process.wait(5) == 0
    assert lab.tables() == ""


@needs_lab
def test_silence_heals_and_beats_hold_the_faults(lab):
    with bare_agent(lab.agent_argv()) as ask:
        ask("open", run=lab.run_id, silence_s=1.0, lease_s=3)
        break_all(lab, ask)
        for _ in range(8):  # twice the silence limit, and the length of a lease, in beats
            time.sleep(0.5)
            ask.process.stdin.write('{"do": "beat"}\n')
        assert state(lab.services["n3"].pid) == "T" and "1" not in lab.hears("n2", 0.1)
        until(lambda: whole(lab), 3)


@needs_lab
@pytest.mark.parametrize("victim", ["pid", "watchdog"])
def test_whichever_of_the_two_is_killed_the_other_heals(lab, victim):
    with bare_agent(lab.agent_argv()) as ask:
        pids = ask("open", run=lab.run_id)
        break_all(lab, ask)
        os.kill(pids[victim], signal.SIGKILL)
        assert until(lambda: whole(lab), 3) < 2
    until(lambda: lab.tables() == "", 2)


@needs_lab
def test_a_cut_expires_by_itself_when_both_are_killed_and_leftovers_are_removed(lab):
    with bare_agent(lab.agent_argv()) as ask:
        pids = ask("open", run=lab.run_id, lease_s=1.0)
        break_all(lab, ask)
        os.kill(pids["watchdog"], signal.SIGSTOP)  # so that it cannot heal after the agent
        os.kill(pids["pid"], signal.SIGKILL)
        os.kill(pids["watchdog"], signal.SIGKILL)
    until(lambda: "1" in lab.hears("n2", 0.1), 3)
    heal = [*lab.agent_argv(), "heal", lab.run_id, str(lab.services["n3"].pid)]
    done = json.loads(subprocess.run(heal, capture_output=True, check=True, text=True).stdout)  # table, pause, clocks of n1 and its holder
    assert len(done["removed"]) == 4 and done["left"] == []
    assert whole(lab) and lab.tables() == ""
    again = json.loads(subprocess.run(heal, capture_output=True, check=True, text=True).stdout)
    assert again == {"removed": [], "left": []}


@needs_lab
def test_an_agent_that_hangs_is_killed_and_healed_after(lab):
    with bare_agent(lab.agent_argv()) as ask:
        pids = ask("open", run=lab.run_id, lease_s=2.0)
        break_all(lab, ask)
        os.kill(pids["pid"], signal.SIGSTOP)
        assert until(lambda: whole(lab), 6) < 4  # the watchdog waits for as long as a lease


@needs_lab
def test_a_loop_that_hangs_loses_its_faults_and_one_that_lives_does_not(lab):
    # the silence limit is 1 s here, and the loop's last word is good for 2 s: 3 s after it nothing may be left
    command = [sys.executable, "-I", "-u", beats.__file__, "--", *lab.agent_argv()]
    with bare_agent(command) as ask:
        ask("open", run=lab.run_id, silence_s=1.5)
        ask.process.stdin.write(json.dumps({"alive_until": time.monotonic() + 2.5}) + "\n")
        break_all(lab, ask)
        time.sleep(1.8)  # longer than the silence limit: the beats alone hold it
        assert state(lab.services["n3"].pid) == "T"
        until(lambda: whole(lab), 4)


@needs_lab
def test_a_killed_loop_takes_beats_and_agent_with_it(lab):
    program = f"import subprocess, sys, time; p = subprocess.Popen({[sys.executable, '-I', beats.__file__, '--', *lab.agent_argv()]!r}"
    program += ", stdin=subprocess.PIPE, start_new_session=True); time.sleep(60)"
    loop = subprocess.Popen([sys.executable, "-c", program])
    agents = []
    until(lambda: agents.extend(pid for pid in children(loop.pid) if pid not in agents) or len(agents) >= 3, 5)
    loop.kill()
    loop.wait()
    until(lambda: not any(os.path.exists(f"/proc/{pid}") for pid in agents), 3)


def children(pid):
    """All descendants."""
    found = []
    for line in subprocess.run(["ps", "-eo", "pid,ppid", "--no-headers"], capture_output=True, text=True).stdout.splitlines():
        child, parent = map(int, line.split())
        if parent == pid:
            found += [child, *children(child)]
    return found


@needs_lab
def test_without_nft_a_cut_is_a_policy_rule_at_the_receiver(lab, monkeypatch):
    monkeypatch.setenv("PATH", "/nowhere")
    tools = shutil.which("nsenter", path=os.defpath)
    argv = [tools, *lab.agent_argv()[1:]]
    code = (
        "import sys; sys.path.insert(0, sys.argv.pop(1)); import nemeses.agent.nft as n; "
        "n.shutil.which = lambda *a, **k: None; from nemeses.agent.serve import main; sys.exit(main([]))"
    )
    with bare_agent([*argv[:3], "-c", code, str(AGENT.parents[1])]) as ask:
        opened = ask("open", run=lab.run_id)
        agent, links = opened["pid"], opened["mechanisms"]["links"]
        assert links["name"] == "blackhole policy rules at the receiver" and "nft is not there" in links["why"]
        monkeypatch.undo()
        found = ask("cut", token="1", pairs=[["n1", "n2"], ["n3", "n2"], ["n2", "n3"]], nodes=lab.places())
        assert found["in_place"] and all(pair["proof"] == "probe" for pair in found["pairs"]), found
        assert (lab.hears("n2"), lab.hears("n3")) == (set(), {"1", "1v6"})
        ask("cut", token="2", pairs=[["n1", "n2"]], nodes=lab.places())
        time.sleep(0.3)
        figures = ask("undo", token="1")
        assert figures["exercised"] and figures["in_place"] and all(pair["dropped"] > 5 for pair in figures["pairs"]), figures
        assert lab.hears("n2") == {"3", "3v6"}
        os.kill(agent, signal.SIGKILL)
        until(lambda: lab.hears("n2", 0.1) == {"1", "1v6", "3", "3v6"}, 3)
    for name in ("n2", "n3"):
        rules = subprocess.run(["nsenter", "--net=" + lab.netns(name), "ip", "rule"], capture_output=True, text=True).stdout
        assert "blackhole" not in rules and rules.startswith("0:\tfrom all lookup local"), rules
    assert lab.ask("n1")["errors"] == []


def test_the_agent_is_python_3_9_and_needs_nothing_but_the_standard_library():
    for path in AGENT.glob("*.py"):
        tree = ast.parse(path.read_text(), feature_version=(3, 9))
        imported = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
        imported |= {node.module for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and not node.level}
        assert {name.split(".")[0] for name in imported} <= sys.stdlib_module_names | {"splitbrain_agent"}, path


@pytest.mark.parametrize("how", ["folder", "zip", "python3.9"])
def test_the_agent_runs_as_a_folder_as_a_zip_and_on_old_python(tmp_path, how):
    target, python = str(AGENT), sys.executable
    if how == "zip":
        target = str(tmp_path / "agent.zip")
        with zipfile.ZipFile(target, "w") as archive:
            for path in AGENT.glob("*.py"):
                archive.write(path, path.name)
    if how == "python3.9":
        python = shutil.which("python3.9") or ""
        if not python or subprocess.run([python, "-c", ""]).returncode:
            pytest.skip("no python3.9 here")
    with bare_agent([python, "-I", "-u", target]) as ask:
        found = ask("open", run="t", links=False)
        assert found["mechanisms"]["pause"]["works"]
        assert ask("traces") == {"traces": []}
