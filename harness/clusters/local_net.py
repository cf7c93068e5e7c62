"""A network for local nodes: a bridge, and for each node a network namespace with one address on it.

Why it exists  each node has an address of its own, as on a machine of its own; links between them can be cut like real ones.
Relies on      pyroute2 (netlink from Python alone: `ip` need not be there); being run as a program of its own inside the bubble, since
               a process moves between network namespaces while it works.

`python -I -m harness.clusters.local_net FOLDER BRIDGE NETWORK NODE..` makes FOLDER/NODE for each node, a file that is its namespace.
"""

from __future__ import annotations

import ipaddress
import os
import sys
from pathlib import Path

from harness.clusters.bubble import CLONE_NEWNET, call

MS_BIND = 4096
NETWORK = "198.18.0.0/24"  # of the range for tests of networks (RFC 2544); seen by nobody outside the bubble
FIRST = 10  # n1 has .11


def address_of(index: int, network: str = NETWORK) -> str:
    """The address of the node with this index."""
    return str(ipaddress.ip_network(network)[FIRST + 1 + index])


def make_network(folder: Path, bridge: str, network: str, nodes: list[str]) -> None:
    """Make it all, in the network namespace of the caller. OSError if the kernel refuses."""
    from pyroute2 import IPRoute

    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    call("mount", b"tmpfs", os.fsencode(folder), b"tmpfs", 0, b"size=64k")
    prefix = ipaddress.ip_network(network).prefixlen
    with IPRoute() as here:
        here.link("set", index=1, state="up")
        here.link("add", ifname=bridge, kind="bridge", br_mcast_snooping=0)
        bridge_index = here.link_lookup(ifname=bridge)[0]
        here.addr("add", index=bridge_index, address=str(ipaddress.ip_network(network)[1]), prefixlen=prefix)
        here.link("set", index=bridge_index, state="up")
        for number, node in enumerate(nodes):
            place = folder / node
            place.touch()
            call("unshare", CLONE_NEWNET)
            call("mount", b"/proc/self/ns/net", os.fsencode(place), None, MS_BIND, None)
            call("setns", home, CLONE_NEWNET)
            inside = os.open(place, os.O_RDONLY)
            here.link("add", ifname=f"sb-{node}", kind="veth", peer={"ifname": "eth0", "net_ns_fd": inside})
            port = here.link_lookup(ifname=f"sb-{node}")[0]
            here.link("set", index=port, master=bridge_index, state="up")
            call("setns", inside, CLONE_NEWNET)
            Path("/proc/sys/net/ipv6/conf/all/disable_ipv6").write_text("1")  # no address but the one that we give and cut
            with IPRoute() as there:
                there.link("set", index=1, state="up")
                eth0 = there.link_lookup(ifname="eth0")[0]
                there.addr("add", index=eth0, address=address_of(number, network), prefixlen=prefix)
                there.link("set", index=eth0, state="up")
            call("setns", home, CLONE_NEWNET)
            os.close(inside)


if __name__ == "__main__":
    try:
        make_network(Path(sys.argv[1]), sys.argv[2], sys.argv[3], sys.argv[4:])
    except OSError as error:
        sys.exit(str(error))
    except Exception as error:  # pyroute2's own
        sys.exit(f"{type(error).__name__}: {error}")
