"""A model of our own: three tickets. `take` gives one that nobody has (null: there is none), `give` brings one back.

splitbrain check history.jsonl --as examples/tickets.py:Tickets
"""


class Tickets:
    """The state is the tickets that nobody has."""

    initial = (1, 2, 3)
    fs = ("take", "give")

    def step(self, free, act):
        if act.f == "give":
            return [] if act.argument in free else [tuple(sorted((*free, act.argument)))]
        if not free:
            return [free] if act.answers(None) else []
        return [tuple(other for other in free if other != ticket) for ticket in free if act.answers(ticket)]
