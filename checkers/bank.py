"""Bank: money is moved between accounts, never made or lost.

Decides    for each read of all accounts that succeeded, the first that applies: an account that there is not (`unexpected-key`),
           one without a balance (`nil-balance`), another total than there is money (`wrong-total`), a debt (`negative-value`).
Right      a transfer keeps the total, so every state of the bank has it. Where no total is given, two reads with different totals are wrong
           together, whatever the true one is: reads are compared with the first one.
Unknown    no read that succeeded.
Rules out  consistent-view (PL-2+) and parallel snapshot isolation, hence snapshot isolation and all above: a wrong total, or a debt that
           a transfer's own check must have prevented, needs a read skew or a lost update. Unknown accounts and absent balances break any.
Source     Jepsen's bank; semantics.md 10.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import Any, ClassVar

from checkers.acts import Act, acts, strange
from checkers.findings import Findings
from harness.checker import CheckContext
from harness.errors import UsageError
from harness.history.history import History
from harness.verdict import Anomaly, Verdict

UNEXPECTED, NIL, TOTAL, NEGATIVE = "unexpected-key", "nil-balance", "wrong-total", "negative-value"
SEVERITY = (UNEXPECTED, NIL, TOTAL, NEGATIVE)
SKEW = ("consistent-view", "parallel-snapshot-isolation")
RULES_OUT: dict[str, Sequence[str]] = {UNEXPECTED: (), NIL: (), TOTAL: SKEW, NEGATIVE: SKEW}


class Bank:
    """Judges `transfer {from, to, amount}` and `read`, which gives {account: balance}."""

    name: ClassVar[str] = "bank"
    options: ClassVar[dict[str, str]] = {
        "total": "how much money there is (without it, reads are compared with the first one)",
        "accounts": "the names of all accounts (without them, every account is expected)",
        "negative": "true if a balance may be negative",
    }

    def __init__(self, total: int | None = None, accounts: Sequence[Any] | None = None, negative: bool = False) -> None:
        if total is not None and type(total) is not int:
            raise UsageError(f"the bank's total is {total!r}, not a whole number", way_out="give it as -o total=100")
        if accounts is not None and not isinstance(accounts, list | tuple):
            raise UsageError(f"the bank's accounts are {accounts!r}, not a list", way_out='give them as -o accounts=[0,1,2] or ["a","b"]')
        if type(negative) is not bool:
            raise UsageError(f"negative is {negative!r}", way_out="give -o negative=true or -o negative=false")
        self.total, self.negative = total, negative
        self.accounts = None if accounts is None else frozenset(map(str, accounts))

    def check(self, history: History, context: CheckContext) -> Verdict:
        """Facts: {"reads", "transfers": {outcome: n}, "total", "lowest_total", "highest_total", type of anomaly: {"count", "first",
        "worst", "last": ops}}. Worst: most keys, most nils, furthest total, deepest debt. counts: reads."""
        outcomes = {"ok": 0, "fail": 0, "info": 0}
        reads: list[Act] = []
        for act in acts(history):
            if act.f == "transfer":
                outcomes[act.outcome] += 1
            elif act.f != "read":
                raise strange(act, f"{act.f!r} is neither `transfer` nor `read`")
            elif act.ok:
                reads.append(_whole(act))
        reads.sort(key=lambda read: read.ret)
        whole = [read for read in reads if _total(read) is not None]
        total = self.total if self.total is not None or not whole else _total(whole[0])
        findings = Findings(context.expected, SEVERITY)
        worst: dict[str, list[tuple[float, Act]]] = {}
        for read in reads:
            if (found := first_wrong(read, self.accounts, total, self.negative)) is not None:
                type_, how_bad = found
                worst.setdefault(type_, []).append((how_bad, read))
                reference = whole[0] if self.total is None and whole else None
                findings.add(type_, RULES_OUT[type_], partial(self._tell, type_, read, total, reference))
        totals = [sum(read.given.values()) for read in whole]
        facts: dict[str, Any] = {"reads": len(reads), "transfers": outcomes, "total": total}
        if totals:
            facts.update(lowest_total=min(totals), highest_total=max(totals))
        for type_ in SEVERITY:
            if bad := worst.get(type_):
                deepest = max(bad, key=lambda pair: pair[0])[1]
                facts[type_] = {"count": len(bad), "first": bad[0][1].ret, "worst": deepest.ret, "last": bad[-1][1].ret}
        said = "" if self.total is not None else f"no total was given: reads were compared with the first one's, {total}"
        return findings.verdict(facts, "" if reads else "no read of the accounts succeeded", said if reads else "")

    def _tell(self, type_: str, read: Act, total: int | None, reference: Act | None) -> Anomaly:
        ops, witness = list(read.ops), {"read": read.call, "balances": read.given, "negative": self.negative}
        if type_ == UNEXPECTED:
            what = f"has {_listed(_unexpected(read, self.accounts or frozenset()))}, which the bank does not have"
            witness["accounts"] = sorted(self.accounts or ())
        elif type_ == NIL:
            what = f"has no balance for {_listed(_nils(read))}"
        elif type_ == TOTAL:
            what = f"has {_total(read)} in all, but there is {total}"
            witness["total"] = total
            if reference is not None:
                what = f"has {_total(read)} in all, but read #{reference.call}{reference.place} had {total}, and transfers keep the total"
                witness["reference"] = reference.call
                ops += reference.ops
        else:
            what = f"has a debt: {', '.join(f'{account}: {n}' for account, n in read.given.items() if n < 0)}"
        return Anomaly(type_, f"read #{read.call}{read.place} {what}", sorted(ops), witness=witness)


def first_wrong(read: Act, accounts: frozenset[str] | None, total: int | None, negative: bool) -> tuple[str, float] | None:
    """The first rule that the read breaks, with how badly; None if it breaks none."""
    if accounts is not None and (unexpected := _unexpected(read, accounts)):
        return UNEXPECTED, len(unexpected)
    if nils := _nils(read):
        return NIL, len(nils)
    found = _total(read)
    if found != total and found is not None and total is not None:
        return TOTAL, abs(found - total) / (abs(total) or 1)
    debt = sum(n for n in read.given.values() if n < 0)
    return (NEGATIVE, -debt) if debt and not negative else None


def _whole(read: Act) -> Act:
    if not isinstance(read.given, dict):
        raise strange(read, f"a read of the bank gave {str(read.given)[:60]!r}, not a map from account to balance")
    for account, balance in read.given.items():
        if balance is not None and type(balance) is not int:
            raise strange(read, f"the balance of {account} is {str(balance)[:60]!r}, not a whole number")
    return read


def _unexpected(read: Act, accounts: Iterable[str]) -> list[str]:
    return [account for account in read.given if account not in accounts]


def _nils(read: Act) -> list[str]:
    return [account for account, balance in read.given.items() if balance is None]


def _total(read: Act) -> int | None:
    return None if _nils(read) else sum(read.given.values())


def _listed(accounts: Sequence[str]) -> str:
    return ", ".join(map(str, accounts[:8])) + (f" and {len(accounts) - 8} more" if len(accounts) > 8 else "")


def verify_witness(history: History, anomaly: Anomaly) -> bool:
    """True if the quoted read gave those balances and they break the rule."""
    given = {call.invoke.index: call.completion.value for call in history.calls() if call.outcome == "ok" and call.completion is not None}
    witness = anomaly.witness
    balances = given.get(witness["read"])
    if balances != witness["balances"] or balances is None:
        return False
    if anomaly.type == UNEXPECTED:
        return any(account not in witness["accounts"] for account in balances)
    if anomaly.type == NIL:
        return None in balances.values()
    if anomaly.type == TOTAL:
        total = sum(given[witness["reference"]].values()) if "reference" in witness else witness["total"]
        return bool(sum(balances.values()) != total)
    return min(balances.values()) < 0 and not witness["negative"]
