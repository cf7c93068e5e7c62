"""Capabilities: the methods by which workloads and targets meet.

Why it exists  a workload says which capability it needs, a target's client implements those that its system really has; so a target
               written once gets every matching workload, and a workload written once judges every matching target.
Relies on      each method may be async or blocking (blocking ones get a thread). It returns the result, or raises `Definite` (certainly
               no effect: the op completes `fail`), `Indefinite` (unknown: `info`), or anything that the client's error table names; every
               other exception is `info`. Client libraries' own retries are off.

Every method takes `ext`, the op's extra object (a level such as "ONE" or "QUORUM" goes there); a client that wants to give one back
returns `Result(value, ext)`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple, Protocol, TypeAlias, TypeVar, runtime_checkable

T = TypeVar("T")
Answer: TypeAlias = Awaitable[T] | T  # async or blocking, as the client likes
Ext = Mapping[str, Any] | None
MicroOp = Sequence[Any]  # ["append", k, v] | ["r", k, [...] | None] | ["w", k, v]


class Result(NamedTuple):
    """A result with an `ext` for the completion (a revision, a fencing token, a causal link)."""

    value: Any
    ext: Any = None


class ErrorTable(NamedTuple):
    """What each exception proves: types whose ops certainly had no effect. Everything else is `info`."""

    definite: tuple[type[BaseException], ...] = (ConnectionRefusedError,)


@runtime_checkable
class Client(Protocol):
    """One connection of one process to one node. `open` and `close` may be async or blocking; `close` never fails."""

    errors: ClassVar[ErrorTable]

    def open(self) -> Answer[None]: ...

    def close(self) -> Answer[None]: ...


@runtime_checkable
class Register(Protocol):
    """Keys that each hold one value; unwritten: None."""

    def read(self, key: str, ext: Ext = None) -> Answer[Any]: ...

    def write(self, key: str, value: Any, ext: Ext = None) -> Answer[Any]: ...


@runtime_checkable
class CasRegister(Register, Protocol):
    """A register with compare-and-set; False: the old value differed (the op completes `fail`)."""

    def cas(self, key: str, old: Any, new: Any, ext: Ext = None) -> Answer[bool]: ...


@runtime_checkable
class Transactions(Protocol):
    """Transactions of micro-ops, completed: reads filled in, the rest as asked."""

    def txn(self, micro_ops: Sequence[MicroOp], ext: Ext = None) -> Answer[Any]: ...


class OpenTransaction(Protocol):
    """Inside `transaction(body)`: the body reads, decides and writes before the commit."""

    def get(self, key: str) -> Answer[Any]: ...

    def put(self, key: str, value: Any) -> Answer[None]: ...

    def append(self, key: str, value: Any) -> Answer[None]: ...


@runtime_checkable
class InteractiveTransactions(Protocol):
    """Open transactions: run `body`, commit, give back what the body returned; an abort raises Definite."""

    def transaction(self, body: Callable[[OpenTransaction], Answer[T]], ext: Ext = None) -> Answer[T]: ...


@runtime_checkable
class Set(Protocol):
    """A set of unique elements; `name` tells sets apart."""

    def add(self, name: str, element: Any, ext: Ext = None) -> Answer[Any]: ...

    def elements(self, name: str, ext: Ext = None) -> Answer[Sequence[Any]]: ...


@runtime_checkable
class RemovableSet(Set, Protocol):
    """A set whose elements can be removed."""

    def remove(self, name: str, element: Any, ext: Ext = None) -> Answer[Any]: ...


@runtime_checkable
class Queue(Protocol):
    """A queue; `dequeue` of an empty one gives None; `drain` gives all that is left."""

    def enqueue(self, name: str, value: Any, ext: Ext = None) -> Answer[Any]: ...

    def dequeue(self, name: str, ext: Ext = None) -> Answer[Any]: ...

    def drain(self, name: str, ext: Ext = None) -> Answer[Sequence[Any]]: ...


@runtime_checkable
class AckQueue(Queue, Protocol):
    """A queue whose deliveries are acknowledged; `dequeue` gives Result(value, {"delivery": token})."""

    def ack(self, name: str, delivery: Any, ext: Ext = None) -> Answer[Any]: ...


@runtime_checkable
class Counter(Protocol):
    """A counter, from 0."""

    def add(self, name: str, amount: int, ext: Ext = None) -> Answer[Any]: ...

    def value(self, name: str, ext: Ext = None) -> Answer[int]: ...


@runtime_checkable
class Lock(Protocol):
    """A lock; `acquire` may give Result(True, {"token": fencing token})."""

    def acquire(self, name: str, ext: Ext = None) -> Answer[Any]: ...

    def release(self, name: str, ext: Ext = None) -> Answer[Any]: ...


@runtime_checkable
class Log(Protocol):
    """A partitioned log: send gives the offset; poll gives {topic: [[offset, value], ...]}."""

    def send(self, topic: str, value: Any, ext: Ext = None) -> Answer[int]: ...

    def poll(self, ext: Ext = None) -> Answer[Mapping[str, Sequence[Sequence[Any]]]]: ...

    def assign(self, topics: Sequence[str], ext: Ext = None) -> Answer[Any]: ...

    def subscribe(self, topics: Sequence[str], ext: Ext = None) -> Answer[Any]: ...

    def seek(self, topic: str, offset: int, ext: Ext = None) -> Answer[Any]: ...


@runtime_checkable
class TransactionalLog(Log, Protocol):
    """A log with transactions of ["send", k, v] and ["poll"] micro-ops."""

    def log_txn(self, micro_ops: Sequence[MicroOp], ext: Ext = None) -> Answer[Any]: ...


@runtime_checkable
class Watch(Protocol):
    """A stream of events {revision, key, kind, value, prev} from a revision on."""

    def watch(self, prefix: str, from_revision: int, ext: Ext = None) -> AsyncIterator[Mapping[str, Any]]: ...


@runtime_checkable
class UniqueIds(Protocol):
    """Ids that no one gets twice."""

    def next_id(self, ext: Ext = None) -> Answer[Any]: ...


@runtime_checkable
class Replica(Protocol):
    """What this one node holds, with no coordination: key -> value (JSON)."""

    def dump(self, prefix: str = "", ext: Ext = None) -> Answer[Mapping[str, Any]]: ...


CAPABILITIES: Mapping[str, type] = {
    "Register": Register,
    "CasRegister": CasRegister,
    "Transactions": Transactions,
    "InteractiveTransactions": InteractiveTransactions,
    "Set": Set,
    "RemovableSet": RemovableSet,
    "Queue": Queue,
    "AckQueue": AckQueue,
    "Counter": Counter,
    "Lock": Lock,
    "Log": Log,
    "TransactionalLog": TransactionalLog,
    "Watch": Watch,
    "UniqueIds": UniqueIds,
    "Replica": Replica,
}


def missing(client: type, capability: type) -> list[str]:
    """Methods of `capability` that the client class lacks; empty if it has the capability."""
    wanted = [name for name in dir(capability) if not name.startswith("_")]
    return [name for name in wanted if not callable(getattr(client, name, None))]
