"""Log (Kafka-type): each key is a log of values by offset; sends append to it, polls read it from a consumer's position on.

Decides    inconsistent-offsets, duplicate, G1a, garbage-read, precommitted-read, lost-write, int-poll-skip, int-nonmonotonic-poll,
           int-nonmonotonic-send, poll-skip, nonmonotonic-poll, nonmonotonic-send, unseen, and cycles of transactions (G1c, by process and
           by real time) that poll each other's values.
Right      the log of a key is put together from all polls (those of failed transactions too: a poll may only ever show what is safe)
           and from sends that certainly committed: ok, or without a known outcome and seen by an ok poll. Gaps in the offsets are legal
           (markers of transactions), so positions are ranks among the occupied ones. A step from or to an unknown position counts as 1.
Unknown    a value that was sent twice to a key; no poll that succeeded gave a value; acknowledged values that nobody polled, as long as no
           consumer of the key is known to have come to the end of it (option final=true: the history ends with polls of everything).
Rules out  G1a and G1c what they rule out of transactions; all others break the log itself. int-send-skip, G0 and cycles that need the order
           of the log (ww) are reported and allowed: sends of transactions interleave. With `subscribe`, positions move: poll-skip and
           nonmonotonic-poll are allowed.
Source     Jepsen's Kafka workload (Redpanda, Kafka, Bufstream); semantics.md 9 and 10.
"""

from checkers.log.checker import Log
from checkers.log.witness import verify_witness

__all__ = ["Log", "verify_witness"]
