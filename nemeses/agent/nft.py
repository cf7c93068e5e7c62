"""Cuts on the bridge: one nft set of ordered (source, destination) addresses per family, dropped on the forward path.

Why it exists  one transaction cuts all pairs at the same moment, elements expire by themselves when nobody renews them,
               and a counter for each says what was really dropped. Never in an output hook: there sendto() returns EPERM,
               an error that no real network gives.
Relies on      the program nft and the kernel's bridge family (CONFIG_NF_TABLES_BRIDGE), in the namespace that holds the bridge; each run
               has a table of its own, and no other table is ever touched.
"""

from __future__ import annotations

import ipaddress
import json
import shutil
import subprocess
from collections.abc import Iterable, Mapping

AddressPair = tuple[str, str]
TABLE = """table bridge {name} {{
  set cut4 {{ type ipv4_addr . ipv4_addr; flags timeout; counter; }}
  set cut6 {{ type ipv6_addr . ipv6_addr; flags timeout; counter; }}
  chain forward {{
    type filter hook forward priority -200; policy accept;
    ip saddr . ip daddr @cut4 drop
    ip6 saddr . ip6 daddr @cut6 drop
  }}
}}
"""
NFT_LIMIT_S = 5.0


class NftError(Exception):
    """nft refused; the text is what it said."""


def _program() -> str:
    found = shutil.which("nft") or shutil.which("nft", path="/usr/sbin:/sbin:/usr/local/sbin")
    if found is None:
        raise NftError("the program nft is not there")
    return found


def _nft(arguments: list[str], text: str = "") -> str:
    try:
        done = subprocess.run([_program(), *arguments], input=text, capture_output=True, text=True, timeout=NFT_LIMIT_S)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NftError(f"nft: {error}") from None
    if done.returncode != 0:
        raise NftError(f"nft: {' '.join(done.stderr.split())[:300]}")
    return done.stdout


class BridgeTable:
    """The table of one run."""

    mechanism = "nft set on the bridge"

    def __init__(self, run: str, lease_s: float) -> None:
        self.name, self.lease_s = f"splitbrain_{run}", lease_s

    def create(self) -> None:
        """Make the table anew. Raises NftError where nft or the bridge family is missing."""
        self.remove()
        _nft(["-f", "-"], TABLE.format(name=self.name))

    def remove(self) -> None:
        """Delete the table if it is there."""
        if self.exists():
            _nft(["delete", "table", "bridge", self.name])

    def exists(self) -> bool:
        """True if the table is in the kernel."""
        tables = json.loads(_nft(["-j", "list", "tables"]))["nftables"]
        return any(item.get("table", {}).get("name") == self.name and item["table"]["family"] == "bridge" for item in tables)

    def put(self, pairs: Iterable[AddressPair], netns_of: Mapping[str, str]) -> None:
        """Replace the whole set of cut pairs in one transaction; every element's lease begins anew, every counter at 0."""
        by_family: dict[str, list[str]] = {"cut4": [], "cut6": []}
        for source, destination in sorted(pairs):
            by_family["cut6" if ":" in source else "cut4"].append(f"{source} . {destination} timeout {self.lease_s:g}s")
        lines = [f"flush set bridge {self.name} {name}" for name in by_family]
        lines += [f"add element bridge {self.name} {name} {{ {', '.join(items)} }}" for name, items in by_family.items() if items]
        _nft(["-f", "-"], "\n".join(lines) + "\n")

    def counts(self) -> dict[AddressPair, int]:
        """Pairs that are in the kernel now -> packets dropped since the last `put`."""
        found: dict[AddressPair, int] = {}
        for item in json.loads(_nft(["-j", "list", "table", "bridge", self.name]))["nftables"]:
            for element in item.get("set", {}).get("elem", ()):
                inner = element["elem"]
                source, destination = inner["val"]["concat"]
                found[plain(source), plain(destination)] = inner.get("counter", {}).get("packets", 0)
        return found

    def present(self, pairs: set[AddressPair]) -> set[AddressPair]:
        """Which of these pairs read back from the kernel."""
        return pairs & set(self.counts())


def plain(address: str) -> str:
    """One spelling for each address, the one that the kernel's tools print."""
    return str(ipaddress.ip_address(address.partition("%")[0].partition("/")[0]))
