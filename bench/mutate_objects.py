"""Mutation score of the tests of the general models: break the checker in small ways, one at a time, and see the tests fail.

bench/mutate_objects.py        some minutes; works on a copy, exit 0 if no mutant survives
"""

from __future__ import annotations

import sys

from mutation import score

TESTS = ["tests/checkers/test_objects_random.py", "tests/checkers/test_objects.py"]
# file, text, what it becomes
MUTANTS = [
    ("search.py", "if after:\n                    fitting |= other", "fitting |= other"),
    ("search.py", "if mask & self.bit:\n            self.supply.keep(self.there", "if True:\n            self.supply.keep(self.there"),
    ("search.py", "if not left[kind] or self.equal[kind] & ~mask:", "if self.equal[kind] & ~mask:"),
    ("search.py", "self._enter(next_, mask, used + self.supply.one[kind])", "self._enter(next_, mask, used)"),
    ("search.py", "if used not in reached[state, mask]:", "if used in reached[state, mask]:"),
    ("search.py", "near = [op for op in others if not commute(act, op.act)]", "near = []"),
    ("search.py", "found = [kind for kind in kinds if not commute(act, acts[kind])]", "found = []"),
    ("search.py", "if op.crashed and not machine.is_read[acts[at]]}", "if op.crashed}"),
    ("search.py", "if not op.crashed or at in crashed", "if not op.crashed and at in crashed"),
    ("search.py", "if stuck is None or not narrow.cut:", "if True:"),
    ("search.py", "if stuck is not None:\n                        return stuck", "return stuck"),
    ("search.py", "if self.left < 0:", "if False:"),
    ("search.py", "            del self.open[bit]\n", ""),
    ("search.py", "while first < len(events) and events[first][0] <= begin:", "while False:"),
    ("search.py", "if self.task.live[at].call in start.acted)", "if False)"),
    ("supply.py", "if (guarded - other) & guard == guard:", "if (guarded - other) & guard != guard:"),
    ("supply.py", "self.width = most.bit_length() + 1", "self.width = 1"),
    ("supply.py", "field < count for kind", "field <= count for kind"),
    ("supply.py", "            self.cut = True\n", ""),
    ("machine.py", "if self.is_read[number] and any(one != state for one in found):", "if False:"),
    ("machine.py", "if not self.model.typed and self._stamp(value) != before:", "if False:"),
    ("machine.py", "both or bool(", "True or bool("),
    ("operations.py", "if failed and f not in refusals:", "if failed and f in refusals:"),
    ("operations.py", "call.outcome in (OK, FAIL) else INFINITY", "call.outcome in (OK,) else INFINITY"),
    ("operations.py", "if freeze(same) != freeze(key):", "if False:"),
    ("fifo.py", "self.call[put] < limit:\n                return put", "True:\n                return put"),
    ("fifo.py", "limit = min(self.ret[low], now)", "limit = now"),
    ("fifo.py", "limit = min(self.ret[low], now)", "limit = self.ret[low]"),
    ("fifo.py", "if queue.value[config.first] != value:", "if False:"),
    ("fifo.py", "NONE if takes else put", "NONE"),
    ("fifo.py", "self.queue.ret[config.low] >= self.now and", "self.queue.ret[config.low] > self.now and"),
    ("fifo.py", "self.queue.ret[config.low] >= self.now and", ""),
    ("fifo.py", "if not bit and not any(other.result is None for other in self.open.values()):", "if not bit:"),
    ("fifo.py", "if used < queue.crashed:", "if True:"),
    ("fifo.py", "if used < queue.crashed:", "if False:"),
    ("fifo.py", "if self.bit or not self.nulls & ~config.mask:", "if True:"),
    ("fifo.py", "op.argument in got", "False"),
    ("window.py", "op._replace(ret=LATER) for op in operations if op.call < end", "op for op in operations if op.call < end"),
    ("window.py", "if any(self.part[op.call] is None and not self.is_read[op.call] for op in self.kept):", "if False:"),
    ("window.py", "loose = [op.call for op in self.kept if self.is_read[op.call]", "loose = [op.call for op in self.kept if True"),
    ("window.py", "after = [op for op in self.kept if op.ret > now]", "after = [op for op in self.kept if op.call > now]"),
    ("witness.py", "if len(ops) < len(quoted)", "if False"),
    ("checker.py", "if context.expected in DECIDED:", "if True:"),
    ("checker.py", "if not any(observes(operations, self.model) for operations in objects.values()):", "if False:"),
    ("models/containers.py", "crashed.f in self.puts and crashed.argument not in observed", "crashed.f in self.puts"),
    ("models/containers.py", "return crashed.f in self.takes or bool(crashed.argument == wanted.result)", "return crashed.f in self.takes"),
    ("models/containers.py", "if not self.one_end:", "if False:"),
    ("models/containers.py", "(act.f in self.takes and act.result is None)", "False"),
    ("models/counter.py", "distance * amount(crashed) > 0", "distance * amount(crashed) < 0"),
    ("models/counter.py", "return amount(act) == 0", "return True"),
    ("models/mutex.py", 'return [None] if state == who else []', "return [None]"),
    ("models/mutex.py", "return [state] if state is not None else []", "return [state]"),
    ("models/fenced_mutex.py", "act.result > last", "act.result >= last"),
    ("models/fenced_mutex.py", "last if last is None else last + 1", "last if last is None else last + 2"),
    ("models/semaphore.py", "return [state] if state < many else []", "return [state]"),
    ("models/semaphore.py", "return [state - many] if state >= many else []", "return [state - many]"),
    ("models/sets.py", "len(act.result) - 1 == len(state) and", ""),
    ("models/sets.py", 'crashed.f == "add" or ALL not in observed', "True"),
    ("models/sets.py", "return bool(crashed.argument == wanted.argument)", "return False"),
    ("models/multi_register.py", "elif seen and key in writes:", "elif False:"),
    ("models/multi_register.py", "leader[find(key)] = find(keys[0])", "pass"),
    ("models/multi_register.py", "observed.isdisjoint(", "True or ("),
    ("models/unordered_queue.py", "if any(act.f == \"dequeue\" and act.result is None for act in acts):", "if False:"),
    ("models/unordered_queue.py", 'crashed.f == "dequeue" and None not in observed', 'crashed.f == "dequeue"'),
    ("models/priority_queue.py", "for chosen in best if", "for chosen in best[:1] if"),
    ("models/register.py", "return [state] if state != old else []", "return [state]"),
    ("models/register.py", "REFUSED not in observed and", ""),
]  # fmt: skip

if __name__ == "__main__":
    sys.exit(score("objects", "objects", MUTANTS, TESTS))
