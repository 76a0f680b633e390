"""Two runs on the same machine: which figures left their range. Each figure is a ratio of pairs that were measured one
right after the other, so it says something about the programs even if the machine was slower in one of the runs."""

from typing import Callable, NamedTuple, Optional

import ranges
import tables
import targets
from ranges import Range

# The facts that tell machines apart.
MACHINE = ("cpu", "cores", "memory_gib", "distribution")
# What tells the rows of a list apart.
KEYS = ("figure", "system", "in_flight", "connections", "instances", "tokens", "members", "standby", "servers", "rows",
        "beside")
WORSE, BETTER = "worse", "better"


class Metric(NamedTuple):
    name: str
    lists: tuple
    # None if the row has no range.
    pick: Callable[[dict], Optional[Range]]
    more_is_better: bool


PAIRED_WITH_ECHO = ("figures", "post", "connections", "reply_size", "doors", "growth")
METRICS = (
    Metric("throughput of the echo's", PAIRED_WITH_ECHO, ranges.throughput, True),
    Metric("CPU of the echo's", PAIRED_WITH_ECHO,
           lambda row: ranges.cpu_in_echoes(row) if row.get("pairs") else None, False),
    Metric("throughput of what is beside", ("post_engines", "several_servers", "several_servers_postgres"),
           lambda row: Range(row["ratio"], row["ratio_min"], row["ratio_max"]), True),
)


class Change(NamedTuple):
    """One figure in both runs."""

    figure: str
    metric: str
    before: Range
    after: Range
    # WORSE or BETTER if the ranges have nothing in common; None if they do.
    verdict: Optional[str]


def other_machine(before: dict, machine: dict) -> Optional[str]:
    """How the machine of a run differs from this one; None if it does not."""
    found = [f"{name} {before['machine'].get(name)}, here {machine.get(name)}" for name in MACHINE
             if before["machine"].get(name) != machine.get(name)]
    return "; ".join(found) or None


def compare(before: dict, after: dict) -> list:
    """All figures that both runs have, in the order of `before`."""
    found = []
    for metric in METRICS:
        for name in metric.lists:
            rows = {_identity(row): row for row in after.get(name, [])}
            for row in before.get(name, []):
                now = rows.get(_identity(row))
                if now is None or row.get("system") == "echo":
                    continue
                old, new = metric.pick(row), metric.pick(now)
                if old and new:
                    found.append(Change(_words(name, row), metric.name, old, new, _verdict(old, new, metric)))
    return found


COLUMNS = (
    ("figure", lambda change: change.figure, "{}"),
    ("what", lambda change: change.metric, "{}"),
    ("before", lambda change: change.before.value, "{:.2f}"),
    ("min..max", lambda change: f"{change.before.low:.2f}..{change.before.high:.2f}", "{}"),
    ("now", lambda change: change.after.value, "{:.2f}"),
    ("min..max", lambda change: f"{change.after.low:.2f}..{change.after.high:.2f}", "{}"),
    ("is", lambda change: change.verdict, "{}"),
)


def text(changes: list) -> str:
    """The figures that left their range, for a terminal."""
    left = [change for change in changes if change.verdict]
    count = f"{len(left)} of {len(changes)} figures left their range"
    return f"{count}\n{tables.aligned(tables.cells(left, COLUMNS))}" if left else count


def is_worse(changes: list) -> bool:
    return any(change.verdict == WORSE for change in changes)


def _identity(row: dict) -> tuple:
    return tuple(row.get(key) for key in KEYS)


def _words(name: str, row: dict) -> str:
    part = "launch" if name == "figures" else targets.words(name)
    values = [f"{targets.words(key)} {row[key]}" if isinstance(row[key], int) else targets.words(row[key])
              for key in KEYS if key in row]
    return ", ".join([part, *values])


def _verdict(old: Range, new: Range, metric: Metric) -> Optional[str]:
    if new.low > old.high:
        return BETTER if metric.more_is_better else WORSE
    if new.high < old.low:
        return WORSE if metric.more_is_better else BETTER
    return None
