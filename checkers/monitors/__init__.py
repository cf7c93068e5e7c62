"""Monitors: linearizability of queues, stacks, priority queues and sets whose values are unique, in O(n log n) whatever the concurrency.

Decides    per key, whether there is one order of an object's operations that respects real time and explains every answer.
Right      with unique values each remove and look belongs to one add; each object's rule, and why it is right, opens its file.
Unknown    keys with repeated values that the search does not settle; histories in which nothing was observed.
Rules out  linearizable and strict-serializable.
Source     Henzinger, Sezgin & Vafeiadis 2013; Lee & Mathur 2025; what is ours is checked against brute force.
"""

from checkers.monitors.checker import PriorityQueue, Queue, SetObject, Stack
from checkers.monitors.witness import verify_witness

__all__ = ["PriorityQueue", "Queue", "SetObject", "Stack", "verify_witness"]
