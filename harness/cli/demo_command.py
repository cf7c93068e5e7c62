"""`splitbrain demo`: the five-minute tour. The same store, the same faults, twice: without its cure and with it.

Why it exists  a newcomer should see a real anomaly on real processes, and its absence, before reading anything.
Relies on      quorum_store on the embedded local cluster; one seed, so both runs get the same schedule.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from harness.plan import Plan

TIME_LIMIT_S = 20.0


class Scene(NamedTuple):
    """One run of the tour: what is promised to come out, and the words before it."""

    title: str
    options: dict[str, Any]
    promised: bool  # the verdict that must come out


SCENES = (
    Scene(
        "1. Reads and writes ask one replica each (R=W=1), the last write wins by wall clock. Partitions and clock skew must break it.",
        {"mode": "lww", "r": 1, "w": 1},
        False,
    ),
    Scene(
        "2. The same store under the same schedule as an atomic register (two-phase writes, reads write back). It must hold.",
        {"mode": "abd"},
        True,
    ),
)


def demo_command(store: str, quiet: bool, seed: int) -> int:
    """Run both scenes; 0 if both came out as promised, 1 if one did not, 2 if one could not be judged."""
    from harness.report import run_text
    from harness.run import run_plan

    outcomes = []
    for scene in SCENES:
        print(f"\n{scene.title}\n", flush=True)
        plan = Plan(
            target="quorum_store",
            workload="register",
            nemesis=["partition", "clock"],
            interval=4.0,
            healthy=3.0,
            time_limit=TIME_LIMIT_S,
            seed=seed,
            store=store,
            target_options=dict(scene.options),
        )
        ended = run_plan(plan, quiet)
        if ended.exit_code == 130:
            return 130
        if ended.results is None:
            return ended.exit_code
        print(run_text(ended.folder, ended.results), flush=True)
        outcomes.append((scene, ended.results.valid))
    return _tell(outcomes)


def _tell(outcomes: list[tuple[Scene, Any]]) -> int:
    print()
    kept = True
    for scene, valid in outcomes:
        came = {True: "valid", False: "invalid"}.get(valid, "unknown")
        wanted = "valid" if scene.promised else "invalid"
        kept = kept and valid is scene.promised
        word = "as promised" if valid is scene.promised else "NOT as promised"
        print(f"  {word}: {came} (promised: {wanted})  {scene.title.split('.')[1].strip()}.")
    print("\nNext: splitbrain run etcd --nemesis partition   then your own system: examples/ and README.md")
    if kept:
        return 0
    return 2 if any(valid == "unknown" for _, valid in outcomes) else 1
