"""Bad input: 10,000 files that are no histories, or not quite; each gets a verdict or a sentence, in time, and never a traceback.

    bench/prove_garbage.py [--again]

For each file `splitbrain check FILE --json` is called in this process (its checkers still run in children under their budget). It must
end with 0, 1, 2 or 254 within the budget and give one JSON object; no reason may be that a checker raised something; an error has a way
out. A file that was understood is written anew by `convert` and must get the same verdict again.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

from garbage import garbage
from proof import TOP, Proof

sys.path.insert(0, str(TOP))
CORPORA = TOP.parent / "shared" / "corpora"
EACH, BATCHES, BUDGET_S = 500, 20, 20.0


def judged(path: Path) -> tuple[int, dict[str, Any], str]:
    """(exit code, the JSON object, stderr) of one check."""
    from harness.cli.app import main

    class Out(io.StringIO):
        @property
        def buffer(self) -> Any:  # the command writes bytes
            return self

        def write(self, text: Any) -> int:
            return super().write(text.decode() if isinstance(text, bytes) else text)

    out, err = Out(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(["check", str(path), "--json", "--timeout", str(BUDGET_S), "--memory", "1000"])
    lines = out.getvalue().splitlines()
    return code, json.loads(lines[0]) if len(lines) == 1 else {}, err.getvalue()


def wrong(path: Path, ends: Counter[str]) -> str:
    """What is wrong with how a file was treated, or ""."""
    start = time.monotonic()
    try:
        code, results, err = judged(path)
    except BaseException as error:  # whatever it is, a user would have seen it
        return f"{type(error).__name__}: {error}"
    seconds = time.monotonic() - start
    ends[{0: "valid", 1: "invalid", 2: "unknown", 254: "refused"}.get(code, "odd")] += 1
    if code not in (0, 1, 2, 254) or not results or "Traceback" in err:
        return f"exit {code}, {results}, {err[:300]}"
    if seconds > 2 * BUDGET_S + 5:
        return f"{seconds:.0f} s"
    told = json.dumps(results)
    if "the checker failed" in told or "process ended by" in told:
        return f"a checker raised: {results.get('reason')} {results.get('notes')}"
    if code == 254:
        return "" if "Way out" in results["error"] else f"no way out: {results['error']}"
    return _again(path, results)


def _again(path: Path, results: dict[str, Any]) -> str:
    """A history that was understood gets the same verdict when it is written in our format."""
    from harness.history.read import read_history
    from harness.history.write import write_history

    other = path.with_name("again.jsonl")
    write_history(read_history(path), other)
    _, again, _ = judged(other)
    return (
        ""
        if again.get("valid") == results["valid"]
        else f"{results['valid']} became {again.get('valid')} ({again.get('error', '')}) by conversion"
    )


def main() -> int:
    proof = Proof("garbage")
    for batch in range(BATCHES):

        def run(batch: int = batch) -> dict[str, Any]:
            ends: Counter[str] = Counter()
            found = []
            with tempfile.TemporaryDirectory() as folder:
                for name, data in itertools.islice(garbage(batch, CORPORA), EACH):
                    path = Path(folder) / "file"
                    path.write_bytes(data)
                    if told := wrong(path, ends):
                        found.append(f"{name}: {told}")
                        print("   ", found[-1][:600], flush=True)
            return {"passed": not found, "files": EACH, **ends, "wrong": len(found), "first": found[:1]}

        proof.case(f"seed {batch}", run)
    return proof.finish()


if __name__ == "__main__":
    sys.exit(main())
