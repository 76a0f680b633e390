"""A tenant that makes one call after another, beside one that keeps many in flight: what a flood costs the others."""

import concurrent.futures
import time

from context import Context
from figures import OUTCOMES
from pairs import settle
from systems import Hapax

FLOODS = ("first_execution", "replay")
IN_FLIGHT = (64, 256, 1024)
# The flood comes before the quiet tenant's calls, and ends after them.
MARGIN_S = 0.5


def run(context: Context) -> dict:
    """List `flood`: first executions of a quiet tenant's, alone and beside each flood."""
    rows = []
    with context.started_system(Hapax(context.build)) as hapax, concurrent.futures.ThreadPoolExecutor() as pool:
        def quiet() -> dict:
            return context.load(hapax, "first_execution", in_flight=1, outcome="executed", flags={"tenant": "quiet"})

        for figure in FLOODS:
            for in_flight in IN_FLIGHT:
                settle(hapax)
                alone = quiet()
                settle(hapax)
                flooding = pool.submit(context.load, hapax, figure, in_flight=in_flight, outcome=OUTCOMES[figure],
                                       seconds=context.warmup + context.seconds + 2 * MARGIN_S,
                                       flags={"tenant": "flooder"})
                time.sleep(context.warmup + MARGIN_S)
                beside = quiet()
                flood = flooding.result()
                row = {"figure": figure, "in_flight": in_flight, "flood_rps": flood["rps"]}
                row.update({key: beside[key] for key in ("p50_us", "p99_us")})
                row.update({f"{key}_alone": alone[key] for key in ("p50_us", "p99_us")})
                context.say(f"beside {in_flight} calls in flight, {figure}: p50 {row['p50_us']:,.0f} us, "
                            f"alone {row['p50_us_alone']:,.0f} us")
                rows.append(row)
    return {"flood": rows}
