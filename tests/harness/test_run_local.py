"""Whole runs on the local cluster, in both of its modes: verdict, replay, interruption, death, and what can be wrong at the start."""

import json
import os
import signal
import subprocess

import pytest

from harness.clusters.bubble import why_forbidden
from harness.events import read_events
from tests.harness.runs import QUICK, begin, folder_of, gone, phases, processes_of, splitbrain, until_phase

MODES = [
    pytest.param("namespaces", marks=pytest.mark.skipif(bool(why_forbidden()), reason=f"no namespaces: {why_forbidden()}")),
    "relay",
]
LAX = ["-o", "mode=lww", "-o", "r=1", "-o", "w=1"]


def mode_env(mode):
    return {"SPLITBRAIN_LOCAL": mode}


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_a_cut_shows_the_anomaly_and_the_run_is_stored_whole(mode, tmp_path):
    done = splitbrain(
        "run", "quorum_store", *LAX, "--nemesis", "partition", "--interval", 2, *QUICK, "--store", tmp_path, "--json", env=mode_env(mode)
    )
    results = json.loads(done.stdout)
    assert (done.returncode, results["valid"]) == (1, False), done.stderr
    assert {anomaly["type"] for anomaly in results["anomalies"]} == {"nonlinearizable"}
    fault = results["coverage"]["faults"]["partition"]
    assert fault["possible"] and fault["in_place"] >= 1 and fault["exercised"] >= 1
    folder = folder_of(tmp_path)
    assert phases(folder) == ["cluster-up", "target-up", "healthy", "fault", "heal", "settle", "final", "down", "end"]
    there = {"plan.toml", "history.jsonl", "events.jsonl", "schedule.toml", "results.json", "report.md", "logs", "harness.log"}
    assert there <= {path.name for path in folder.iterdir()}
    assert not (folder / "work").exists()
    assert "recovered" in (folder / "logs" / "n1" / "service.log").read_text()
    cluster = next(event for event in read_events(folder / "events.jsonl") if event["event"] == "cluster")
    assert cluster["mode"] == mode
    again = splitbrain("check", folder, "--json")
    assert (again.returncode, json.loads(again.stdout)["counts"]) == (1, results["counts"])
    assert processes_of(f"SPLITBRAIN_RUN={run_id(folder)}") == []


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_the_atomic_register_holds_under_all_kinds_and_replays(mode, tmp_path):
    plan = ["quorum_store", "--interval", 1.5, "--healthy", 1, "--time-limit", 5, "--seed", 3, "--store", tmp_path, "--json"]
    done = splitbrain("run", *plan, "--nemesis", "partition,kill,pause", env=mode_env(mode))
    results = json.loads(done.stdout)
    assert (done.returncode, results["valid"]) == (0, True), results["reason"]
    faults = results["coverage"]["faults"]
    assert set(faults) == {"partition", "kill", "pause"} and all(facts["exercised"] for facts in faults.values())
    folder = folder_of(tmp_path)
    if mode == "relay":  # the command that the run's last line gives
        again = splitbrain(
            "run", folder / "plan.toml", "--schedule", folder / "schedule.toml", "--store", tmp_path / "again", "--json", env=mode_env(mode)
        )
        replayed = json.loads(again.stdout)
        assert again.returncode == 0
        assert set(replayed["coverage"]["faults"]) == {"partition", "kill", "pause"}


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_ctrl_c_ends_the_run_in_order_with_a_verdict(mode, tmp_path):
    run = begin("run", "quorum_store", *LAX, "--nemesis", "partition,pause", "--time-limit", 60, "--healthy", 1, "--interval", 2,
                "--store", tmp_path, "--quiet", env=mode_env(mode))  # fmt: skip
    folder = until_phase(tmp_path, "fault")
    gone(lambda: b'"partition"' not in (folder / "history.jsonl").read_bytes(), 20)
    run.send_signal(signal.SIGINT)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 130, err
    assert "Traceback" not in out + err
    assert phases(folder)[-5:] == ["heal", "settle", "final", "down", "end"]
    assert json.loads((folder / "results.json").read_text())["valid"] in (False, "unknown", True)
    assert processes_of(f"SPLITBRAIN_RUN={run_id(folder)}") == []


