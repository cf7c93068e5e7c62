"""The checkers room: pure functions from a history to a verdict; no I/O, no clock, no cluster."""
