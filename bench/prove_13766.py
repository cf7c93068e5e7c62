"""etcd 3.5.1 loses acknowledged writes on one member after kill-alls under load (etcd issue 13766); 3.4.23 under as many kills does not.

./dev prove 13766 [docker|local]: up to 5 runs of 60 s with 3.5.1 until the loss shows, counting kill-alls; then 3.4.23
until as many kills are survived. The bug shows in about 1 kill-all in 34; within 150 kill-alls it must be found.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from proof import TOP, Proof, splitbrain

RUNS, KILLS = 5, 150
SCHEDULE = TOP / "targets" / "track" / "kill-all-fast.toml"


def one_run(cluster: str, version: str, seed: int) -> dict[str, object]:
    """One run of 60 s: verdict, kill-alls that were in place, whether the loss was named."""
    code, output, seconds = splitbrain(
        *f"run etcd --cluster {cluster} -o version={version} --workload set --rate 1100 --concurrency 24 --time-limit 60".split(),
        *f"--schedule {SCHEDULE} --seed {seed} --op-timeout 1 --json".split(),
        timeout_s=400,
    )
    line = next((text for text in output.splitlines() if text.startswith("{")), "{}")
    results = json.loads(line)
    kills = ((results.get("coverage") or {}).get("faults") or {}).get("kill", {}).get("in_place", 0)
    lost = (results.get("counts") or {}).get("lost-write", 0)
    tail = "" if results else "\n".join(output.splitlines()[-6:])
    return {"exit": code, "kills": kills, "lost": lost, "run_s": round(seconds, 1), **({"said": tail} if tail else {})}


def campaign(cluster: str, version: str, until_lost: bool) -> dict[str, object]:
    """Runs until the loss shows or the budget of runs or kills is spent."""
    rows = []
    for seed in range(1, RUNS + 1):
        rows.append(one_run(cluster, version, seed))
        print(f"    {version} run {seed}: {rows[-1]}", flush=True)
        kills = sum(row["kills"] for row in rows)
        if (until_lost and rows[-1]["lost"]) or kills >= KILLS:
            break
    lost = any(row["lost"] for row in rows)
    passed = lost if until_lost else all(row["exit"] == 0 for row in rows)
    return {
        "passed": passed,
        "runs": len(rows),
        "kill_alls": sum(row["kills"] for row in rows),
        "lost": lost,
        "exits": [row["exit"] for row in rows],
    }


def main() -> int:
    """3.5.1 must lose, 3.4.23 must not."""
    proof = Proof("13766")
    for cluster in [name for name in ("docker", "local") if name in sys.argv[1:]] or ["docker"]:
        proof.case(f"{cluster}: 3.5.1 loses an acknowledged element", lambda c=cluster: campaign(c, "3.5.1", True))
        proof.case(f"{cluster}: 3.4.23 keeps all", lambda c=cluster: campaign(c, "3.4.23", False))
    assert Path(SCHEDULE).is_file()
    return proof.finish()


if __name__ == "__main__":
    sys.exit(main())
