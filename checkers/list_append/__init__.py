"""List-append: do the lists that transactions read and append to show an order that the promised model allows?

Decides    which of Elle's anomalies a history has, each by exact rules (phenomena.py, cycles.py), hence which models it breaks.
Right      a list that was read names every version before it, so the order of versions is observed, not guessed; a model is broken
           exactly if a cycle that it forbids exists (Adya 1999), and existence is reachability in the component: no clock, no sampling.
Unknown    an element appended twice to a key; no read that succeeded; a model about which transactions of lists say nothing; a snapshot
           model that hangs on the order of appends that nobody read (unordered.py).
Rules out  per anomaly: checkers/data/models.tsv. What still holds is said only of models whose every promise these rules decide.
Source     Kingsbury & Alvaro, Elle, PVLDB 2020; where we differ from Elle: versions.py (never-read appends, unknown writers), region.py.
"""

from checkers.list_append.checker import ListAppend
from checkers.list_append.proof import verify_witness

__all__ = ["ListAppend", "verify_witness"]
