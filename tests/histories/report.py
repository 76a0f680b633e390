"""What rounds came to, in figures."""

import collections

from history import History


class Figures:
    """Adds rounds up."""

    def __init__(self):
        self.rounds = 0
        self.calls = 0
        self.kills = 0
        self.stops = 0
        self.faults = 0
        self.effects = 0
        self.violations = 0
        self.answers = collections.Counter()

    def add(self, round_, violations: list) -> None:
        self.rounds += 1
        self.calls += len(round_.history.operations)
        self.kills += round_.kills
        self.stops += round_.stops
        self.faults += sum(round_.faults.values())
        self.effects += round_.effects
        self.violations += len(violations)
        self.answers.update(answers_in(round_.history))

    def __str__(self) -> str:
        return (f"{self.rounds} rounds, {self.calls} calls, {self.faults} faults, {self.kills} kills, "
                f"{self.stops} stops, {self.effects} effects, {self.violations} violations")


def answers_in(history: History) -> collections.Counter:
    """How often each answer was given to each kind of call, and which methods were executed."""
    answers = collections.Counter(f"{operation.action}: {operation.reason or operation.answer}"
                                  for operation in history.operations)
    answers.update(f"executed: {operation.parameters.split()[0]}" for operation in history.operations
                   if operation.answer in ("executed", "unprotected"))
    return answers


def as_lines(answers: collections.Counter) -> str:
    return "\n".join(f"  {count:8} {answer}" for answer, count in sorted(answers.items()))
