"""How many crashed operations of each kind a configuration has used, and which of two has more left.

Why it exists  a crashed op may act at any later time or never: equal ones are one kind with a count, and who used fewer of each kind can do
               all that one who used more can.
Relies on      crashed ops never having to act.
"""

from __future__ import annotations

Table = dict[tuple[int, int], list[int]]


class Supply:
    """Uses are one integer: a field of `width` bits a kind, the highest bit of each a guard for comparing all by one subtraction."""

    def __init__(self, kinds: int, most: int, *, boundless: bool = False, beam: int = 0) -> None:
        """most: how many crashed ops there are, of all kinds. boundless: using one leaves as many. beam: keep no longer antichains."""
        self.beam, self.cut, self.boundless = beam, False, boundless
        self.available = [0] * kinds
        self.width = most.bit_length() + 1
        self.one = [0 if boundless else 1 << kind * self.width for kind in range(kinds)]
        self.guard = sum(1 << kind * self.width + self.width - 1 for kind in range(kinds))

    def left(self, used: int) -> list[bool]:
        """Of each kind, whether there is one more."""
        field = (1 << self.width) - 1
        return [(used >> kind * self.width) & field < count for kind, count in enumerate(self.available)]

    def keep(self, table: Table, key: tuple[int, int], used: int) -> bool:
        """Add to an antichain; False if something there has used no more."""
        chain = table.get(key)
        if chain is None:
            table[key] = [used]
            return True
        guard = self.guard
        guarded = used | guard  # a field's guard survives the subtraction exactly if nothing was borrowed: it was no less
        for other in chain:
            if (guarded - other) & guard == guard:
                return False
        if self.beam and len(chain) >= self.beam:
            self.cut = True
            return False
        chain[:] = [other for other in chain if ((other | guard) - used) & guard != guard]
        chain.append(used)
        return True
