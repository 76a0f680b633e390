"""What is gone is an effect as well: that of the call which removed it."""

import collections
from typing import Iterator

from history import Effect, History, Operation
from token_model import kind_of

# What is terminated is still listed.
TERMINATED = ("SHUTTING_DOWN", "TERMINATED")


class Removals:
    """The keys of a history that remove something: that was made by a call whose answer was there before."""

    def __init__(self, history: History):
        self._makers = {}  # By id: the first operation that told of it, and the effect.
        for operation in history.operations:
            for effect in operation.effects if operation.action == "execute" else ():
                for its_id in effect.ids:
                    self._makers.setdefault(its_id, (operation, effect))
        self._keys = collections.defaultdict(list)
        for key in history.keys.values():
            if key.change:
                self._keys[key.tenant].append(key)

    def effects_in(self, listed: Operation) -> Iterator[Effect]:
        """The effects of removals, as what is not listed shows them; and those of the makers, which are no longer
        listed because of that."""
        present = {its_id for effect in listed.effects for its_id in effect.ids}
        present -= {its_id for its_id, state in listed.states if state in TERMINATED}
        for key in self._keys[listed.tenant]:
            kind = kind_of(key.change)
            if kind not in listed.kinds or kind == "operations":
                continue
            _, *ids = key.change.split()
            operation, made = self._makers[ids[0]]
            gone = [its_id for its_id in ids if its_id not in present]
            if not gone or operation.returned_ns > listed.invoked_ns:
                continue
            yield Effect(key.name, (key.change,), key.change if gone == ids else f"{key.change}, but only {gone}")
            if kind != "terminations":
                yield made
