"""Rw-register: do the values that transactions read and wrote show an order that the promised model allows?

Decides    which of Elle's anomalies a history of registers has, and fractured reads, each by exact rules, hence which models it breaks; and
           whether the promised model holds: completely for read committed, read atomic, causal, snapshot isolation, serializability.
Right      an anomaly is a contradiction in what was observed, so it is never false: orders.py says what each claim about versions rests on.
           Valid is said of an order of transactions that was executed (serial_order.py), or by a complete search (complete.py).
Unknown    a value written twice to a key, where the complete searches say no more; no read that succeeded; a model between those decided.
Rules out  per anomaly: checkers/data/models.tsv.
Source     Kingsbury & Alvaro, Elle, PVLDB 2020; where we differ from Elle: orders.py (claims that need no assumption), versions.py (unknown
           writers that were observed), phenomena.py (future-read, garbage-read, dirty-update).
"""

from checkers.rw_register.checker import RwRegister
from checkers.rw_register.proof import verify_witness

__all__ = ["RwRegister", "verify_witness"]
