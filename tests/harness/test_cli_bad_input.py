"""Whatever is wrong with a command line: exit 254, one clear sentence with the way out, no traceback, and nothing is started."""

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.registry import names

TOP = Path(__file__).resolve().parents[2]


def splitbrain(folder, *words, **env):
    command = [sys.executable, "-P", "-m", "splitbrain", *words]
    return subprocess.run(
        command, cwd=folder, env={**os.environ, **env}, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60
    )


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with files that are wrong in all ways."""
    folder = tmp_path_factory.mktemp("user")
    files = {
        "torn.toml": "nodes = [",
        "odd-key.toml": 'target = "quorum_store"\nbogus = 1\n',
        "odd-type.toml": 'target = "quorum_store"\nnodes = "x"\n',
        "binary.toml": "\0\1",
        "broken.py": "import nothing_there\n",
        "syntax.py": "def (:\n",
        "nothing.py": "x = 1\n",
        "prose.txt": "Dear reader,\nthis is no history.\n",
        "empty.jsonl": "",
        "odd.jsonl": '{"type":"invoke","f":"write","value":1,"process":0}\n{"some":"thing"}\n',
        "halves.jsonl": '{"index":0,"time":0,"process":0,"type":"ok","f":"write","value":1}\n',
        "unknown.jsonl": '{"type":"invoke","f":"juggle","value":1,"process":0}\n',
        "unclosed.edn": "{:type :invoke, :f :read",
    }
    for name, text in files.items():
        (folder / name).write_text(text)
    (folder / "noise.bin").write_bytes(bytes(range(256)) * 40)
    return folder


STORE = "run quorum_store"
BAD = {  # command line -> what the sentence must name
    "--nonsense": "--nonsense",
    "frobnicate": "frobnicate",
    "run": "target",
    f"{STORE} --bogus": "--bogus",
    f"{STORE} --nodes x": "--nodes",
    f"{STORE} --nodes 0": "--nodes 0",
    f"{STORE} --rate 0": "--rate",
    f"{STORE} --rate inf": "--rate",
    f"{STORE} --time-limit nan": "--time-limit",
    f"{STORE} --op-timeout 0": "--op-timeout",
    f"{STORE} --concurrency lots": "lots",
    f"{STORE} --nemesis earthquake": "earthquake",
    f"{STORE} --nemesis kill --schedule torn.toml": "--schedule",
    f"{STORE} --schedule missing.toml": "missing.toml",
    f"{STORE} --consistency sortof": "sortof",
    f"{STORE} --cluster nowhere": "nowhere",
    f"{STORE} --workload juggling": "juggling",
    f"{STORE} --workload list-append": "Transactions",
    f"{STORE} -w cas=true": "cas",
    f"{STORE} -w bogus=1": "bogus",
    f"{STORE} -o mode": "mode",
    f"{STORE} -o bogus=1": "bogus",
    f"{STORE} -o mode=strange": "strange",
    f"{STORE} -o r=x": "r",
    f"{STORE} -o r=env:SPLITBRAIN_NOT_SET": "SPLITBRAIN_NOT_SET",
    f"{STORE} --store /proc/x": "/proc/x",
    "run nosuch": "nosuch",
    "run missing.toml": "missing.toml",
    "run torn.toml": "torn.toml",
    "run odd-key.toml": "bogus",
    "run odd-type.toml": "nodes",
    "run binary.toml": "binary.toml",
    "run missing.py": "missing.py",
    "run broken.py": "nothing_there",
    "run syntax.py": "syntax.py",
    "run nothing.py": "nothing.py",
    "run nothing.py:Foo": "Foo",
    "check": "paths",
    "check missing.jsonl": "missing.jsonl",
    "check .": "history.jsonl",
    "check empty.jsonl": "is empty",
    "check prose.txt": "prose.txt",
    "check noise.bin": "noise.bin",
    "check odd.jsonl": "line 2",
    "check unclosed.edn": "line 1",
    "check unknown.jsonl": "unknown.jsonl",
    "check odd.jsonl --as nosuch": "odd.jsonl",
    "check halves.jsonl --as nosuch": "nosuch",
    "check halves.jsonl --format xml": "xml",
    "check halves.jsonl --consistency sortof": "sortof",
    "show nosuch": "nosuch",
    "show latest": "latest",
    "list nosuch": "nosuch",
    "prepare": "nothing to prepare",
    "prepare nosuch": "nosuch",
    "prepare quorum_store --cluster nowhere": "nowhere",
    "heal --bogus": "--bogus",
    "demo --seed x": "--seed",
}


@pytest.fixture(scope="module")
def answers(place):
    """What each command line came to; two at a time, for most of it is the start of Python."""
    before = sorted(path.name for path in place.iterdir())
    with ThreadPoolExecutor(2) as pool:
        done = dict(zip(BAD, pool.map(lambda line: splitbrain(place, *line.split()), BAD), strict=True))
    assert sorted(path.name for path in place.iterdir()) == before  # nothing was started, nothing is left
    return done


@pytest.mark.parametrize("line", BAD)
def test_bad_input_is_said_with_the_way_out(answers, line):
    done = answers[line]
    assert done.returncode == 254, (done.stdout, done.stderr)
    said = done.stderr
    assert (
        BAD[line] in said
        and "Traceback" not in said
        and "Error:" not in said.replace("ModuleNotFoundError:", "").replace("SyntaxError:", "")
    )
    sentence, _, way_out = said.partition("\nWay out: ")
    assert sentence.strip().endswith(".") and "\n" not in sentence.strip(), said
    assert way_out.strip().endswith("."), said
    assert done.stdout == ""


def test_a_store_that_cannot_be_written_stops_the_tour_too(place):
    done = splitbrain(place, "demo", "--quiet", "--store", "/proc/x")
    assert done.returncode == 254 and "/proc/x" in done.stderr and "Traceback" not in done.stderr


@pytest.mark.skipif("docker" not in names("clusters"), reason="there is no cluster docker")
def test_no_docker_engine(place):
    done = splitbrain(place, "run", "quorum_store", "--cluster", "docker", DOCKER_HOST="unix:///nonexistent.sock")
    assert done.returncode == 254 and "Traceback" not in done.stderr
    assert "unix:///nonexistent.sock" in done.stderr and "Way out: " in done.stderr and "--cluster local" in done.stderr


@pytest.mark.parametrize("command", ["", "run", "check", "list", "show", "doctor", "prepare", "heal", "demo"])
def test_help(place, command):
    done = splitbrain(place, *command.split(), "--help", TERM="dumb")
    assert done.returncode == 0 and "Usage: splitbrain" in done.stdout and done.stderr == ""


def test_no_command_shows_help(place):
    done = splitbrain(place)
    assert done.returncode == 0 and "Usage: splitbrain" in done.stdout + done.stderr


def test_several_paths_the_worst_decides_and_each_is_one_json_object(place):
    import json

    good = place / "good.jsonl"
    good.write_text('{"type":"invoke","f":"write","value":1,"process":0}\n{"type":"ok","f":"write","value":1,"process":0}\n')
    done = splitbrain(place, "check", "good.jsonl", "empty.jsonl", "--json")
    good.unlink()
    assert done.returncode == 254 and "Traceback" not in done.stderr
    objects = [json.loads(line) for line in done.stdout.splitlines()]
    assert [(each["path"], each["valid"]) for each in objects] == [("good.jsonl", objects[0]["valid"]), ("empty.jsonl", None)]
    assert "is empty" in objects[1]["error"]


OP = '{"index":0,"time":0,"process":0,"type":"invoke","f":"write","value":{"key":"k","value":1},"error":null,"node":"n1","ext":null}\n'
KILLED = {  # what a killed run may have left -> exit code of check and of show
    "nothing recorded": ({}, 254),
    "a header": ({"history.jsonl": '{"splitbrain":1}\n'}, 2),
    "a torn line, no events": ({"history.jsonl": '{"splitbrain":1}\n' + OP + '{"index":1,"ti'}, 2),
    "torn events": ({"history.jsonl": OP, "events.jsonl": '{"event":"phase","phase":"healthy","time":1}\n{"event":"ph'}, 2),
    "events of nobody": ({"history.jsonl": OP, "events.jsonl": '5\n{"a":1}\nnoise'}, 2),
    "torn results": ({"history.jsonl": OP, "results.json": '{"valid'}, 2),
    "a torn plan": ({"history.jsonl": OP, "plan.toml": "target = ["}, 254),
    "a plan of no target": ({"history.jsonl": OP, "plan.toml": 'target = "nosuch"'}, 254),
}


@pytest.mark.parametrize("name", KILLED)
def test_what_a_killed_run_left_is_judged_or_said(tmp_path, name):
    files, code = KILLED[name]
    folder = tmp_path / "store" / "20260101T000000-quorum_store-aaaaaa"
    folder.mkdir(parents=True)
    (folder / "plan.toml").write_text('target = "quorum_store"\nworkload = "register"\nseed = 1\n')
    for file, text in files.items():
        (folder / file).write_text(text)
    for words in (("check", str(folder)), ("show", folder.name)):
        done = splitbrain(tmp_path, *words)
        assert done.returncode == code, (words, done.stdout, done.stderr)
        assert "Traceback" not in done.stderr and (code == 2 or "Way out: " in done.stderr)
    assert splitbrain(tmp_path, "list", "runs").returncode == 0
