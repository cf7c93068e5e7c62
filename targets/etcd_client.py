"""etcd's client: registers, transactions of micro-ops and sets on the JSON gateway of one member.

Why it exists  what a workload calls, in etcd's words: a register is a key, a cas is a txn that compares the value, a transaction reads and
               then commits if no key that it read has changed, a set has one key for each element.
Relies on      one table of what each of etcd's errors proves. Only what is refused before it is proposed to Raft is definite: a proposal
               that timed out, or whose leader was lost, may still be committed.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

import msgspec

from harness.capabilities import ErrorTable, Ext, MicroOp
from harness.errors import Definite, Indefinite
from harness.target import Access
from targets.http_json import JsonConnection

CLIENT_PORT = 2379
PAGE = 5000  # keys of a range in one answer: the gateway itself refuses answers of more than 4 MB in some versions
TRIES = 3  # of a transaction whose keys changed under it: a mismatch had no effect, so trying again is safe

DEFINITE: Mapping[str, str] = {
    "etcdserver: no leader": "checked before the request is handled",
    "etcdserver: too many requests": "refused before it is proposed: too far behind in applying",
    "etcdserver: request is too large": "refused before it is proposed",
    "raft proposal dropped": "Raft did not append it",
    "etcdserver: not capable": "checked before the request is handled",
    "etcdserver: duplicate key given in txn request": "refused before it is proposed",
    "etcdserver: too many operations in txn request": "refused before it is proposed",
    "etcdserver: key is not provided": "refused before it is proposed",
}
"""Certainly without effect. Not here on purpose: "request timed out" in all its forms, "leader changed", "server stopped" and
"mvcc: database space exceeded" (said after the put was applied, too)."""


class EtcdClient:
    """A client of one member, over one connection."""

    errors: ClassVar[ErrorTable] = ErrorTable((ConnectionRefusedError,))

    def __init__(self, access: Access) -> None:
        self.serializable = access.options["reads"] == "serializable"
        host, port = access.endpoint(CLIENT_PORT)
        self.http = JsonConnection(host, port, access.timeout_s)

    async def open(self) -> None:
        """Connect."""
        await self.http.open()

    def close(self) -> None:
        """Drop the connection at once."""
        self.http.close()

    async def read(self, key: str, ext: Ext = None) -> Any:
        """A register's value; None if it was never written."""
        answer = await self.call("kv/range", self._range(key))
        return _value(answer["kvs"][0]) if answer.get("kvs") else None

    async def write(self, key: str, value: Any, ext: Ext = None) -> None:
        """Write a register."""
        await self.call("kv/put", _put(key, value))

    async def cas(self, key: str, old: Any, new: Any, ext: Ext = None) -> bool:
        """Compare the value as text of JSON; None as old value means that the key does not exist."""
        wanted = {"target": "VALUE", "value": _json(old)} if old is not None else {"target": "VERSION", "version": 0}
        compare = {"key": _text(key), "result": "EQUAL", **wanted}
        answer = await self.call("kv/txn", {"compare": [compare], "success": [{"requestPut": _put(key, new)}]})
        return bool(answer.get("succeeded"))

    async def txn(self, micro_ops: Sequence[MicroOp], ext: Ext = None) -> list[list[Any]]:
        """Read every key in one txn; if anything is written, commit in a second one, provided that no key changed in between."""
        keys = list(dict.fromkeys(key for _, key, _ in micro_ops))
        for _ in range(TRIES):
            values, revisions = await self._snapshot(keys)
            done, written = _perform(micro_ops, values)
            if not written:
                return done
            compare = [{"key": _text(key), "result": "EQUAL", "target": "MOD", "mod_revision": revisions.get(key, "0")} for key in keys]
            puts = [{"requestPut": _put(key, values[key])} for key in written]
            if (await self.call("kv/txn", {"compare": compare, "success": puts})).get("succeeded"):
                return done
        raise Definite(f"a key changed under the transaction, {TRIES} times")

    async def _snapshot(self, keys: Sequence[str]) -> tuple[dict[str, Any], dict[str, str]]:
        """Values and mod_revisions of keys at one revision; a key that does not exist is in neither."""
        answer = await self.call("kv/txn", {"success": [{"requestRange": self._range(key)} for key in keys]})
        values, revisions = {}, {}
        for key, response in zip(keys, answer["responses"], strict=True):
            for pair in response["response_range"].get("kvs", ()):
                values[key], revisions[key] = _value(pair), pair["mod_revision"]
        return values, revisions

    async def add(self, name: str, element: Any, ext: Ext = None) -> None:
        """Put the element's own key."""
        await self.call("kv/put", _put(f"{name}/{_plain(element)}", element))

    async def elements(self, name: str, ext: Ext = None) -> Sequence[Any]:
        """All elements, from the keys alone, at one revision."""
        start = f"{name}/"
        return [msgspec.json.decode(b64decode(pair["key"])[len(start.encode()) :]) for pair in await self._pages(start, keys_only=True)]

    async def dump(self, prefix: str = "", ext: Ext = None) -> Mapping[str, Any]:
        """What this member alone holds."""
        return {b64decode(pair["key"]).decode(): _value(pair) for pair in await self._pages(prefix, serializable=True)}

    async def _pages(self, prefix: str, keys_only: bool = False, serializable: bool = False) -> list[dict[str, Any]]:
        """Every pair below a prefix. The first page fixes the revision that the others are read at."""
        start = prefix.encode() or b"\0"
        end = start[:-1] + bytes((start[-1] + 1,)) if prefix else b"\0"  # from \0 to \0: every key that there is
        query = {"range_end": b64encode(end).decode(), "limit": PAGE, "serializable": serializable or self.serializable}
        found: list[dict[str, Any]] = []
        more = True
        while more:
            answer = await self.call("kv/range", {"key": b64encode(start).decode(), "keys_only": keys_only, **query})
            found += answer.get("kvs", ())
            more = bool(answer.get("more"))
            query.setdefault("revision", answer["header"]["revision"])
            start = b64decode(found[-1]["key"]) + b"\0" if more else start
        return found

    async def status(self) -> Mapping[str, Any]:
        """The member's own view: `header.member_id`, `leader`, `raftTerm`."""
        says: Mapping[str, Any] = await self.call("maintenance/status", {})
        return says

    async def call(self, method: str, body: Mapping[str, Any]) -> Any:
        """A call of the gateway; its error as Definite or Indefinite."""
        status, answer = await self.http.post(f"/v3/{method}", body)
        if status == 200 and isinstance(answer, dict):
            return answer
        said = str(answer.get("message") or answer.get("error")) if isinstance(answer, dict) else "an answer that is not etcd's"
        raise (Definite if said in DEFINITE else Indefinite)(f"{status} {said}")

    def _range(self, key: str) -> dict[str, Any]:
        return {"key": _text(key), "serializable": self.serializable}


def _perform(micro_ops: Sequence[MicroOp], values: dict[str, Any]) -> tuple[list[list[Any]], list[str]]:
    """Do micro-ops on the values read, which are changed in place: (completed micro-ops, keys written)."""
    done: list[list[Any]] = []
    written: dict[str, None] = {}
    for f, key, value in micro_ops:
        if f == "r":
            done.append([f, key, values.get(key)])
            continue
        values[key] = [*(values.get(key) or ()), value] if f == "append" else value
        written[key] = None
        done.append([f, key, value])
    return done, list(written)


def _put(key: str, value: Any) -> dict[str, str]:
    return {"key": _text(key), "value": _json(value)}


def _text(key: str) -> str:
    return b64encode(key.encode()).decode()


def _plain(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _json(value: Any) -> str:
    return b64encode(msgspec.json.encode(value)).decode()


def _value(pair: Mapping[str, Any]) -> Any:
    return msgspec.json.decode(b64decode(pair["value"]))
