"""The program of one node of quorum_store: a replicated store on the standard library alone (Python 3.9 or newer).

Why it exists  Splitbrain's own system under test: small enough to be read whole, real enough (processes, TCP, fsync) to be broken.
Relies on      nothing of Splitbrain: these files are copied to the node and started as `python3 -I start.py CONFIG`.

durable.py   an append-only log: what was acknowledged is on disk
replica.py   what this node holds: registers under tags, grow-only sets
peer.py      one connection to another node, that never waits for ever
quorum.py    asking several replicas at once, until enough have answered
lww.py       last write wins: N, R, W as asked, stamps of the wall clock
abd.py       atomic registers by majorities (Attiya, Bar-Noy, Dolev 1995; several writers: Lynch & Shvartsman 1997)
serve.py     the server: clients' and peers' requests, one JSON object a line
"""
