"""Bad input, the seeded small part of bench/prove_garbage.py: a verdict or a sentence with a way out, never a traceback."""

import importlib.util
import itertools
import sys
from collections import Counter
from pathlib import Path

BENCH = Path(__file__).resolve().parents[2] / "bench"


def load(name):
    spec = importlib.util.spec_from_file_location(name, BENCH / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def test_files_that_are_no_histories_or_not_quite(tmp_path, monkeypatch):
    for name in ("garbage", "proof"):
        monkeypatch.setitem(sys.modules, name, None)
        load(name)
    proof = load("prove_garbage")
    ends, found = Counter(), []
    for name, data in itertools.islice(sys.modules["garbage"].garbage(99, proof.CORPORA), 150):
        (tmp_path / "file").write_bytes(data)
        if told := proof.wrong(tmp_path / "file", ends):
            found.append(f"{name}: {told}")
    assert not found
    assert ends["refused"] > 20 and ends["invalid"] + ends["valid"] + ends["unknown"] > 15
