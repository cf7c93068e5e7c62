"""Watch: does a stream of changes show what was written, all of it, once, in order?

Decides    for each watch that delivered something, nine rules against the sequence of writes that the revisions give: ordered
           (revisions never go back), unique (no event twice), atomic (all events of a revision in one delivery), reliable (none missing
           between two that came), resumable (from revision r, all after r), bookmarkable (after a progress mark at r nothing up to r
           comes any more, and all of it came), previous value right, is-create right, filter right. And whether writes got revisions
           in the order of real time.
Right      a write that was acknowledged with a revision, or that any stream delivered, is there for every stream whose filter it matches.
           Events of revisions that nobody acknowledged must be those of a write without a known outcome.
Unknown    no watch delivered an event. The end of a stream proves nothing: what was not delivered yet may still have come.
Rules out  linearizable, where revisions go against real time; all other rules are the stream's own promise.
Limits     keys are absent before the history (a run's keys have a prefix of their own). Where a crashed write may explain a previous value,
           nothing is reported.
Source     the nine guarantees that etcd's robustness tests check; semantics.md 10.
"""

from checkers.watch.checker import Watch
from checkers.watch.witness import verify_witness

__all__ = ["Watch", "verify_witness"]
