"""The workloads room: ops to generate, the capability they need, which checkers judge them, the final phase."""
