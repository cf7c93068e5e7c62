"""Policy routing rules over a raw netlink socket: the four messages that a cut without nft needs.

Why it exists  a fresh machine may have neither nft nor iproute2, and the agent has the standard library alone.
Relies on      rtnetlink's fib rules (linux/fib_rules.h); a socket acts in the network namespace that it was made in.
"""

from __future__ import annotations

import errno
import os
import socket
import struct

NEWRULE, DELRULE = 32, 33
REQUEST, ACK, EXCLUSIVE, CREATE = 0x1, 0x4, 0x200, 0x400
TO_TABLE, BLACKHOLE = 1, 6
SOURCE, PRIORITY = 2, 6
LOCAL_TABLE = 255


class Rules:
    """Policy rules of the network namespace that this is made in."""

    def __init__(self) -> None:
        self._socket = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)  # NETLINK_ROUTE
        self._socket.settimeout(2.0)
        self._number = 0

    def __enter__(self) -> Rules:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def add(self, family: int, priority: int, action: int, source: str | None = None, table: int = 0) -> None:
        """Add a rule; one that is there already is left."""
        self._ask(NEWRULE, REQUEST | ACK | EXCLUSIVE | CREATE, family, priority, action, source, table, errno.EEXIST)

    def delete(self, family: int, priority: int, action: int, source: str | None = None, table: int = 0) -> None:
        """Delete a rule; one that is not there is no error."""
        self._ask(DELRULE, REQUEST | ACK, family, priority, action, source, table, errno.ENOENT)

    def _ask(self, kind: int, flags: int, family: int, priority: int, action: int, source: str | None, table: int, fine: int) -> None:
        address = socket.inet_pton(family, source) if source else b""
        body = struct.pack("=BBBBBBBBI", family, 0, len(address) * 8, 0, table, 0, 0, action, 0)
        body += struct.pack("=HHI", 8, PRIORITY, priority)
        if address:
            body += struct.pack("=HH", 4 + len(address), SOURCE) + address
        self._number += 1
        self._socket.send(struct.pack("=IHHII", 16 + len(body), kind, flags, self._number, 0) + body)
        answer = self._socket.recv(8192)
        (code,) = struct.unpack_from("=i", answer, 16)
        if code and -code != fine:
            raise OSError(-code, os.strerror(-code))
