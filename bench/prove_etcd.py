"""etcd on both clusters: serializable reads are stale and caught with the reason; linearizable reads hold under four faults at once.

./dev prove etcd [docker|local] [--again]: the commands of the README, five valid runs of five each, and list-append over transactions.
"""

from __future__ import annotations

import sys

from proof import Proof


def explained(code: int, output: str) -> dict[str, object]:
    """An invalid run must name the anomaly and tell the story."""
    return {"passed": code == 1 and "nonlinearizable (stale-read)" in output}


def all_kinds(code: int, output: str) -> dict[str, object]:
    """A valid run must have had every kind of fault in place and exercised."""
    lines = {line.split()[0].rstrip(":"): line for line in output.splitlines() if " exercised" in line}
    kinds = {kind: kind in lines and ", 0 exercised" not in lines[kind] for kind in ("partition", "kill", "pause", "clock")}
    return {"passed": code == 0 and all(kinds.values()), **{k: v for k, v in kinds.items() if not v}}


def main() -> int:
    """Both clusters, or the one named."""
    clusters = [name for name in ("docker", "local") if name in sys.argv[1:]] or ["docker", "local"]
    proof = Proof("etcd")
    for cluster in clusters:
        base = f"run etcd --cluster {cluster} --quiet"
        proof.command(
            f"{cluster}: serializable reads are stale",
            f"{base} -o reads=serializable --workload register --nemesis partition --time-limit 30",
            1,
            explained,
        )
        for number in range(1, 6):
            proof.command(
                f"{cluster}: linearizable reads hold, run {number}",
                f"{base} -o reads=linearizable --nemesis partition,kill,pause,clock --time-limit 60",
                0,
                all_kinds,
            )
        proof.command(
            f"{cluster}: list-append over transactions", f"{base} --workload list-append --nemesis partition,kill --time-limit 30", 0
        )
    return proof.finish()


if __name__ == "__main__":
    sys.exit(main())
