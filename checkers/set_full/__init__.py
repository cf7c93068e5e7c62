"""Set-full: is every element that was acknowledged still there, and was nothing there that nobody added?

Decides    per element of a set (adds, reads of the whole set, perhaps removes): lost, stale, read though never added, read twice in one
           read, back after its removal, never read at all; and, where a linearizable set is promised and no element has a finding, whether
           reads contradict each other (`nonlinearizable`).
Right      each rule speaks of one element and of ops whose order real time fixes: a read that began after the element was known to be in
           the set must have it, as long as no remove of it may have happened (sweep.py, judge.py). Together with order.py the rules are
           complete for sets that are only added to: what they pass is linearizable.
Unknown    no read that succeeded; reads that tell nothing about any element that was added; ops other than add, remove and read.
Rules out  linearizable (hence strict-serializable) for every type but `never-read`, which breaks nothing.
Limits     with removes the rules are sound, not complete: what they cannot decide is not reported, and nothing is said to hold.
Source     Jepsen's set-full, exact rules in semantics.md 10; unlike it, staleness is decided by the order of ops, not by whole
           milliseconds, and duplicates and elements that nobody added are reported.
"""

from checkers.set_full.checker import SetFull
from checkers.set_full.witness import verify_witness

__all__ = ["SetFull", "verify_witness"]
