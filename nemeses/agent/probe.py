"""Do packets get through? Probes of the agent's own, between the nodes' network namespaces.

Why it exists  a rule that reads back right may still not bite (wrong bridge, a kernel that ignores it); only a packet that does not arrive
               proves a cut. The nodes' own traffic cannot: an idle pair sends nothing for a second.
Relies on      delivery between namespaces of one host taking well below a millisecond, so that what has not come after ABSENT_S is dropped.
"""

from __future__ import annotations

import os
import select
import socket
import time
from collections.abc import Iterable
from typing import NamedTuple

from .netns import inside

ARRIVE_S = 0.15  # the first packet may wait for address resolution
ABSENT_S = 0.08
ROUNDS = 4  # sends within the wait


class Path(NamedTuple):
    """One way to try: from an address in one namespace to an address in another."""

    source: str
    destination: str
    source_netns: str
    destination_netns: str


class Tried(NamedTuple):
    """What a probe found: which paths let packets through, how many were sent on each, which could not be tried and why."""

    arrived: set[Path]
    sent: dict[Path, int]
    failed: dict[Path, str]


def can_probe(address: str) -> bool:
    """Link-local addresses name no interface, so they are cut but not probed."""
    return not address.lower().startswith("fe80")


def probe(paths: Iterable[Path], expect_arrival: bool) -> Tried:
    """Send on every path at once and listen: up to ARRIVE_S until all have come, or ABSENT_S to see that none comes."""
    wanted = list(dict.fromkeys(paths))
    result = Tried(set(), {}, {})
    sockets: dict[tuple[str, str], socket.socket] = {}
    try:
        for path in wanted:
            try:
                _open(sockets, path.source_netns, path.source)
                _open(sockets, path.destination_netns, path.destination)
            except OSError as error:
                result.failed[path] = f"{path.source} to {path.destination}: {error.strerror or error}"
        _exchange([path for path in wanted if path not in result.failed], sockets, result, expect_arrival)
    finally:
        for each in sockets.values():
            each.close()
    return result


def _open(sockets: dict[tuple[str, str], socket.socket], netns: str, address: str) -> None:
    if (netns, address) in sockets:
        return
    with inside(netns):
        made = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM)
    try:
        made.setblocking(False)
        made.bind((address, 0))
    except OSError:
        made.close()
        raise
    sockets[netns, address] = made


def _exchange(paths: list[Path], sockets: dict[tuple[str, str], socket.socket], result: Tried, expect_arrival: bool) -> None:
    """Each packet names its path by a number and this probe by a nonce; a late one of an earlier probe does not count."""
    nonce = os.urandom(8)
    limit = ARRIVE_S if expect_arrival else ABSENT_S
    listening = {sockets[path.destination_netns, path.destination] for path in paths}
    start = time.monotonic()
    for number in range(ROUNDS):
        for index, path in enumerate(paths):
            if path in result.arrived:
                continue
            target = sockets[path.destination_netns, path.destination].getsockname()
            try:
                sockets[path.source_netns, path.source].sendto(nonce + index.to_bytes(4, "big"), target)
                result.sent[path] = result.sent.get(path, 0) + 1
            except OSError as error:
                result.failed.setdefault(path, f"{path.source} to {path.destination}: {error.strerror or error}")
        _listen(paths, listening, nonce, result, start + limit * (number + 1) / ROUNDS)
        if len(result.arrived) == len(paths):
            return


def _listen(paths: list[Path], listening: set[socket.socket], nonce: bytes, result: Tried, until: float) -> None:
    while len(result.arrived) < len(paths) and (left := until - time.monotonic()) > 0:
        for ready in select.select(list(listening), [], [], left)[0]:
            try:
                data = ready.recv(64)
            except OSError:  # an ICMP error for an earlier send
                continue
            if data[:8] == nonce and len(data) == 12:
                result.arrived.add(paths[int.from_bytes(data[8:], "big")])
