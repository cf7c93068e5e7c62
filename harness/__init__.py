"""The harness room: one op's walk from plan to report, and every protocol that other rooms meet in.

It imports nothing of the other rooms; targets, workloads, faults and checkers are found by name (`harness.registry`).
"""
