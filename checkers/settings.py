"""Options that several checkers have, refused where their value means nothing.

Why it exists  an option that is silently taken for its default lets its user believe in a verdict on another question.
Relies on      nothing: each checker says which of them it takes.
"""

from __future__ import annotations

from typing import Any

from harness.errors import UsageError

MOST_BUDGET = 10**15  # compiled code counts in 64 bits
KEYED = ("auto", "tuple")
FAILED_CAS = ("nothing", "observes")


def refuse_nonsense(*, keyed: Any = "auto", failed_cas: Any = "nothing", budget: Any = 1) -> None:
    """Raise UsageError for a value that the option of this name has not."""
    if keyed not in KEYED:
        raise UsageError(f"keyed is {keyed!r}", way_out="auto: keys are found by themselves; tuple: every value is [key, value]")
    if failed_cas not in FAILED_CAS:
        way_out = "nothing: a refused cas observed nothing; observes: it found another value than its old one"
        raise UsageError(f"failed_cas is {failed_cas!r}", way_out=way_out)
    if type(budget) is not int or not 0 <= budget <= MOST_BUDGET:
        raise UsageError(f"budget is {budget!r}", way_out="give a whole number from 0 to 10^15, or leave it out")
