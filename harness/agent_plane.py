"""The fault plane over a fault agent: what every cluster uses that can run the agent beside its nodes.

Why it exists  clusters differ in where a node's processes and addresses are (AgentHost.place), not in how they are broken or healed.
Relies on      the agent for cuts, pauses and clocks, with their proofs; the host for kill and start, and for links where it has its own way
               (relay mode). A place is resolved anew at each injection: containers change pid and namespace with each start.

Exercised: a cut dropped packets of the nodes' own; a pause held processes that were running for as long as it lasted; a kill took a running
service down, and it stayed down; a clock was still wrong, in a live process, when its fault ended.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

import msgspec

from harness.agent_link import AgentGone, AgentLink, Refused
from harness.cluster import AgentHost, Emit, Say
from harness.errors import LostError, SetupError, Unsupported
from harness.plane import ClockChange, Evidence, Mechanism, Pair
from harness.relay_cuts import RelayCuts

RESTARTS = 3
IN_FLIGHT_S = 15.0  # an injection under way is waited for before the last heal
RENEW_EVERY_S = 0.05
NOT_BUILT = "this version does not make it"


class AgentPlane:
    """FaultPlane of one run. `open` before use, `close` after; `timing` shortens silence and leases in tests."""

    def __init__(self, host: AgentHost, emit: Emit, say: Say, timing: Mapping[str, float] | None = None) -> None:
        self.host, self.emit, self.say, self.timing = host, emit, say, dict(timing or {})
        self.closing = False
        self.agent_pids: tuple[int, int] | None = None  # agent, watchdog: as seen where they run
        self._link = AgentLink()
        self._relay = RelayCuts(host.links, host.status) if host.links is not None else None
        self._mechanisms: dict[str, Mechanism] = {}
        self._in_agent: dict[str, list[str]] = {}  # token -> nodes whose clocks it shifts (empty for others), as long as the agent holds it
        self._lost: set[str] = set()  # tokens whose agent died: its watchdog healed them
        self._down: dict[str, _Kill] = {}
        self._busy = 0
        self._restarts = 0
        self._lock = asyncio.Lock()  # one restart at a time
        self._watcher: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start the agent, probe what can be broken here, and emit ("mechanisms", ...). SetupError if it does not start."""
        try:
            await self._open()
        except (OSError, AgentGone, Refused) as error:
            await self._link.close()
            seen = f"the fault agent did not start: {error}"
            raise SetupError(seen, "no fault was injected", "splitbrain doctor says what this machine lacks") from error
        self.emit("mechanisms", {name: msgspec.to_builtins(mechanism) for name, mechanism in self._mechanisms.items()})

    async def _open(self) -> None:
        self._link = AgentLink()
        await self._link.start(self.host.agent_argv())
        answer = await self._link.call("open", run=self.host.run_id, links=self._relay is None, **self.timing)
        self.agent_pids = (answer["pid"], answer["watchdog"])
        self._mechanisms = {effect: Mechanism(effect, **found) for effect, found in answer["mechanisms"].items()}
        if self._relay is not None:
            self._mechanisms["links"] = Mechanism("links", self._relay.mechanism)
        for effect in ("shape", "limit", "disk"):
            self._mechanisms[effect] = Mechanism(effect, works=False, why=NOT_BUILT)
        self._watcher = asyncio.create_task(self._watch(self._link))

    async def close(self) -> None:
        """The run is over: the agent heals what is left and ends. Twice is once."""
        self.closing = True
        if self._watcher is not None:
            self._watcher.cancel()
        await self._link.close()

    async def mechanisms(self) -> Mapping[str, Mechanism]:
        """effect -> mechanism, as probed."""
        return self._mechanisms

    async def cut(self, token: str, pairs: Sequence[Pair]) -> Evidence:
        """Drop what goes along these ordered pairs."""
        async with self._injecting("links"):
            if self._relay is not None:
                return await self._relay.cut(token, pairs)
            places = await self._places({node for pair in pairs for node in pair})
            asked = {"token": token, "pairs": [list(pair) for pair in pairs], "nodes": places}
            return await self._inject(token, [], "cut", asked)

    async def pause(self, token: str, nodes: Sequence[str]) -> Evidence:
        """Stop every process of the nodes until none runs."""
        async with self._injecting("pause"):
            return await self._inject(token, [], "pause", {"token": token, "nodes": await self._places(nodes)})

    async def skew(self, token: str, clocks: Mapping[str, ClockChange]) -> Evidence:
        """Make the nodes' wall clocks run as given, on top of what other tokens ask; also after a restart of a node."""
        async with self._injecting("clock"):
            asked = {node: msgspec.to_builtins(change) for node, change in clocks.items()}
            return await self._inject(token, list(clocks), "skew", {"token": token, "clocks": asked, "nodes": await self._places(clocks)})

    async def kill(self, token: str, nodes: Sequence[str]) -> Evidence:
        """SIGKILL every process of the nodes at once; they stay down until the token is undone. `was_up`: it had processes."""
        async with self._injecting("process"):
            before = await self._places(nodes)
            start = time.monotonic()
            self._down[token] = _Kill({node: bool(before[node]["pids"]) for node in nodes}, start)
            await self.host.kill(nodes)
            took_ms = (time.monotonic() - start) * 1e3
            shown, whys = {}, []
            for node in nodes:
                status = await self.host.status(node)
                shown[node] = {"pids": before[node]["pids"], "in_place": not status.running, "was_up": bool(before[node]["pids"])}
                if status.running:
                    whys.append(f"{node} still runs after SIGKILL: {status.detail or f'processes {list(status.pids)}'}")
            return _evidence("SIGKILL", shown, whys, took_ms)

    async def start(self, nodes: Sequence[str]) -> Evidence:
        """Start services that are down, whoever killed them."""
        for kill in self._down.values():
            for node in nodes:
                kill.nodes.pop(node, None)
        return await self._start(nodes)

    async def shape(self, token: str, pairs: Sequence[Pair], **quality: Any) -> Evidence:
        """Not built: raises Unsupported."""
        raise Unsupported(f"shaping links: {NOT_BUILT}")

    async def limit(self, token: str, nodes: Sequence[str], **limits: Any) -> Evidence:
        """Not built: raises Unsupported."""
        raise Unsupported(f"limits on nodes: {NOT_BUILT}")

    async def disk(self, token: str, nodes: Sequence[str], **what: Any) -> Evidence:
        """Not built: raises Unsupported."""
        raise Unsupported(f"disk faults: {NOT_BUILT}")

    async def undo(self, token: str) -> Evidence:
        """Undo one token's effects; their exercised figures."""
        parts: list[Evidence] = []
        if self._relay is not None and self._relay.holds(token):
            parts.append(await self._relay.undo(token))
        if token in self._in_agent:
            parts.append(await self._undo_in_agent(token))
        if token in self._lost:
            self._lost.discard(token)
            parts.append({"exercised": False, "in_place": True, "why": "the fault agent was lost; its watchdog healed this fault early"})
        if token in self._down:
            parts.append(await self._undo_kill(token))
        return _merged(parts)

    async def heal(self, closing: bool = False) -> Evidence:
        """Undo everything, start all nodes, look whether anything is left."""
        self.closing = self.closing or closing
        deadline = time.monotonic() + IN_FLIGHT_S
        while self._busy and time.monotonic() < deadline:
            await asyncio.sleep(0.01)
        held = [*self._in_agent, *self._lost, *self._down, *(self._relay.tokens if self._relay is not None else ())]
        figures = {token: await self.undo(token) for token in dict.fromkeys(held)}
        left: list[str] = []
        try:
            await self._call("heal")
        except (Refused, LostError) as error:
            left.append(str(error))
        started = await self._start([node.name for node in self.host.nodes])
        left += [why for token in figures.values() if (why := token.get("why")) and not token["in_place"]]
        left += [f"{node} did not start" for node, found in started["nodes"].items() if not found["in_place"]]
        left += await self.traces()
        return {"healed": not left, "left": left, "tokens": figures}

    async def traces(self) -> list[str]:
        """What of ours is in effect, in words."""
        found = [f"{node} is killed" for kill in self._down.values() for node in kill.nodes]
        if self._relay is not None:
            found += self._relay.traces()
        try:
            found += (await self._call("traces"))["traces"]
        except (Refused, LostError) as error:
            found.append(str(error))
        return found

    @contextlib.asynccontextmanager
    async def _injecting(self, effect: str) -> AsyncIterator[None]:
        mechanism = self._mechanisms[effect]
        if not mechanism.works:
            raise Unsupported(mechanism.why + (f"; {mechanism.mend}" if mechanism.mend else ""))
        if self.closing:
            raise Unsupported("the run is being healed: nothing is injected any more")
        self._busy += 1
        try:
            yield
        finally:
            self._busy -= 1

    async def _inject(self, token: str, clocks_of: list[str], do: str, asked: dict[str, Any]) -> Evidence:
        self._in_agent[token] = clocks_of
        try:
            return await self._call(do, **asked)
        except Refused as error:
            return {"mechanism": self._mechanisms[{"cut": "links", "skew": "clock"}.get(do, do)].name, "in_place": False, "why": str(error)}

    async def _undo_in_agent(self, token: str) -> Evidence:
        try:
            figures = await self._call("undo", token=token)
        except Refused as error:
            return {"exercised": False, "in_place": False, "why": str(error)}
        if token in self._lost:  # the agent died under this very call
            self._lost.discard(token)
            return {"exercised": False, "in_place": True, "why": "the fault agent was lost; its watchdog healed this fault early"}
        self._in_agent.pop(token, None)
        return figures

    async def _undo_kill(self, token: str) -> Evidence:
        kill = self._down.pop(token)
        held = {node for other in self._down.values() for node in other.nodes}
        mine = [node for node in kill.nodes if node not in held]
        stayed = {node: not (await self.host.status(node)).running for node in mine}
        evidence = await self._start(mine) if mine else {"nodes": {}, "in_place": True}
        stay = {node: {"was_up": was_up, "stayed_down": stayed.get(node, True)} for node, was_up in kill.nodes.items()}
        return {
            **evidence,
            "exercised": any(each["was_up"] and each["stayed_down"] for each in stay.values()),
            "killed": stay,
            "lasted_s": round(time.monotonic() - kill.since, 3),
        }

    async def _start(self, nodes: Sequence[str]) -> Evidence:
        """Start what is down; wrong clocks are put into the new processes while they come up, not after."""
        was = {node: (await self.host.status(node)).running for node in nodes}
        starting = asyncio.ensure_future(self.host.start([node for node in nodes if not was[node]]))
        skewed = [node for node in nodes if any(node in clocks for clocks in self._in_agent.values())]
        try:
            while skewed and not starting.done():
                await asyncio.wait({starting}, timeout=RENEW_EVERY_S)
                with contextlib.suppress(Refused, OSError):
                    await self._call("renew", nodes=await self._places(skewed))
        finally:
            await starting
        if skewed:
            with contextlib.suppress(Refused):
                await self._call("renew", nodes=await self._places(skewed))
        shown = {}
        for node in nodes:
            status = await self.host.status(node)
            shown[node] = {"pids": list(status.pids), "started": not was[node], "in_place": status.running}
        return {"nodes": shown, "in_place": all(found["in_place"] for found in shown.values())}

    async def _places(self, nodes: Sequence[str] | set[str] | Mapping[str, Any]) -> dict[str, dict[str, Any]]:
        ordered = sorted(nodes)
        places = await asyncio.gather(*(self.host.place(node) for node in ordered))
        return {
            node: {
                "pids": list(place.pids),
                "netns": place.netns,
                "addresses": [list(pair) for pair in place.addresses],
                "bridges": dict(place.bridges),
            }
            for node, place in zip(ordered, places, strict=True)
        }

    async def _call(self, do: str, **fields: Any) -> Evidence:
        """A command to a living agent: one that died is replaced first. Raises Refused, LostError."""
        if self._link.gone.is_set():
            await self._replace()
        try:
            return await self._link.call(do, **fields)
        except AgentGone as error:
            await self._replace()
            if do in ("heal", "traces", "undo", "renew"):  # a fresh agent holds nothing: the question has an answer
                return await self._link.call(do, **fields)
            raise LostError(f"{error}, while it was asked to {do}", "its watchdog undoes what it had done", "splitbrain heal") from error

    async def _replace(self) -> None:
        """A new agent for one that died; what it held is healed by its watchdog, and said."""
        async with self._lock:
            if not self._link.gone.is_set():
                return
            self._mark_lost()
            self._restarts += 1
            if self._restarts > RESTARTS:
                raise LostError(
                    f"the fault agent was lost {self._restarts} times", "its faults are healed", "see harness.log and splitbrain doctor"
                )
            await self._link.close()
            try:
                await self._open()
            except (OSError, AgentGone, Refused) as error:
                raise LostError(
                    f"the fault agent was lost and does not start again: {error}", "its faults are healed", "splitbrain heal"
                ) from error

    async def _watch(self, link: AgentLink) -> None:
        """Say at once when the agent dies, whether anybody asks it anything or not."""
        await link.gone.wait()
        if not self.closing:
            self.emit("agent-lost", {"says": link.last_words(), "tokens": list(self._in_agent)})
            self.say(f"{link.last_words()}; its watchdog heals, a new one takes over")
        self._mark_lost()

    def _mark_lost(self) -> None:
        self._lost |= set(self._in_agent)
        self._in_agent.clear()


class _Kill:
    """A token's kill: which nodes it holds down, and whether each was up before."""

    def __init__(self, nodes: dict[str, bool], since: float) -> None:
        self.nodes, self.since = nodes, since


def _evidence(mechanism: str, nodes: dict[str, Any], whys: list[str], took_ms: float) -> Evidence:
    shown: Evidence = {"mechanism": mechanism, "in_place": not whys, "nodes": nodes, "took_ms": round(took_ms, 2)}
    return {**shown, "why": "; ".join(whys)} if whys else shown


def _merged(parts: Sequence[Evidence]) -> Evidence:
    """Several effects of one token as one: exercised if any was, in place (undone) if all are."""
    merged: Evidence = {}
    for part in parts:
        merged.update(part)
    merged["exercised"] = any(part["exercised"] for part in parts)
    merged["in_place"] = all(part["in_place"] for part in parts)
    return merged
