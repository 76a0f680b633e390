"""Latencies at a fixed rate, from the moment a call was due: those of clients that do not wait for the server."""

from context import Context
from figures import OUTCOMES
from pairs import settle
from systems import Hapax

FIGURES = ("first_execution", "replay")
# Of a closed loop's throughput.
FRACTIONS = (0.5, 0.8)
IN_FLIGHT = 64
# Calls that may wait for the server; it answers all of them in the end.
MOST_IN_FLIGHT = 2048


def run(context: Context) -> dict:
    """List `open_loop`."""
    rows = []
    for figure in FIGURES:
        with context.started_system(Hapax(context.build)) as hapax:
            capacity = context.load(hapax, figure, in_flight=IN_FLIGHT, outcome=OUTCOMES[figure])["rps"]
            for fraction in FRACTIONS:
                settle(hapax)
                found = context.load(hapax, figure, rate=round(capacity * fraction), in_flight=MOST_IN_FLIGHT,
                                     outcome=OUTCOMES[figure])
                row = {"figure": figure, "fraction": fraction, "rate": round(capacity * fraction)}
                row.update({key: found[key] for key in ("rps", "p50_us", "p99_us", "p999_us", "max_us", "late_p99_us",
                                                        "calls", "server_cpu_us_per_call", "server_cores")})
                context.say(f"open loop, {figure} at {fraction:.0%} of {capacity:,.0f}/s: p50 {row['p50_us']:,.0f} us, "
                            f"p99 {row['p99_us']:,.0f} us, p99.9 {row['p999_us']:,.0f} us")
                rows.append(row)
    return {"open_loop": rows}
