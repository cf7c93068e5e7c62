"""The nemeses room: what to break and when; the fault agent that does it beside the nodes."""
