"""The figures of launches, what the compute service costs: Hapax in pairs with the echo."""

from context import Context
from pairs import measure_pairs
from systems import FIGURES, Echo, Hapax

IN_FLIGHT = (1, 64, 256)
# The outcome that Hapax must report for each call; otherwise the figure is invalid.
OUTCOMES = {"first_execution": "executed", "replay": "replayed", "unprotected": "unprotected", "read": ""}
QUICK_FIGURES = ("first_execution", "replay")


def run(context: Context) -> dict:
    """List `figures`, of Hapax and of the echo beside it."""
    rows = []
    named = context.only & set(FIGURES)
    for figure in FIGURES:
        if figure not in (named or (QUICK_FIGURES if context.quick else FIGURES)):
            continue
        # Each starts with an empty database.
        with context.started_system(Echo(context.build)) as echo, \
                context.started_system(Hapax(context.build)) as running:
            for in_flight in IN_FLIGHT:
                rows += measure_row(context, "hapax", figure, in_flight, echo, running)
    return {"figures": rows}


def measure_row(context: Context, name: str, figure: str, in_flight: int, echo, running, beside=None) -> list:
    """The row of a system; if that is Hapax, also the echo's own beside it. `beside` as in measure_pairs."""
    row = {"figure": figure, "system": name, "in_flight": in_flight,
           **measure_pairs(context, echo, running, figure, in_flight=in_flight, beside=beside,
                           outcome=OUTCOMES[figure] if name == "hapax" else "")}
    context.say(f"{running.mutation}, {name} {figure}, {in_flight} in flight: {row['rps']:,.0f}/s, "
                f"{row['ratio_to_echo']:.2f} of the echo ({row['ratio_min']:.2f} to {row['ratio_max']:.2f}), "
                f"p50 {row['p50_us']:,.0f} us, p99 {row['p99_us']:,.0f} us, server CPU "
                f"{row['server_cpu_us_per_call']:.1f} us a call (echo {row['echo_cpu_us_per_call']:.1f})")
    return [row, _echo_row(row)] if name == "hapax" else [row]


def _echo_row(row: dict) -> dict:
    """The echo's own row, measured beside Hapax."""
    echo = {"figure": row["figure"], "system": "echo", "in_flight": row["in_flight"],
            "ratio_to_echo": 1, "ratio_min": 1, "ratio_max": 1, "repeats": row["repeats"]}
    for key in ("rps", "p50_us", "p99_us", "p999_us", "cpu_us_per_call", "reply_bytes"):
        echo["server_" + key if key.startswith("cpu") else key] = row["echo_" + key]
    echo["echo_cpu_us_per_call"] = row["echo_cpu_us_per_call"]
    return echo
