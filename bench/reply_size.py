"""Replies of different sizes: launches of one instance and of many."""

from context import Context
from figures import OUTCOMES
from pairs import measure_pairs
from systems import Echo, Hapax

# Some 200 bytes, 4 KiB and 64 KiB.
INSTANCES = (1, 24, 378)
FIGURES = ("first_execution", "replay")
IN_FLIGHT = 64
# Fewer tokens for larger replies, so that replays and their preparation are not mostly instances.
TOKENS = {1: 10000, 24: 1000, 378: 50}


def run(context: Context) -> dict:
    """List `reply_size`."""
    rows = []
    for figure in FIGURES:
        for instances in INSTANCES[1:] if context.quick else INSTANCES:
            with context.started_system(Echo(context.build, instances)) as echo, \
                    context.started_system(Hapax(context.build)) as hapax:
                row = {"figure": figure, "instances": instances, "in_flight": IN_FLIGHT,
                       **measure_pairs(context, echo, hapax, figure, in_flight=IN_FLIGHT, instances=instances,
                                       tokens=TOKENS[instances], outcome=OUTCOMES[figure])}
            context.say(f"{row['reply_bytes']:,.0f} bytes of reply, {figure}: {row['rps']:,.0f}/s, "
                        f"{row['ratio_to_echo']:.2f} of the echo")
            rows.append(row)
    return {"reply_size": rows}
