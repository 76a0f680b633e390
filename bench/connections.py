"""Many clients with one call each, instead of one with many calls."""

from context import Context
from figures import OUTCOMES
from pairs import measure_pairs
from systems import Echo, Hapax

CONNECTIONS = 1000
FIGURES = ("first_execution", "replay")
# The load opens all connections before its first call.
FLAGS = (f"--max_stranger_connections={CONNECTIONS}",)


def run(context: Context) -> dict:
    """List `connections`."""
    rows = []
    for figure in FIGURES:
        with context.started_system(Echo(context.build)) as echo, \
                context.started_system(Hapax(context.build, *FLAGS)) as hapax:
            row = {"figure": figure, "connections": CONNECTIONS,
                   **measure_pairs(context, echo, hapax, figure, in_flight=CONNECTIONS, connections=CONNECTIONS,
                                   outcome=OUTCOMES[figure])}
        context.say(f"{CONNECTIONS} connections, {figure}: {row['rps']:,.0f}/s, {row['ratio_to_echo']:.2f} of the echo")
        rows.append(row)
    return {"connections": rows}
