"""Cut links, by token: several tokens may cut the same pair, and it is whole again when the last has gone.

Why it exists  a fault knows nodes, a rule knows addresses; this knows which addresses of which nodes must not reach each other now, proves
               it by probes, and adds up what each rule dropped over all its renewals.
Relies on      one mechanism (nft on the bridge, else policy rules) that takes the whole set of cut address pairs at once.
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

from .blackhole import BlackholeRules
from .ledger import Ledger
from .nft import AddressPair, BridgeTable, NftError, plain
from .probe import Path, can_probe, probe

Pair = tuple[str, str]
Place = dict[str, Any]  # harness.cluster.Place as JSON


class Link(NamedTuple):
    """An ordered pair of nodes: every address pair to cut, and the paths that can be probed (addresses on a network that both share)."""

    source: str
    destination: str
    addresses: tuple[AddressPair, ...]
    paths: tuple[Path, ...]
    why_not: str  # why it cannot be cut; "" if it can


class Cut(NamedTuple):
    """One token's cut."""

    links: list[Link]
    since: float
    base: dict[AddressPair, int]  # totals when it began


class Cuts:
    """All cuts of the run."""

    def __init__(self, ledger: Ledger, mechanism: BridgeTable | BlackholeRules) -> None:
        self._ledger, self._by = ledger, mechanism
        self._tokens: dict[str, Cut] = {}
        self._netns: dict[str, str] = {}  # address -> namespace of its node
        self._totals: dict[AddressPair, int] = {}  # over all renewals, our own probes taken off
        self._probes: dict[AddressPair, int] = {}  # sent since the last renewal
        self._proved: set[Path] = set()  # paths that let probes through before they were cut

    def cut(self, token: str, pairs: list[Pair], places: dict[str, Place]) -> dict[str, Any]:
        """Cut these ordered pairs of nodes. Evidence as harness.plane describes it."""
        links = [self._link(source, destination, places) for source, destination in pairs]
        possible = [link for link in links if not link.why_not]
        already = self._wanted()
        fresh = [path for link in possible for path in link.paths if (path.source, path.destination) not in already]
        open_before = probe(fresh, expect_arrival=True).arrived | self._proved
        start = time.monotonic()
        base = dict(self._totals)
        if possible:
            self._tokens[token] = Cut(possible, start, base)
            self._renew()
        took_ms = (time.monotonic() - start) * 1e3
        base.update(self._totals)  # the renewal counted what older tokens dropped meanwhile
        here = self._by.present(self._wanted())
        after = probe([path for link in possible for path in link.paths], expect_arrival=False)
        self._note_probes(after.sent)
        self._proved = open_before
        shown = [self._proof(link, here, open_before, after.arrived) for link in links]
        whys = [pair["why"] for pair in shown if pair.get("why")]
        evidence = {
            "mechanism": self._by.mechanism,
            "in_place": all(pair["in_place"] for pair in shown),
            "pairs": shown,
            "took_ms": round(took_ms, 2),
        }
        return {**evidence, **({"why": "; ".join(dict.fromkeys(whys))} if whys else {})}

    def undo(self, token: str) -> dict[str, Any]:
        """End one token's cut. `exercised`: packets of the nodes' own were dropped; pairs that sent nothing are listed as idle."""
        cut = self._tokens.pop(token, None)
        if cut is None:
            return {"exercised": False, "in_place": True, "pairs": []}
        self._renew()
        shown = []
        for link in cut.links:
            dropped = sum(self._totals.get(pair, 0) - cut.base.get(pair, 0) for pair in link.addresses)
            shown.append({"src": link.source, "dst": link.destination, "dropped": max(0, dropped)})
        still = self._wanted()
        paths = [path for link in cut.links for path in link.paths if (path.source, path.destination) not in still]
        arrived = probe(paths, expect_arrival=True)
        silent = [path for path in paths if path not in arrived.arrived and path not in arrived.failed]
        idle = [[pair["src"], pair["dst"]] for pair in shown if not pair["dropped"]]
        evidence: dict[str, Any] = {
            "exercised": len(idle) < len(shown),
            "in_place": not silent,
            "pairs": shown,
            "idle": idle,
            "lasted_s": round(time.monotonic() - cut.since, 3),
        }
        if silent:
            evidence["why"] = f"probes from {silent[0].source} to {silent[0].destination} still do not arrive"
        return evidence

    def renew(self) -> None:
        """Begin every lease anew, each second."""
        if self._tokens:
            self._renew()

    @property
    def tokens(self) -> list[str]:
        """Tokens whose cuts are in effect."""
        return list(self._tokens)

    def traces(self) -> list[str]:
        """Pairs that the kernel still drops."""
        try:
            return [f"packets from {source} to {destination} are dropped" for source, destination in sorted(self._by.counts())]
        except NftError:
            return []  # without the table nothing of ours is dropped

    def _link(self, source: str, destination: str, places: dict[str, Place]) -> Link:
        ours, theirs = places[source], places[destination]
        networks = {network for network, _ in ours["addresses"]} & {network for network, _ in theirs["addresses"]}
        if isinstance(self._by, BridgeTable):  # a network without a bridge here (macvlan, overlay) passes no hook of ours
            bare = [network for network in networks if not ours["bridges"].get(network) and not theirs["bridges"].get(network)]
            if bare:
                return Link(
                    source, destination, (), (), f"{source} and {destination} share the network {bare[0]}, which has no bridge here"
                )
        if not networks:
            return Link(source, destination, (), (), f"{source} and {destination} share no network, or one of them has no address now")
        for place in (ours, theirs):
            self._netns.update({plain(address): place["netns"] for _, address in place["addresses"]})
        mine = [(network, plain(address)) for network, address in ours["addresses"]]
        others = [(network, plain(address)) for network, address in theirs["addresses"]]
        every = [(a, b, m == n and m in networks) for m, a in mine for n, b in others if (":" in a) == (":" in b)]
        paths = [Path(a, b, ours["netns"], theirs["netns"]) for a, b, shared in every if shared and can_probe(a) and can_probe(b)]
        return Link(source, destination, tuple((a, b) for a, b, _ in every), tuple(paths if ours["netns"] and theirs["netns"] else ()), "")

    def _wanted(self) -> set[AddressPair]:
        return {pair for cut in self._tokens.values() for link in cut.links for pair in link.addresses}

    def _renew(self) -> None:
        """Put the whole set in one transaction; first add up what the counters show, for it starts them anew."""
        self._count()
        wanted = self._wanted()
        if isinstance(self._by, BlackholeRules):
            rules = {(self._netns.get(destination, ""), source) for source, destination in wanted}
            for rule in rules - self._ledger.rules:
                self._ledger.note("rule", *rule)
            self._by.put(wanted, self._netns)
            for rule in self._ledger.rules - rules:
                self._ledger.note("no-rule", *rule)
        else:
            self._by.put(wanted, self._netns)

    def _count(self) -> None:
        for pair, packets in self._by.counts().items():
            own = self._probes.get(pair, 0)
            self._totals[pair] = self._totals.get(pair, 0) + max(0, packets - own)
        self._probes.clear()

    def _note_probes(self, sent: dict[Path, int]) -> None:
        for path, number in sent.items():
            pair = (path.source, path.destination)
            self._probes[pair] = self._probes.get(pair, 0) + number

    def _proof(self, link: Link, here: set[AddressPair], before: set[Path], after: set[Path]) -> dict[str, Any]:
        pair: dict[str, Any] = {"src": link.source, "dst": link.destination}
        why = link.why_not
        if not why and not set(link.addresses) <= here:
            why = f"the rule for {link.source} to {link.destination} does not read back from the kernel"
        if not why and any(path in after for path in link.paths):
            why = f"{link.source} to {link.destination}: the probes still got through"
        proved = bool(link.paths) and all(path in before for path in link.paths)
        return {**pair, "in_place": not why, "proof": "probe" if proved else "rule", **({"why": why} if why else {})}


def choose(run: str, lease_s: float, ledger: Ledger) -> tuple[BridgeTable | BlackholeRules | None, str]:
    """The first mechanism that works here, and why better ones do not ("" if the best does); None if none does."""
    from .blackhole import why_not

    table = BridgeTable(run, lease_s)
    try:
        ledger.note("table", True)
        table.create()
        return table, ""
    except (NftError, OSError, ValueError) as error:
        ledger.note("table", False)
        refused = str(error)
    other = why_not()
    return (BlackholeRules(), refused) if not other else (None, f"{refused}; {other}")
