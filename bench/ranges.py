"""Medians with the least and the greatest of the repeats."""

import statistics
from typing import Callable, NamedTuple, Optional


class Range(NamedTuple):
    value: float
    low: float
    high: float

    def over(self, other: "Range") -> "Range":
        """The quotient of two that were measured apart: its range is the widest possible."""
        return Range(self.value / other.value, self.low / other.high, self.high / other.low)

    def times(self, factor: float) -> "Range":
        return Range(*(part * factor for part in self))


def exactly(value: float) -> Range:
    """A value that was measured once."""
    return Range(value, value, value)


def of(values: list) -> Range:
    return Range(statistics.median(values), min(values), max(values))


def of_pairs(row: dict, pick: Callable[[dict], float]) -> Optional[Range]:
    """What `pick` makes of each pair of a row; None if the row does not list its pairs, or has none to pick from."""
    try:
        values = [pick(pair) for pair in row.get("pairs", [])]
    except ZeroDivisionError:  # The measurement was shorter than a tick of CPU time.
        return None
    return of(values) if values else None


def throughput(row: dict) -> Range:
    """The throughput, relative to the echo's beside it."""
    return Range(row["ratio_to_echo"], row["ratio_min"], row["ratio_max"])


def cpu(row: dict) -> Optional[Range]:
    """The server's CPU time a call in microseconds."""
    return of_pairs(row, lambda pair: pair["cpu_us_per_call"]) or exactly(row["server_cpu_us_per_call"])


def cpu_in_echoes(row: dict) -> Optional[Range]:
    """The server's CPU time a call, relative to the echo's beside it."""
    found = of_pairs(row, lambda pair: pair["cpu_us_per_call"] / pair["echo_cpu_us_per_call"])
    if found or not row["echo_cpu_us_per_call"]:
        return found
    return exactly(row["server_cpu_us_per_call"] / row["echo_cpu_us_per_call"])


def latency_in_syncs(row: dict) -> Optional[Range]:
    """By how many fdatasyncs the median latency exceeds the echo's."""
    return of_pairs(row, lambda pair: (pair["p50_us"] - pair["echo_p50_us"]) / pair["fdatasync_p50_us"])
