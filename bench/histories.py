"""Large histories for measurements, as the peers' figures were made: many clients that overlap, a few hot keys, some failures.

    write_txns(path, kind, count)      lists ("append") or registers ("rw"); 20 clients, 10 live keys picked with falling probability, 32
                                       writes a key, 1 to 4 micro-ops, 2 % fail, 0.2 % of unknown outcome; strictly serializable, or with
                                       snapshot isolation's write skew, or with stale reads
    write_kv(path, count, keys)        independent registers, unique values, as [key, value]
    write_plume(path, count)           register transactions of 20 sessions as r(k,v,session,txn) lines
    write_cobra(folder, kind, count)   logs of a bank-like or order-like workload in Cobra's records

The same arguments give the same bytes. Formats: jsonl with six fields a line, or edn as Jepsen writes it.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Event = tuple[str, int, list[list[Any]]]  # type, process, micro-ops


def transactions(
    kind: str, count: int, clients: int = 20, live: int = 10, most: int = 32, anomaly: str = "", rate: float = 0.0, seed: int = 1
) -> Iterator[Event]:
    """Invocations and completions in order; each transaction acts at one moment between its two events."""
    rng = random.Random(seed)
    write = "append" if kind == "append" else "w"
    active, next_key, writes = list(range(live)), live, dict[int, int]()
    store: dict[int, Any] = {}
    processes, next_process = list(range(clients)), clients
    state: list[Any] = [None] * clients

    def drawn() -> list[list[Any]]:
        nonlocal next_key
        mops: list[list[Any]] = []
        for _ in range(rng.randint(1, 4)):
            at = 0
            while at < live - 1 and rng.random() < 0.5:
                at += 1
            key = active[at]
            if rng.random() < 0.5:
                mops.append(["r", key, None])
                continue
            if writes.get(key, 0) >= most:
                key = active[at] = next_key
                next_key += 1
            writes[key] = writes.get(key, 0) + 1
            mops.append([write, key, writes[key]])
        return mops

    def acted(mops: list[list[Any]], seen: dict[int, Any] | None) -> list[list[Any]]:
        done, own = [], dict[int, Any]()
        stale = anomaly == "stale" and rng.random() < rate
        for f, key, value in mops:
            if f == "r":
                now = own.get(key, (seen if seen is not None else store).get(key))
                if stale and key not in own and now:
                    now = (now[:-1] if kind == "append" else now - 1) or None
                done.append(["r", key, now])
                continue
            own[key] = [*(own.get(key, (seen if seen is not None else store).get(key)) or []), value] if kind == "append" else value
            done.append([f, key, value])
        store.update(own)
        return done

    started = running = 0
    while started < count or running:
        client = rng.randrange(clients)
        call = state[client]
        if call is None:
            if started < count:
                started, running = started + 1, running + 1
                mops = drawn()
                yield "invoke", processes[client], mops
                seen = {key: store.get(key) for _, key, _ in mops} if anomaly == "si" else None
                state[client] = (mops, seen, "")
        elif not call[2]:
            mops, seen, _ = call
            fate = rng.choices(("ok", "fail", "info"), (0.978, 0.02, 0.002))[0]
            lost = seen is not None and any(f != "r" and seen[key] != store.get(key) for f, key, _ in mops)
            if fate == "fail" or lost or (fate == "info" and rng.random() < 0.5):
                state[client] = (mops, seen, "fail" if lost else fate)
            else:
                done = acted(mops, seen)
                state[client] = (done if fate == "ok" else mops, seen, fate)
        else:
            yield call[2], processes[client], call[0]
            running -= 1
            state[client] = None
            if call[2] == "info":
                processes[client], next_process = next_process, next_process + 1


def write_txns(path: Path, kind: str, count: int, format: str = "jsonl", **options: Any) -> None:
    """A file of transactions; options as for `transactions`."""
    with path.open("w", buffering=1 << 20) as file:
        for index, (type_, process, mops) in enumerate(transactions(kind, count, **options)):
            file.write(_line(format, index, type_, process, "txn", _mops(mops, format)))


def _line(format: str, index: int, type_: str, process: int, f: str, value: str) -> str:
    if format == "edn":
        return f"{{:index {index}, :time {index * 1000}, :type :{type_}, :process {process}, :f :{f}, :value {value}}}\n"
    return f'{{"index":{index},"time":{index * 1000},"process":{process},"type":"{type_}","f":"{f}","value":{value}}}\n'


def _mops(mops: list[list[Any]], format: str) -> str:
    between, nil = (" ", "nil") if format == "edn" else (",", "null")
    texts = []
    for f, key, value in mops:
        name = f":{f}" if format == "edn" else f'"{f}"'
        shown = nil if value is None else f"[{between.join(map(str, value))}]" if isinstance(value, list) else str(value)
        texts.append(f"[{name}{between}{key}{between}{shown}]")
    return f"[{between.join(texts)}]"


def write_kv(path: Path, count: int, keys: int, clients: int = 20, format: str = "jsonl", seed: int = 1) -> None:
    """Reads and writes of many registers, linearizable."""
    rng = random.Random(seed)
    store: dict[int, int] = {}
    state: list[Any] = [None] * clients
    started = running = index = written = 0
    between, nil = (" ", "nil") if format == "edn" else (",", "null")
    with path.open("w", buffering=1 << 20) as file:
        while started < count or running:
            client = rng.randrange(clients)
            call = state[client]
            if call is not None and not call[3]:
                f, key, value, _ = call
                if f == "write":
                    store[key] = value
                state[client] = (f, key, store.get(key), True)
                continue
            if call is None:
                if started == count:
                    continue
                started, running = started + 1, running + 1
                f, key, value = "read", rng.randrange(keys), None
                if rng.random() < 0.5:
                    written += 1
                    f, value = "write", written
                state[client], type_ = (f, key, value, False), "invoke"
            else:
                f, key, value, _ = call
                state[client], type_, running = None, "ok", running - 1
            file.write(_line(format, index, type_, client, f, f"[{key}{between}{nil if value is None else value}]"))
            index += 1


def write_plume(path: Path, count: int, clients: int = 20, seed: int = 1) -> None:
    """Committed transactions of registers alone, a session each client; values unique per key, an initial transaction writes 0."""
    logs: dict[int, list[list[list[Any]]]] = {}
    client = list(range(clients))  # of each process; one of unknown outcome is followed by the next number
    for type_, process, mops in transactions("rw", count, clients, seed=seed):
        if type_ == "ok":
            logs.setdefault(client[process], []).append(mops)
        elif type_ == "info":
            client.append(client[process])
    keys = sorted({key for log in logs.values() for mops in log for _, key, _ in mops})
    written = {(key, value) for log in logs.values() for mops in log for f, key, value in mops if f == "w"}
    number = 1
    with path.open("w", buffering=1 << 20) as file:
        file.writelines(f"w({key},0,0,0)\n" for key in keys)
        for session, log in enumerate(logs.values(), 1):
            for mops in log:  # what a transaction of unknown outcome wrote is left out with those who read it
                kept = [mop for mop in mops if mop[0] == "w" or not mop[2] or (mop[1], mop[2]) in written]
                file.writelines(f"{f}({key},{value or 0},{session},{number})\n" for f, key, value in kept)
                number += bool(kept)


def write_cobra(folder: Path, count: int, sessions: int = 24, keys: int = 0, seed: int = 1) -> None:
    """Logs like those of an order-entry benchmark: each transaction reads and rewrites a district's counter, stock, and new rows."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    districts, stock = 40, keys or 4000
    store: dict[int, tuple[int, int]] = {}  # key -> (txn, write id)
    logs = [bytearray() for _ in range(sessions)]
    writes = 0
    for txn in range(1, count + 1):
        log = logs[rng.randrange(sessions)]
        log += b"S" + struct.pack(">Q", txn)
        read = [rng.randrange(districts), *(districts + rng.randrange(stock) for _ in range(rng.randint(2, 6)))]
        changed = read if rng.random() < 0.55 else []
        for key in dict.fromkeys(read):
            writer, write_id = store.get(key, (0xBEBEEBEE, 0xBEBEEBEE))
            log += b"R" + struct.pack(">QQQQ", writer, write_id, key, write_id)
        new = [districts + stock + txn] if changed else []
        for key in [*dict.fromkeys(changed), *new]:
            writes += 1
            store[key] = (txn, writes)
            log += b"W" + struct.pack(">QQQ", writes, key, writes)
        log += b"C" + struct.pack(">Q", txn)
    for number, log in enumerate(logs):
        (folder / f"T{number}.log").write_bytes(log)
