"""Random small histories of clients that work at the same time: each op acts at one moment between its invocation and its completion.

What is asked and how it acts (rightly, or broken in ways that were drawn) is the caller's; crashed and failed ops, processes and the order
of events are drawn here, so that every oracle's histories have them alike.
"""

from harness.history.history import History
from harness.op import Op


class Asked:
    """What an act may know: the op, its client, and the way in which it will end."""

    def __init__(self, f, value, client, outcome, node):
        self.f, self.value, self.client, self.outcome, self.node = f, value, client, outcome, node
        self.result, self.ext, self.acted, self.shows = value, None, False, False


def interleave(rng, ask, act, *, clients, count, crash=0.1, fail=0.1, final=(), dirty=0.0, nodes=3, haste=0.5):
    """A history of `count` ops and then those of `final`, one after the other.

    ask(rng, client) -> (f, value); act(asked) sets asked.result and perhaps asked.ext, and asked.shows if a crash shows it. An op that
    will fail does not act, except with probability `dirty`; of those without a known outcome, half do.
    """
    ops, open_, processes, started = [], {}, list(range(clients)), 0
    finals = list(final)

    def emit(client, type_, f, value, node, ext=None, error=None):
        ops.append(Op(len(ops), len(ops) * 1000, processes[client], type_, f, value, error, node, ext))

    def end(client, asked):
        del open_[client]
        done = asked.outcome == "ok"
        if asked.outcome != "info" or rng.random() < 0.7:
            error = None if done else "timeout"
            value = asked.result if done or asked.shows else asked.value
            emit(client, asked.outcome, asked.f, value, asked.node, asked.ext if done else None, error)
        if asked.outcome == "info":
            processes[client] = max(processes) + 1

    while started < count or open_:
        client = rng.randrange(clients)
        if client not in open_:
            if started < count:
                f, value = ask(rng, client)
                outcome = rng.choices(["ok", "fail", "info"], [1, fail, crash])[0]
                node = f"n{client % nodes + 1}" if nodes else None
                open_[client], started = Asked(f, value, client, outcome, node), started + 1
                emit(client, "invoke", f, value, node)
        elif not open_[client].acted:
            asked = open_[client]
            asked.acted = True
            chance = {"ok": 1.0, "info": 0.5, "fail": dirty}[asked.outcome]
            if rng.random() < chance:
                act(asked)
        elif rng.random() < haste:
            end(client, open_[client])
    for f, value, node in finals:
        asked = Asked(f, value, 0, "ok", node)
        emit(0, "invoke", f, value, node)
        act(asked)
        open_[0] = asked
        end(0, asked)
    return History(ops)


def summary(history):
    """(calls, crashed calls)."""
    calls = list(history.calls())
    return len(calls), sum(call.outcome == "info" for call in calls)
