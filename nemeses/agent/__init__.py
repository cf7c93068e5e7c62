"""The fault agent: runs beside the nodes, breaks links, stops processes, shifts clocks, and heals all of it when its beats stop.

Why it exists  what breaks a node must be undone even if all that asked for it is dead; so it lives here, not in the harness.
Relies on      the standard library of Python 3.9 alone; `nft` where there is one. Runs as a folder or a zip: `python3 -I -u nemeses/agent`.
"""
