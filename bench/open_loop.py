"""Latencies at a fixed rate, from the moment a call was due: those of clients that do not wait for the server."""

import ranges
from context import Context
from figures import OUTCOMES
from pairs import settle
from systems import Hapax, Ledger

FIGURES = ("first_execution", "replay")
# Of the capacity.
FRACTIONS = (0.5, 0.8)
IN_FLIGHT = 64
# Beyond a closed loop's throughput, which finds the capacity: the open loop's generator has a thread more, on the same
# cores as the server, so the closed loop's throughput would be too much for both.
OVERLOAD = 1.5
# Calls that may wait for the server; it answers all of them in the end.
MOST_IN_FLIGHT = 2048
KEYS = ("rps", "p50_us", "p99_us", "p999_us", "max_us", "late_p99_us", "server_cpu_us_per_call", "server_cores")


def run(context: Context) -> dict:
    """List `open_loop`: the medians of some runs, and the least and the greatest p99."""
    rows = []
    for system in (Ledger, Hapax):
        for figure in FIGURES:
            with context.started_system(system(context.build)) as running:
                capacity = _capacity(context, running, figure)
                for fraction in FRACTIONS:
                    row = {"mutation": running.mutation, "figure": figure, "fraction": fraction,
                           "rate": round(capacity * fraction), **_measure(context, running, figure, capacity * fraction)}
                    context.say(f"open loop, {running.mutation}, {figure} at {fraction:.0%} of {capacity:,.0f}/s: p50 "
                                f"{row['p50_us']:,.0f} us, p99 {row['p99_us']:,.0f} us, p99.9 {row['p999_us']:,.0f} us")
                    rows.append(row)
    return {"open_loop": rows}


def _capacity(context: Context, running, figure: str) -> float:
    """The calls a second of an overloaded open loop with IN_FLIGHT in flight."""
    rate = 0
    for _ in range(2):
        settle(running)
        found = context.load(running, figure, rate=rate, in_flight=IN_FLIGHT, outcome=OUTCOMES[figure])["rps"]
        rate = round(OVERLOAD * found)
    return found


def _measure(context: Context, running, figure: str, rate: float) -> dict:
    runs = []
    for _ in range(context.repeats):
        settle(running)
        runs.append(context.load(running, figure, rate=round(rate), in_flight=MOST_IN_FLIGHT, outcome=OUTCOMES[figure]))
    row = {key: round(ranges.of([run[key] for run in runs]).value, 2) for key in KEYS}
    p99 = ranges.of([run["p99_us"] for run in runs])
    return {**row, "p99_us_min": p99.low, "p99_us_max": p99.high, "calls": sum(run["calls"] for run in runs),
            "repeats": len(runs)}
