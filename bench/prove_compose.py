"""A compose project that we did not build for: three Redis, one primary with two replicas, images untouched; attached by a user's one file.

./dev prove compose [plain|blocked|two-networks]: each project is broken twice in a row; the second run must find nothing of the first.
`blocked` forbids the route from the host to the containers' addresses; `two-networks` has the services on two shared networks, one
of them IPv6.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from proof import TOP, Proof, splitbrain

TARGET = TOP / "examples" / "shop_redis.py"
FILES = {"plain": "shop-compose.yml", "blocked": "shop-compose.yml", "two-networks": "shop-two-networks.yml"}


@contextmanager
def project(kind: str) -> Iterator[str]:
    """The compose project, up; taken down afterwards."""
    name = f"shop{kind.replace('-', '')}"
    file = TOP / "examples" / FILES[kind]
    compose = ["docker-compose", "-p", name, "-f", str(file)]
    subprocess.run([*compose, "up", "-d", "--build"], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield name
    finally:
        subprocess.run([*compose, "down", "-v", "-t", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@contextmanager
def blocked_route(name: str) -> Iterator[None]:
    """Drop what this host sends to the project's own subnets (a table of ours, removed afterwards)."""
    networks = json.loads(
        subprocess.run(["docker", "network", "inspect", f"{name}_default"], capture_output=True, text=True, check=True).stdout
    )
    subnet = networks[0]["IPAM"]["Config"][0]["Subnet"]
    table = f"table inet blocked_{name} {{ chain out {{ type filter hook output priority 0; ip daddr {subnet} drop; }}; }}"
    subprocess.run(["nft", "-f", "-"], input=table, text=True, check=True)
    try:
        yield
    finally:
        subprocess.run(["nft", "delete", "table", "inet", f"blocked_{name}"], check=True)


def describe(name: str) -> str:
    """What must be the same before and after: containers' ids, images, networks, restart counts of the project."""
    ids = subprocess.run(
        ["docker", "ps", "-aq", "--filter", f"label=com.docker.compose.project={name}"], capture_output=True, text=True
    ).stdout.split()
    inspected = json.loads(subprocess.run(["docker", "inspect", *ids], capture_output=True, text=True, check=True).stdout)
    rows = [(c["Id"], c["Image"], sorted(c["NetworkSettings"]["Networks"]), c["State"]["Running"], c["State"]["Paused"]) for c in inspected]
    return json.dumps(sorted(rows))


def twice(kind: str) -> dict[str, object]:
    """Two runs on one project: each invalid with lost-write or valid with its coverage; the project itself untouched."""
    runs = []
    with project(kind) as name:
        before = describe(name)
        for _ in range(2):
            arguments = f"run {TARGET} --compose {name} --workload set --nemesis partition,pause,kill --time-limit 30 --json".split()
            if kind == "blocked":
                with blocked_route(name):
                    code, output, seconds = splitbrain(*arguments, timeout_s=300)
            else:
                code, output, seconds = splitbrain(*arguments, timeout_s=300)
            line = next((text for text in output.splitlines() if text.startswith("{")), "{}")
            results = json.loads(line)
            faults = (results.get("coverage") or {}).get("faults") or {}
            runs.append(
                {
                    "exit": code,
                    "counts": results.get("counts"),
                    "exercised": {kind: facts["exercised"] for kind, facts in faults.items()},
                    "run_s": round(seconds, 1),
                    **({} if results else {"said": output.strip()[-300:]}),
                }
            )
            print(f"    {runs[-1]}", flush=True)
        untouched = describe(name) == before
    right = all(run["exit"] in (0, 1) and "phantom-element" not in (run["counts"] or {}) for run in runs)
    exercised = all(all(run["exercised"].get(kind) for kind in ("partition", "pause", "kill")) for run in runs)
    return {"passed": right and exercised and untouched, "untouched": untouched, "runs": runs}


def main() -> int:
    """All kinds of projects, or those named."""
    proof = Proof("compose")
    for kind in [kind for kind in FILES if kind in sys.argv[1:]] or list(FILES):
        proof.case(kind, lambda k=kind: twice(k))
    assert Path(TARGET).is_file()
    return proof.finish()


if __name__ == "__main__":
    sys.exit(main())
