"""A shop's Redis, one primary with replicas that follow it asynchronously, as a target in one file.

    splitbrain run examples/shop_redis.py --compose shop --nemesis partition,kill

The cluster runs already; this file only says how the shop uses it: orders are added at the primary, and read at a node of the reader's own.
"""

import asyncio
import contextlib
import json

import splitbrain as sb

PORT = 6379


class Redis:
    """A client of one node, and one of the primary. An error reply means that Redis did not execute the command."""

    errors = sb.ErrorTable((ConnectionRefusedError,))

    def __init__(self, access):
        self.access, self.primary, self.writer = access, None, None

    async def open(self):
        connecting = asyncio.open_connection(*self.access.endpoint(PORT), limit=1 << 26)
        self.reader, self.writer = await asyncio.wait_for(connecting, self.access.timeout_s)
        return self

    async def close(self):
        for client in (self, self.primary):
            if client and client.writer:
                client.writer.transport.abort()

    async def ask(self, *words):
        parts = [str(word).encode() for word in words]
        self.writer.write(b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%s\r\n" % (len(part), part) for part in parts))
        return await asyncio.wait_for(self.answer(), self.access.timeout_s)  # none in time: nobody knows, so no Definite

    async def answer(self):
        line = await self.reader.readuntil(b"\r\n")
        kind, rest = line[:1], line[1:-2].decode()
        if kind == b"-":
            raise sb.Definite(rest)
        if kind == b"$":
            return (await self.reader.readexactly(int(rest) + 2))[:-2].decode()
        return [await self.answer() for _ in range(int(rest))] if kind == b"*" else rest

    async def add(self, name, element, ext=None):
        if not self.primary:
            nodes = await primaries(self.access.site, self.access.options)
            if not nodes:
                raise sb.Definite("not sent: no node says that it is the primary")
            self.primary = await Redis(self.access._replace(node=nodes[0])).open()
        await self.primary.ask("SADD", name, json.dumps(element))

    async def elements(self, name, ext=None):
        return [json.loads(member) for member in await self.ask("SMEMBERS", name)]


async def role(access):
    client = Redis(access)
    try:
        return await (await client.open()).ask("ROLE")
    finally:
        await client.close()


async def primaries(site, options):
    found = []
    for node in site.nodes:
        with contextlib.suppress(OSError, EOFError, sb.Definite):
            if (await role(sb.Access(node, site, options, 0.5)))[0] == "master":
                found.append(node)
    return found


class ShopRedis(sb.Target):
    """Three Redis of a shop."""

    name = "shop_redis"
    workloads = ("set",)
    ports = {"client": PORT}  # noqa: RUF012
    settle_s = 6.0

    def client_class(self):
        return Redis

    async def ready(self, access):
        said = await role(access)
        return None if said[0] == "master" or said[3] == "connected" else f"a replica whose link is {said[3]}"

    async def primaries(self, site):
        return [node.name for node in await primaries(site, self.opt)]
