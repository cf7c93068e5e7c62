"""Cuts without nft: a policy rule in the receiver's namespace throws away what comes from a source.

Why it exists  nft or the kernel's bridge family may be absent; policy routing never is. The sender sees no error, established TCP stalls
               and resumes, as on a real network.
Relies on      the lookup of local addresses being moved behind our rules (from preference 0 to 10): before it they have no effect.
               These rules have no lease in the kernel; the agent and its watchdog undo them, and they end with the namespace.
"""

from __future__ import annotations

import contextlib
import ctypes
import errno
import os
import socket
import struct
from collections.abc import Iterable, Mapping

from .netlink import BLACKHOLE, LOCAL_TABLE, TO_TABLE, Rules
from .netns import CLONE_NEWNET, inside
from .nft import AddressPair, plain

OURS, LOCAL = 5, 10  # preferences
ETH_ALL, DATAGRAM_BYTES = 0x0003, 60
IP, OUTGOING = (0x0800, 0x86DD), 4


def _family(address: str) -> int:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def drop_rule(netns: str, source: str) -> None:
    """Let the source through again."""
    with inside(netns), Rules() as rules:
        rules.delete(_family(source), OURS, BLACKHOLE, source)


def _add_rule(netns: str, source: str) -> None:
    family = _family(source)
    with inside(netns), Rules() as rules:
        rules.add(family, LOCAL, TO_TABLE, table=LOCAL_TABLE)
        rules.delete(family, 0, TO_TABLE, table=LOCAL_TABLE)
        rules.add(family, OURS, BLACKHOLE, source)


def restore_order(netns: str) -> None:
    """The lookup of local addresses first again, as every namespace is born with; once the last of our rules is gone."""
    with inside(netns), Rules() as rules:
        for family in (socket.AF_INET, socket.AF_INET6):
            rules.add(family, 0, TO_TABLE, table=LOCAL_TABLE)
            rules.delete(family, LOCAL, TO_TABLE, table=LOCAL_TABLE)


def why_not() -> str:
    """Try it in a namespace of our own: "" if it works, else the reason."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            if ctypes.CDLL(None, use_errno=True).unshare(CLONE_NEWNET) != 0:
                os._exit(ctypes.get_errno() or 1)
            _add_rule("", "198.18.0.1")
            code = 0
        except OSError as error:
            code = error.errno or 1
        finally:
            os._exit(code)
    code = os.WEXITSTATUS(os.waitpid(child, 0)[1])
    return f"policy rules in a network namespace: {os.strerror(code)}" if code else ""


class BlackholeRules:
    """The same surface as nft.BridgeTable: the whole set of cut pairs is put, counts are read."""

    mechanism = "blackhole policy rules at the receiver"

    def __init__(self) -> None:
        self._pairs: dict[AddressPair, str] = {}  # -> the receiver's namespace
        self._ears: dict[str, Ear] = {}

    def put(self, pairs: Iterable[AddressPair], netns_of: Mapping[str, str]) -> None:
        """Replace the whole set. One receiver after the other: about a millisecond each, not one transaction."""
        wanted = {pair: netns_of.get(pair[1], "") for pair in pairs}
        missing = [pair for pair, netns in wanted.items() if not netns]
        if missing:
            raise OSError(errno.ENOENT, f"{missing[0][1]} has no network namespace to put a rule into")
        for pair, netns in self._pairs.items():
            if wanted.get(pair) != netns and not any(w[0] == pair[0] and n == netns for w, n in wanted.items()):
                with contextlib.suppress(FileNotFoundError):  # the namespace went, and the rule with it
                    drop_rule(netns, pair[0])
        for pair, netns in wanted.items():
            if self._pairs.get(pair) != netns:
                _add_rule(netns, pair[0])
        for netns in set(self._pairs.values()) - set(wanted.values()):
            with contextlib.suppress(FileNotFoundError):
                restore_order(netns)
        if set(wanted) != set(self._pairs):
            self._listen(wanted)
        self._pairs = wanted

    def _listen(self, wanted: dict[AddressPair, str]) -> None:
        for ear in self._ears.values():
            ear.close()
        by_netns: dict[str, set[AddressPair]] = {}
        for pair, netns in wanted.items():
            by_netns.setdefault(netns, set()).add(pair)
        self._ears = {netns: Ear(netns, pairs) for netns, pairs in by_netns.items()}

    def counts(self) -> dict[AddressPair, int]:
        """Pairs that are cut -> frames that came since the last change, counted at the receiver's interface before they are dropped."""
        found = dict.fromkeys(self._pairs, 0)
        for ear in self._ears.values():
            found.update(ear.drain())
        return found

    def present(self, pairs: set[AddressPair]) -> set[AddressPair]:
        """Which of these pairs have a rule whose addition the kernel acknowledged."""
        return pairs & set(self._pairs)

    def remove(self) -> None:
        """Take all rules away."""
        self.put((), {})


class Ear:
    """Counts what arrives for cut pairs in one namespace, by a packet socket that sees frames before routing drops them."""

    def __init__(self, netns: str, pairs: set[AddressPair]) -> None:
        self._counts: dict[AddressPair, int] = {}
        self._pairs = pairs
        with inside(netns):
            self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_ALL))
        program = _filter(sorted({source for source, _ in pairs}))
        code = b"".join(struct.pack("HBBI", *step) for step in program)
        buffer = ctypes.create_string_buffer(code, len(code))
        self._socket.setsockopt(socket.SOL_SOCKET, 26, struct.pack("HxxxxxxP", len(program), ctypes.addressof(buffer)))  # SO_ATTACH_FILTER
        self._socket.setblocking(False)

    def drain(self) -> dict[AddressPair, int]:
        """Counts so far."""
        while True:
            try:
                data, address = self._socket.recvfrom(64)
            except OSError:
                break
            if address[2] != OUTGOING and address[1] in IP:  # what came before the filter was there is looked at all the same
                pair = _addresses(data)
                if pair in self._pairs:
                    self._counts[pair] = self._counts.get(pair, 0) + 1
        return self._counts

    def close(self) -> None:
        """Stop counting."""
        self._socket.close()


def _addresses(data: bytes) -> tuple[str, str]:
    if data[0] >> 4 == 6:
        return plain(socket.inet_ntop(socket.AF_INET6, data[8:24])), plain(socket.inet_ntop(socket.AF_INET6, data[24:40]))
    return socket.inet_ntop(socket.AF_INET, data[12:16]), socket.inet_ntop(socket.AF_INET, data[16:20])


def _filter(sources: list[str]) -> list[tuple[int, int, int, int]]:
    """A classic BPF program that passes the head of packets from these sources (v6: by the last four bytes; the rest is compared later)."""
    words = [(":" in source, struct.unpack(">I", socket.inet_pton(_family(source), source)[-4:])[0]) for source in sources]
    fours, sixes = [word for six, word in words if not six], [word for six, word in words if six]
    load, equal, give = 0x20, 0x15, 0x06
    steps = [(0x30, 0, 0, 0), (0x54, 0, 0, 0xF0), (equal, 0, 1 + len(fours) + 1, 0x40)]
    steps += [(load, 0, 0, 12)] + [(equal, len(fours) - 1 - i + 1 + 1 + len(sixes) + 1, 0, word) for i, word in enumerate(fours)]
    steps += [(give, 0, 0, 0)]
    steps += [(load, 0, 0, 20)] + [(equal, len(sixes) - 1 - i + 1, 0, word) for i, word in enumerate(sixes)]
    return [*steps, (give, 0, 0, 0), (give, 0, 0, DATAGRAM_BYTES)]
