"""Mutation score of the rw-register checker's tests: break the checker in small ways, one at a time, and see the tests fail.

bench/mutate_rw_register.py        some minutes; works on a copy, exit 0 if no mutant survives
"""

from __future__ import annotations

import os
import sys

from mutation import score

RULES = ["tests/checkers/test_rw_register.py", "tests/checkers/test_rw_register_random.py"]
ROADS = ["tests/checkers/test_rw_register_serial.py"]
LOOPS = ("executing", "windows", "serial_order", "kernels")
# file of checkers/, text, what it becomes
MUTANTS = [
    ("rw_register/versions.py", "if mop.key in last:", "if False:"),
    ("rw_register/versions.py", "before is not None or mop.value is None", "before is not None"),
    ("rw_register/versions.py", "write.txn.outcome == INFO and", "write.txn.outcome != OK and"),
    ("rw_register/versions.py", "if write is not None and write.txn is txn:", "if False:"),
    ("rw_register/versions.py", "self.readings.sort(", "sorted(self.readings, "),
    ("rw_register/versions.py", "return UNSEEN if mop.kind == WRITE else mop.value", "return mop.value"),
    ("rw_register/versions.py", "write.final and committed[write.txn.number]]", "committed[write.txn.number]]"),
    ("rw_register/versions.py", "if write is not None and write.final and committed[write.txn.number] else None",
     "if write is not None else None"),
    ("rw_register/phenomena.py", "known[mop.key] = mop.value", "known.setdefault(mop.key, mop.value)"),
    ("rw_register/phenomena.py", "reversed(txn.mops)", "txn.mops"),
    ("rw_register/phenomena.py", "write.txn.outcome != FAIL and write.final", "write.txn.outcome != FAIL"),
    ("rw_register/phenomena.py", "if len(updates) > 1:", "if len(updates) > 2:"),
    ("rw_register/phenomena.py", "external_read(txn, key.name) == value and", ""),
    ("rw_register/phenomena.py", "if versions.committed[txn.number]:", "if txn.outcome == 'ok':"),
    ("rw_register/orders.py", "if claim.after is None:\n            return [claim]", "if False:\n            return [claim]"),
    ("rw_register/orders.py", "newest = [before for before in newest if before.ret > txn.call]", "newest = []"),
    ("rw_register/orders.py", "if first.process != second.process:", "if first.process == second.process:"),
    ("rw_register/orders.py", "if version[1].outcome == OK:\n            last = version", "last = version"),
    ("rw_register/orders.py", "version(written if read is UNSEEN else read)", "version(written)"),
    ("rw_register/orders.py", "version(read if written is UNSEEN else written)", "version(read)"),
    ("rw_register/orders.py", "if target.first != one.last:", "if True:"),
    ("rw_register/orders.py", "if target.txn.call > least:\n                break", "break"),
    ("rw_register/orders.py", "if one.first is not UNSEEN and one.first", "if False and one.first"),
    ("rw_register/orders.py", "return NEVER if txn.outcome != OK else", "return"),
    ("rw_register/orders.py", "txn.call if source == SEQUENTIAL else txn.ret", "txn.ret"),
    ("rw_register/complete.py", "if not _keeps(CAUSAL, assumed):", "if False:"),
    ("rw_register/checker.py", "BY_CYCLES - OF_REAL_TIME if by_sessions", "BY_CYCLES if by_sessions"),
    ("rw_register/orders.py", "if contradiction is None:\n            kept = together", "if True:\n            kept = together"),
    ("rw_register/dependencies.py", "if edge[2].kind == RW", "if edge[2].kind == WW"),
    ("rw_register/dependencies.py", "_add(process, _replaced(versions, key, of_each_process(key)))", "pass"),
    ("rw_register/dependencies.py", "_add(process, _replaced(versions, key, of_each_process(key)))",
     "_add(always, _replaced(versions, key, of_each_process(key)))"),
    ("rw_register/dependencies.py", "_add(realtime, _replaced(versions, key, in_real_time(key)))", "pass"),
    ("rw_register/dependencies.py", "_add(realtime, _replaced(versions, key, in_real_time(key)))",
     "_add(always, _replaced(versions, key, in_real_time(key)))"),
    ("rw_register/dependencies.py", "_add(realtime, _replaced(versions, key, in_real_time(key)))",
     "_add(process, _replaced(versions, key, in_real_time(key)))"),
    ("rw_register/dependencies.py", "if value not in later]", "if value in later]"),
    ("rw_register/dependencies.py", "if known is None or why.kind < known.kind:\n                edges",
     "if known is None or why.kind > known.kind:\n                edges"),
    ("rw_register/dependencies.py", "if first.number != second.number:", "if True:"),
    ("rw_register/fractured.py", "over_null = over_null or _over_null(sight, reader, key, own[key])", "pass"),
    ("rw_register/fractured.py", "order.setdefault((sight.writer.number, write.txn.number), demand)", "pass"),
    ("rw_register/fractured.py", "order.setdefault((sight.writer.number, write.txn.number), demand)",
     "order.setdefault((write.txn.number, sight.writer.number), demand)"),
    ("rw_register/fractured.py", "if why.kind != RW}", "if why.kind == RW}"),
    ("rw_register/fractured.py", "if any(isinstance(why, Demand) for _, why, _ in proved):", "if True:"),
    ("rw_register/search.py", "with_real_time(txns, nodes, [*found.realtime, *lines])",
     "with_real_time(txns, nodes, [*found.always, *lines])"),
    ("rw_register/search.py", "widened if realtime is process else", "widened if True else"),
    ("rw_register/complete.py", "if judgement.broken is not None:", "if judgement.broken is None:"),
    ("rw_register/complete.py", "if told and not _causal_with(txns):", "if False:"),
    ("rw_register/complete.py", "frozenset(one for one in held if _keeps(one, assumed))", "held"),
    ("rw_register/complete.py", "wanted = [expected] if expected not in violated else []", "wanted = []"),
    ("rw_register/checker.py", 'if by_sessions:\n        txns = [txn._replace(ret=NEVER) for txn in txns]', "pass"),
    ("rw_register/checker.py", "if not by_sessions and has_serial_order(txns):", "if has_serial_order(txns):"),
    ("rw_register/checker.py", "frozenset(settled.holds), settled.undecided or reason)",
     "BY_CYCLES | settled.holds, settled.undecided or reason)"),
    ("rw_register/executing.py", "if moment >= ret[txn] or done[txn]:", "if done[txn]:"),
    ("rw_register/executing.py", "if now[key[read[at]]] != read[at]:\n                return False", "pass"),
    ("rw_register/executing.py", "if not done[txn]:\n            return False", "pass"),
    ("rw_register/executing.py", "and call[needed] < moment:", "and call[needed] > moment:"),
    ("rw_register/executing.py", "if other != txn and state[other] != 2:\n                return other, there", "pass"),
    ("rw_register/executing.py", "return notes + 1, place[late]", "return notes, place[late]"),
    ("rw_register/executing.py", "now[name] = was[at]\n        head", "now[name] = now[name]\n        head"),
    ("rw_register/windows.py", "or first[earlier] >= last[later]:\n                continue\n            if last",
     "and False:\n                continue\n            if last"),
    ("rw_register/windows.py", "if high[txn] < high[before]:", "if high[txn] > high[before]:"),
    ("rw_register/serial_order.py", "if state[mop.key] != mop.value:\n                    return None", "pass"),
    ("rw_register/serial_order.py", "not final[version] or writers[version] is txn or", "writers[version] is txn or"),
    ("rw_register/serial_order.py", "if mop.value is None or (mop.key, mop.value) in numbers:", "if mop.value is None:"),
    ("rw_register/kernels.py", "if state[name] != held:\n                        return False", "pass"),
    ("rw_register/kernels.py", "if table[place] >= 0 or value[at] == null:", "if value[at] == null:"),
    ("rw_register/kernels.py", "not final[version] or of_txn[version] == txn or", "of_txn[version] == txn or"),
    ("rw_register/proof.py", 'over_null or ("demand" in kinds', 'True or ("demand" in kinds'),
    ("transactions/cycles.py", 'realtime is not process and not any(other + "-process" in found for other in FAMILY[base])',
     "realtime is not process"),
    ("transactions/cycles.py", "known if path is None or (known is not None and len(known) < len(path)) else path", "path"),
    ("transactions/region.py", "if row[PROCESS] >= 0 and self.certain[vertex]:", "if row[PROCESS] >= 0:"),
    ("transactions/composition.py", "True if expected in implied(holding) else", "True if True else"),
    ("transactions/composition.py", ".union(*(anomaly.rules_out for anomaly in anomalies))", ""),
    ("transactions/proof.py", 'orders = {*kinds, *(edge.get("by") for edge in edges)}', "orders = {*kinds}"),
]  # fmt: skip

if __name__ == "__main__":
    roads = [mutant for mutant in MUTANTS if mutant[0].removeprefix("rw_register/").removesuffix(".py") in LOOPS]
    survived = score("rw-register, rules", "", [mutant for mutant in MUTANTS if mutant not in roads], RULES)
    os.environ["NUMBA_DISABLE_JIT"] = "1"  # compiling each mutant would take most of the time
    sys.exit(max(survived, score("rw-register, roads", "", roads, ROADS)))
