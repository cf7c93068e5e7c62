"""After runs that were killed, and before any: what is left on this Engine, and what it can do.

Why it exists  containers, networks and volumes have no lease: what a killed run made stays until a command removes it.
Relies on      labels with the owner's pid and start time; the run's record volume for containers that were only attached to; the agent's
               own `heal` in a helper container for tables, stopped processes and clocks.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping, Sequence
from typing import Any

from docker.errors import APIError

from harness.cluster import Diagnosis, Say
from harness.clusters.docker_engine import ATTACHED, LABEL, RUN, Engine, explanation, own_labels, owner_lives
from harness.clusters.docker_helper import run_once
from harness.clusters.docker_images import AGENT, BASE, helper_tag
from harness.clusters.docker_look import Looker
from harness.clusters.docker_made import remove_run
from harness.errors import SetupError

KILLED = 137
TABLES = "import json, subprocess; print(subprocess.run(['nft', '-j', 'list', 'tables'], capture_output=True, text=True).stdout)"


def heal(everyone: bool, say: Say) -> tuple[int, int]:
    """Remove what runs left whose owner is dead (with `everyone`: all runs): (removed, could not be)."""
    engine = Engine()
    try:
        with engine.asking("looking for what runs left"):
            return _heal(engine, everyone, say)
    finally:
        engine.close()


def _heal(engine: Engine, everyone: bool, say: Say) -> tuple[int, int]:
    runs = _runs(engine)
    living = set() if everyone else {run for run, things in runs.items() if any(owner_lives(labels) for labels in things)}
    held = {name for run in living for labels in runs[run] for name in labels.get(ATTACHED, "").split(",")}
    living |= {run for run in runs if any(name.startswith(f"sb-{run}-") for name in held)}  # a kept cluster that a living run attached to
    removed = failed = 0
    tables = _tables(engine)
    for run in sorted((set(runs) | tables) - living):
        attached = sorted({name for labels in runs.get(run, ()) for name in labels.get(ATTACHED, "").split(",") if name})
        gone, left = remove_run(engine, run)  # first the helper, which heals if it still lives
        if attached or run in tables:
            undone, not_undone = _undo(engine, run, attached)
            gone, left = gone + len(undone), left + not_undone
        if gone:
            say(f"docker, run {run}: {gone} things removed")
        for words in left:
            say(f"docker, run {run}: {words}")
        removed, failed = removed + gone, failed + len(left)
    return removed, failed


def _runs(engine: Engine) -> dict[str, list[Mapping[str, str]]]:
    """Run -> the labels of each thing that it made."""
    api, wanted = engine.api, {"label": [f"{LABEL}=1"]}
    things: list[Mapping[str, str]] = [each["Labels"] for each in api.containers(all=True, filters=wanted)]
    things += [each["Labels"] for each in api.networks(filters=wanted)]
    things += [each["Labels"] for each in api.volumes(filters=wanted)["Volumes"] or ()]
    found: dict[str, list[Mapping[str, str]]] = {}
    for labels in things:
        found.setdefault(labels.get(RUN, ""), []).append(labels)
    found.pop("", None)
    return found


def _tables(engine: Engine) -> set[str]:
    """Runs that have a table on the Engine's host; none where the helper's image is missing (then no agent ever ran here)."""
    if not engine.image(helper_tag()):
        return set()
    done = run_once(engine, ["python3", "-c", TABLES], own_labels(f"once{os.getpid()}", 0, "once"))
    try:
        listed: list[dict[str, Any]] = json.loads(done.out)["nftables"]
    except ValueError:
        return set()
    tables = [item["table"] for item in listed if "table" in item]
    prefix = f"{LABEL}_"
    return {str(table["name"]).removeprefix(prefix) for table in tables if table["family"] == "bridge" and table["name"].startswith(prefix)}


def _undo(engine: Engine, run: str, attached: Sequence[str]) -> tuple[list[str], list[str]]:
    """The dead run's faults, and attached containers that it had killed: (done, left), in words."""
    looker, pids, done, left = Looker(engine), [], [], []
    for name in attached:
        try:
            seen = looker.look(name)
            if not seen.running and seen.exit_code == KILLED:
                engine.api.start(name)
                done.append(f"{name} was killed")
            pids += looker.pids(seen)
        except APIError as error:
            if error.status_code != 404:  # removed by its owner since
                left.append(f"container {name}: {explanation(error)}")
    if engine.image(helper_tag()):
        ended = run_once(engine, ["python3", "-I", AGENT, "heal", run, *map(str, pids)], own_labels(f"once{os.getpid()}", 0, "once"))
        try:
            answer = json.loads(ended.out)
            done, left = done + answer["removed"], left + answer["left"]
        except ValueError:
            left.append(f"the agent could not look for its faults: {ended.err.strip()[-200:]}")
    return done, left


def diagnose() -> list[Diagnosis]:
    """Lines of `splitbrain doctor`; the first says whether this cluster can work."""
    try:
        engine = Engine()
    except SetupError as error:
        return [Diagnosis("Docker Engine", False, error.seen, error.way_out)]
    try:
        with engine.asking("asking the Engine"):
            version, info = engine.api.version(), engine.api.info()
            here = {tag: bool(engine.image(tag)) for tag in (BASE, helper_tag())}
    except SetupError as error:
        return [Diagnosis("Docker Engine", False, error.seen, error.way_out)]
    finally:
        engine.close()
    says = (
        f"{version['Version']} (API {version['ApiVersion']}) on {info.get('OperatingSystem', '?')}, kernel {info.get('KernelVersion', '?')}"
    )
    lines = [Diagnosis("Docker Engine", True, says)]
    if here[BASE]:
        lines.append(Diagnosis("base image", True, BASE))
    elif shutil.which("mmdebstrap"):
        lines.append(Diagnosis("base image", True, f"{BASE} is not here; it will be pulled, or made by mmdebstrap"))
    else:
        mend = f"docker pull {BASE}; without a registry: apt-get install mmdebstrap"
        lines.append(Diagnosis("base image", False, f"{BASE} is not here, and mmdebstrap neither, if it cannot be pulled", mend))
    made = here[helper_tag()]
    lines.append(Diagnosis("fault agent's image", True, helper_tag() if made else "not made yet; `run` and `prepare` make it"))
    return lines
