"""Session guarantees of registers: monotonic reads, monotonic writes, read your writes, writes follow reads.

Decides    for each guarantee whether an order of each key's versions exists that keeps it; one file each.
Right      what a guarantee demands, with what is certain, has a circle or can be ordered.
Unknown    see checker.py.
Rules out  the guarantee and all models that imply it.
Source     Terry et al., Session guarantees for weakly consistent replicated data, PDIS 1994.
"""

from checkers.sessions.checker import MonotonicReads, MonotonicWrites, ReadYourWrites, Sessions, WritesFollowReads
from checkers.sessions.witness import verify_witness

__all__ = ["MonotonicReads", "MonotonicWrites", "ReadYourWrites", "Sessions", "WritesFollowReads", "verify_witness"]
