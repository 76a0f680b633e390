"""Calls through a door over HTTP: beside a bare server of that library, and the same calls by gRPC beside theirs."""

from context import Context
from figures import OUTCOMES
from pairs import measure_pairs
from systems import Echo, Ec2Door, Hapax, HttpEcho

FIGURES = ("first_execution", "replay")
IN_FLIGHT = 64


def run(context: Context) -> dict:
    """List `doors`."""
    rows = []
    for figure in FIGURES:
        for system, echo in ((Ec2Door, HttpEcho), (Hapax, Echo)):
            # Over HTTP each call in flight has a connection.
            more = {"connections": IN_FLIGHT, "outcome": OUTCOMES[figure]} if system is Hapax else {}
            with context.started_system(echo(context.build)) as bare, \
                    context.started_system(system(context.build)) as hapax:
                row = {"figure": figure, "system": system.name, "in_flight": IN_FLIGHT,
                       **measure_pairs(context, bare, hapax, figure, in_flight=IN_FLIGHT, **more)}
            context.say(f"{row['system']}, {figure}: {row['rps']:,.0f}/s, {row['ratio_to_echo']:.2f} of the echo, "
                        f"{row['server_cpu_us_per_call']:.1f} us of CPU a call")
            rows.append(row)
    return {"doors": rows}
