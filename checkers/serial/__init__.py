"""Serializability and snapshot isolation of register transactions whose version order nobody knows, complete.

Decides    whether committed transactions have an order that explains every read: one after another (serializable), or each reading a
           snapshot with no two writers of a key at once (snapshot isolation); plain, by session, or by real time.
Right      `valid` comes with an order that certificate.py executes; `invalid` with cycles, one in every version order, that proof.py
           re-checks. Values may be written more than once.
Unknown    a search that exceeds its stated budget of conflicts; no transaction that read anything.
Rules out  the model that was asked for and all above it; a weaker one where each version order's cycle breaks that too.
Source     Papadimitriou 1979 (polygraphs); Tan et al., Cobra, OSDI 2020; Huang et al., PolySI, PVLDB 2023; Zhang et al., Viper, EuroSys
           2023 (start and commit as two nodes); Eén & Sörensson 2003 (clause learning); Pearce & Kelly 2006 (order under insertion).
"""

from checkers.serial.checker import Serial
from checkers.serial.proof import verify_witness

__all__ = ["Serial", "verify_witness"]
