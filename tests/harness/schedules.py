"""What the tests of generators share: simulated histories written short enough to be asserted whole."""

from harness.op import INVOKE, Op
from harness.simulate import SECOND, perfect, quick, simulate


def done_after(ns, type_="ok"):
    """A client whose ops all take so many ns."""

    def complete(op):
        return Op(-1, op.time + ns, op.process, type_, op.f, op.value, None, op.node, op.ext)

    return complete


def a(f="a", value=None, **more):
    return {"f": f, "value": value, **more}


def numbered(f="a"):
    """An endless function generator would give the same value again: this one counts, as a lazy iterable."""
    n = 0
    while True:
        yield {"f": f, "value": n}
        n += 1


def invocations(generator, complete=perfect, **more):
    """(time, process, f) of each invocation."""
    return [(op.time, op.process, op.f) for op in simulate(generator, complete, **more) if op.type == INVOKE]


def values(generator, complete=perfect, **more):
    """(f, value) of each invocation."""
    return [(op.f, op.value) for op in simulate(generator, complete, **more) if op.type == INVOKE]


def fs(generator, complete=perfect, **more):
    """f of each invocation, as one string: every f in these tests is a letter."""
    return "".join(op.f for op in simulate(generator, complete, **more) if op.type == INVOKE)


def lines(generator, complete=perfect, **more):
    """(time, process, type, f) of everything."""
    return [(op.time, op.process, op.type, op.f) for op in simulate(generator, complete, **more)]


__all__ = ["SECOND", "a", "done_after", "fs", "invocations", "lines", "numbered", "perfect", "quick", "simulate", "values"]
