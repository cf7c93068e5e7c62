"""Objects of any model: is there one order of the operations that respects real time and that the model explains?

Decides    whether a history of queues, locks, sets, counters, ... or of a user's own object is linearizable.
Right      linearizability is local (Herlihy & Wing 1990, theorem 1): a history is linearizable exactly if each object's part is; each is
           decided by a complete search (search.py).
Unknown    an object whose search exceeds its budget of configurations; never because of a clock.
Rules out  linearizable and strict-serializable.
Source     Lowe 2017 (just-in-time search); reasons for each shortcut stand where it is taken.
"""

from checkers.objects.checker import Linearizable, judge_object
from checkers.objects.models import make_model
from checkers.objects.search import OutOfBudget, Stuck, search_model
from checkers.objects.witness import verify_witness

__all__ = ["Linearizable", "OutOfBudget", "Stuck", "judge_object", "make_model", "search_model", "verify_witness"]
