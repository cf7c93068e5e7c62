"""A shop's Redis, one primary with replicas, as a target in one file.

    splitbrain run examples/shop_redis.py --compose shop --nemesis partition,kill

The cluster runs already; this file only says how the shop uses it: orders are added at the primary, wherever that is, and read at a node of
the reader's own.
"""

import asyncio
import json

import splitbrain as sb

PORT = 6379


class Redis:
    """One connection, one command at a time. An error reply means that Redis did not execute the command."""

    def __init__(self, access):
        self.endpoint, self.timeout_s = access.endpoint(PORT), access.timeout_s

    async def open(self):
        async with asyncio.timeout(self.timeout_s):
            self.reader, self.writer = await asyncio.open_connection(*self.endpoint, limit=1 << 26)
        return self

    def close(self):
        if hasattr(self, "writer"):
            self.writer.transport.abort()

    async def ask(self, *words):
        parts = [str(word).encode() for word in words]
        self.writer.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
        async with asyncio.timeout(self.timeout_s):  # no answer in time, or a lost connection: nobody knows, so no Definite
            return await self.answer()

    async def answer(self):
        line = await self.reader.readuntil(b"\r\n")
        kind, rest = line[:1], line[1:-2].decode()
        if kind == b"-":
            raise sb.Definite(rest)
        if kind == b"$":
            return None if rest == "-1" else (await self.reader.readexactly(int(rest) + 2))[:-2].decode()
        if kind == b"*":
            return [await self.answer() for _ in range(int(rest))]
        return int(rest) if kind == b":" else rest


async def roles(site, options, timeout_s=0.5):
    """Node name -> its answer to ROLE, of every node that answers."""

    async def role(node):
        redis = Redis(sb.Access(node, site, options, timeout_s))
        try:
            return node.name, await (await redis.open()).ask("ROLE")
        except (OSError, EOFError, sb.Definite):
            return node.name, None
        finally:
            redis.close()

    return {name: said for name, said in await asyncio.gather(*map(role, site.nodes)) if said}


class ShopClient:
    """The shop on one node: adds go to the primary, reads to the node itself once it has what the primary had when asked."""

    errors = sb.ErrorTable((ConnectionRefusedError,))

    def __init__(self, access):
        self.access, self.own, self.primary = access, Redis(access), None

    async def open(self):
        await self.own.open()

    def close(self):
        self.own.close()
        if self.primary:
            self.primary.close()

    async def add(self, name, element, ext=None):
        if not self.primary:
            self.primary = await self.connect_to_primary()
        await self.primary.ask("SADD", name, json.dumps(element))

    async def elements(self, name, ext=None):
        async with asyncio.timeout(self.access.timeout_s):
            while behind(await roles(self.access.site, self.access.options), self.access.node.name):
                await asyncio.sleep(0.05)
        return [json.loads(member) for member in await self.own.ask("SMEMBERS", name)]

    async def connect_to_primary(self):
        site = self.access.site
        answers = await roles(site, self.access.options)
        for node in site.nodes:
            if answers.get(node.name, [""])[0] == "master":
                return await Redis(self.access._replace(node=node)).open()
        raise sb.Definite("not sent: no node says that it is the primary")


def behind(answers, name):
    """None when the node has all that the primary had; else why not, in words."""
    offset = max((said[1] for said in answers.values() if said[0] == "master"), default=None)
    own = answers.get(name, ["no answer"])
    if own[0] == "master":
        return None
    if own[0] != "slave" or own[3] != "connected" or offset is None:
        return f"{' '.join(map(str, own))}; {'no primary answers' if offset is None else 'the primary answers'}"
    return f"a replica, {offset - own[4]} bytes behind" if own[4] < offset else None


class ShopRedis(sb.Target):
    """Three Redis of a shop."""

    name = "shop_redis"
    title = "a shop's Redis: one primary, replicas that follow it asynchronously"
    workloads = ("set",)
    ports = {"client": PORT}  # noqa: RUF012
    settle_s = 5.0

    def client_class(self):
        return ShopClient

    async def ready(self, access):
        return behind(await roles(access.site, self.opt), access.node.name)

    async def primaries(self, site):
        return [name for name, said in (await roles(site, self.opt)).items() if said[0] == "master"]
