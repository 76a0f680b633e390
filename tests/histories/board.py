"""Which plans are at work: a few at a time, so that callers meet on them, each for a number of calls."""

import random
import threading

from changes import Changes
from history import History
from plans import Plan, Planner

ACTIVE = 6
# Of five new plans so many change what others made.
CHANGES_OF_FIVE = 2
# Calls on a plan. More make the checker's search longer: it is exponential in the calls without an answer.
CALLS_ON_A_PLAN = (4, 14)
LATE_CALLS_ON_A_PLAN = 4


class Board:
    """Thread-safe."""

    def __init__(self, planner: Planner, history: History):
        self._planner = planner
        self._history = history
        self._changes = Changes(history)
        self._lock = threading.Lock()
        self._numbers = 0
        self._by_key = {}
        self._active = []  # Pairs of a plan and the calls that are left to it.
        self._retired = []
        self.plans = []

    def draw(self, chance: random.Random) -> Plan:
        """A plan to make a call on: one at work, or now and then an older one."""
        with self._lock:
            if self._retired and chance.random() < 0.15:
                place = chance.randrange(len(self._retired))
                return self._use(self._retired, place)
            while len(self._active) < ACTIVE:
                self._begin(chance)
            return self._use(self._active, chance.randrange(ACTIVE))

    def _use(self, pile: list, place: int) -> Plan:
        plan, left = pile[place]
        if left > 1:
            pile[place] = (plan, left - 1)
            return plan
        pile[place] = pile[-1]
        pile.pop()
        if pile is self._active and plan.key.token:
            self._retired.append((plan, LATE_CALLS_ON_A_PLAN))
        return plan

    def _begin(self, chance: random.Random) -> None:
        change = self._changes.next() if self._numbers % 5 < CHANGES_OF_FIVE else None
        plan = self._planner.plan(self._numbers, change)
        self._numbers += 1
        key = plan.key
        scope = (key.tenant, key.region, key.zone, key.token)
        if key.token and scope in self._by_key:
            return  # A neighbour's token in the neighbour's scope: no key of its own.
        self._by_key[scope] = plan
        self._history.add_key(key)
        self.plans.append(plan)
        self._active.append((plan, chance.randint(*CALLS_ON_A_PLAN) if key.token else 1))
