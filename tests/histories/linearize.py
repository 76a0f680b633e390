"""Whether operations that overlap in time can be put into one order that explains every answer (Herlihy and Wing's
linearizability), by Wing and Gong's search: who may come first, then who next. States that were reached before with the
same operations left are not tried again."""

import dataclasses

from token_model import State, TokenModel


@dataclasses.dataclass(frozen=True)
class Stuck:
    """As far as the search came: the operations of the longest order it found, the state after them, and the rest."""

    order: tuple
    state: State
    rest: tuple


def linearize(model: TokenModel, operations: list):
    """None if there is an order, else a Stuck.

    An operation with an unknown answer may be left out, and takes place until its `returned_ns` if it does."""
    return _Search(model, sorted(operations, key=lambda o: (o.returned_ns, o.invoked_ns))).run()


class _Search:
    def __init__(self, model: TokenModel, operations: list):
        self._model = model
        self._operations = operations
        self._answered = sum(1 << i for i, operation in enumerate(operations) if operation.answer != "unknown")
        self._seen = set()
        self._deepest = Stuck((), State(), tuple(operations))

    def run(self):
        todo = [((), (1 << len(self._operations)) - 1, State())]
        while todo:
            order, left, state = todo.pop()
            if not left & self._answered:
                return None
            if (left, state) in self._seen:
                continue
            self._seen.add((left, state))
            if len(order) > len(self._deepest.order):
                self._deepest = Stuck(tuple(self._operations[i] for i in order), state,
                                      tuple(self._operations[i] for i in self._indexes(left)))
            # The last that is pushed is tried first: what returned first, most likely, came first.
            for i, after in reversed(list(self._next(order, left, state))):
                todo.append(((*order, i), left & ~(1 << i), after))
        return self._deepest

    def _indexes(self, mask: int):
        return (i for i in range(len(self._operations)) if mask >> i & 1)

    def _next(self, order: tuple, left: int, state: State):
        """Who may come next, with a state after it: no one that was sent when another of the rest had its answer, or
        whose time was over before those so far were sent."""
        latest_ns = min(self._operations[i].returned_ns for i in self._indexes(left & self._answered))
        earliest_ns = max((self._operations[i].invoked_ns for i in order), default=0)
        tried = set()
        for i in self._indexes(left):
            operation = self._operations[i]
            if operation.answer == "unknown":
                # Of equal ones the first that was sent will do: it may take place whenever another may.
                alike = (operation.action, operation.parameters, operation.returned_ns)
                if alike in tried:
                    continue
                tried.add(alike)
            until_ns = min(latest_ns, operation.returned_ns)
            if max(earliest_ns, operation.invoked_ns) > until_ns:
                continue
            for after in self._model.step(state, operation, until_ns):
                yield i, after