@pytest.mark.slow
@pytest.mark.parametrize("mode", MODES)
def test_kill_9_leaves_nothing_and_the_history_can_be_judged(mode, tmp_path):
    run = begin("run", "quorum_store", "--nemesis", "partition,pause,clock,kill", "--time-limit", 60, "--healthy", 1, "--interval", 1,
                "--store", tmp_path, "--quiet", env=mode_env(mode))  # fmt: skip
    folder = until_phase(tmp_path, "fault")
    gone(lambda: b'"pause"' not in (folder / "history.jsonl").read_bytes(), 20)
    mark = f"SPLITBRAIN_RUN={run_id(folder)}"
    assert gone(lambda: not processes_of(mark), 20)  # a kill of all nodes may be active just now
    run.kill()
    run.communicate(timeout=10)
    assert gone(lambda: processes_of(mark), 10), processes_of(mark)
    done = splitbrain("check", folder, "--json")
    assert done.returncode == 2  # nothing was found, and nobody asked the nodes whether they come back
    assert json.loads(done.stdout)["valid"] == "unknown"
    healed = splitbrain("heal")  # other dead runs of this machine may have left something; this one did not
    assert healed.stdout.strip().endswith("nothing is left") and run_id(folder) not in healed.stdout


def test_a_port_that_is_taken_is_said(tmp_path):
    """In relay mode all share one network: the relay's address may be taken."""
    import socket

    with socket.create_server(("0.0.0.0", 7070)):
        done = splitbrain("run", "quorum_store", *QUICK, "--store", tmp_path, "--quiet", env=mode_env("relay"))
    assert done.returncode == 254
    assert "Way out" in done.stderr and ("in use" in done.stderr or "7070" in done.stderr)


UNREADY = """
import splitbrain as sb

class Deaf(sb.Target):
    name = "deaf"
    workloads = ("register",)
    ports = {"client": 7070}

    def recipe(self):
        return sb.Recipe(python=True)

    def service(self, node, site):
        return sb.Service([site.program("python3"), "-c", CODE])

    def client_class(self):
        return Client

    async def ready(self, access):
        return "it says nothing"

class Client:
    errors = sb.ErrorTable()
    def __init__(self, access): pass
    async def open(self): pass
    async def close(self): pass
    async def read(self, key, ext=None): return None
    async def write(self, key, value, ext=None): return None
"""


def deaf(tmp_path, code):
    file = tmp_path / "deaf.py"
    file.write_text(f"CODE = {code!r}\n" + UNREADY)
    return file


def test_a_node_that_is_never_ready_is_one_sentence(tmp_path):
    target = deaf(tmp_path, "import time; time.sleep(60)")
    done = splitbrain("run", target, "-o", "ready_timeout=1", *QUICK, "--store", tmp_path / "store", "--quiet")
    assert done.returncode == 254
    assert "n1 was not ready within 1 s" in done.stderr and "it says nothing" in done.stderr and "Way out" in done.stderr
    assert processes_of(str(tmp_path)) == []


def test_a_service_that_ends_at_once_is_said_with_its_log(tmp_path):
    target = deaf(tmp_path, "import sys; sys.exit('no such option')")
    done = splitbrain("run", target, *QUICK, "--store", tmp_path / "store", "--quiet")
    assert done.returncode == 254
    assert "ended with code 1" in done.stderr
    log = folder_of(tmp_path / "store") / "logs" / "n1" / "service.log"
    assert "no such option" in log.read_text()


@pytest.mark.slow
def test_a_full_disk_under_the_store_ends_the_run_with_one_sentence(tmp_path):
    if os.geteuid() != 0:
        pytest.skip("needs root: it mounts a small file system")
    small = tmp_path / "small"
    small.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "none", small], capture_output=True).returncode:
        pytest.skip("mounts are not allowed here")
    try:
        done = splitbrain("run", "quorum_store", "--healthy", 1, "--time-limit", 30, "--rate", 500, "--store", small, "--quiet")
        assert done.returncode in (2, 254), done.stderr
        assert "cannot be written" in done.stderr and "Way out" in done.stderr
    finally:
        subprocess.run(["umount", small], check=True)


def run_id(folder):
    return folder.name.rpartition("-")[2]
