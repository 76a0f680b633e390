"""A tenant that makes one call after another, beside one that keeps many in flight: what a flood costs the others."""

import concurrent.futures
import time

from context import Context
from figures import OUTCOMES
from pairs import settle
from systems import Hapax, Running

# What is in flight, how much of it, and of how many calls: --max_calls_in_flight_per_tenant.
FLOODS = [(figure, in_flight, 2048) for figure in ("first_execution", "replay") for in_flight in (64, 256, 1024)] + [
    ("first_execution", 1024, share) for share in (256, 64, 8)]
# The flood comes before the quiet tenant's calls, and ends after them.
MARGIN_S = 0.5


def run(context: Context) -> dict:
    """List `flood`: first executions of a quiet tenant's, alone and beside each flood."""
    return {"flood": [measure(context, *flood) for flood in FLOODS]}


def measure(context: Context, figure: str, in_flight: int, share: int) -> dict:
    system = Hapax(context.build, f"--max_calls_in_flight_per_tenant={share}")
    seconds = context.warmup + context.seconds + 2 * MARGIN_S
    with context.started_system(system) as hapax, concurrent.futures.ThreadPoolExecutor() as pool:
        alone = quiet_calls(context, hapax)
        settle(hapax)
        flooding = pool.submit(context.load, hapax, figure, in_flight=in_flight, outcome=OUTCOMES[figure],
                               seconds=seconds,
                               flags={"tenant": "flooder", "may_be_refused": share < in_flight})
        time.sleep(context.warmup + MARGIN_S)
        beside = quiet_calls(context, hapax)
        flood = flooding.result()
    row = {"figure": figure, "in_flight": in_flight, "share": share, "flood_rps": flood["rps"],
           "refused_per_s": flood["refused"] / seconds}
    row.update({key: beside[key] for key in ("p50_us", "p99_us")})
    row.update({f"{key}_alone": alone[key] for key in ("p50_us", "p99_us")})
    context.say(f"beside {in_flight} calls in flight, {figure}, {share} allowed: p50 {row['p50_us']:,.0f} us, "
                f"alone {row['p50_us_alone']:,.0f} us")
    return row


def quiet_calls(context: Context, hapax: Running) -> dict:
    return context.load(hapax, "first_execution", in_flight=1, outcome="executed", flags={"tenant": "quiet"})
