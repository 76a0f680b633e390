"""A tenant with one call at a time, beside one with many or large calls in flight: the cost of a flood to other
tenants, and in the server's memory."""

import concurrent.futures
import dataclasses
import threading
import time

from context import Context
from figures import OUTCOMES
from pairs import settle
from processes import memory_bytes
from systems import Hapax, Running

# The flood begins before the quiet tenant's calls, and ends after them.
MARGIN_S = 0.5
# A request of 3.5 MB, with more tags than the handler accepts; and a launch whose reply is as long as allowed.
MANY_TAGS = 300_000
MANY_INSTANCES = 15_000
# The number of tokens to replay: each such launch takes a second.
LARGE_TOKENS = 2
# Lets such a request be decoded, digested, and passed to the handler.
LET_IN = (f"--max_request_map_entries={MANY_TAGS}", f"--max_request_elements={3 * MANY_TAGS}")


@dataclasses.dataclass(frozen=True)
class Flood:
    """What is in flight, how much of it, and how many calls one tenant may have: --max_calls_in_flight_per_tenant."""

    figure: str
    in_flight: int
    share: int = 2048
    tags: int = 0
    instances: int = 1

    @property
    def is_refused(self) -> bool:
        return self.tags > 0 or self.share < self.in_flight

    def flags(self) -> dict:
        """Flags of bench_load."""
        return {"tenant": "flooder", "may_be_refused": self.is_refused, "tags": self.tags}

    def arguments(self) -> dict:
        """Arguments of Context.load()."""
        return {"in_flight": self.in_flight, "instances": self.instances,
                "tokens": LARGE_TOKENS if self.instances > 1 else 0,
                "outcome": "" if self.tags else OUTCOMES[self.figure], "flags": self.flags()}


FLOODS = [Flood(figure, in_flight) for figure in ("first_execution", "replay") for in_flight in (64, 256, 1024)] + [
    Flood("first_execution", 1024, share) for share in (256, 64, 8)] + [
    Flood("first_execution", in_flight, tags=MANY_TAGS) for in_flight in (1, 8)] + [
    Flood("replay", 64, instances=MANY_INSTANCES)]
# As much as may be in flight: large requests, which share their bytes in the load generator, and large replies.
MEMORY = [Flood("unprotected", 2048, tags=MANY_TAGS), Flood("replay", 2048, instances=MANY_INSTANCES)]


def run(context: Context) -> dict:
    """List `flood`: first executions of a quiet tenant, alone and beside each flood. List `memory`: the server's peak
    when everything that may be in flight is large."""
    return {"flood": [measure(context, flood) for flood in FLOODS],
            "memory": [measure_memory(context, flood) for flood in MEMORY]}


def measure(context: Context, flood: Flood) -> dict:
    system = Hapax(context.build, f"--max_calls_in_flight_per_tenant={flood.share}", *(LET_IN if flood.tags else ()))
    seconds = context.warmup + context.seconds + 2 * MARGIN_S
    with context.started_system(system) as hapax, concurrent.futures.ThreadPoolExecutor() as pool:
        alone = quiet_calls(context, hapax)
        settle(hapax)
        measuring = threading.Event()
        flooding = pool.submit(context.load, hapax, flood.figure, seconds=seconds, measuring=measuring,
                               **flood.arguments())
        flooding.add_done_callback(lambda _: measuring.set())  # Also if it never started.
        measuring.wait()
        time.sleep(MARGIN_S)
        beside = quiet_calls(context, hapax)
        flooded = flooding.result()
    row = {**dataclasses.asdict(flood), "flood_rps": flooded["rps"], "refused_per_s": flooded["refused"] / seconds}
    row.update({key: beside[key] for key in ("p50_us", "p99_us")})
    row.update({f"{key}_alone": alone[key] for key in ("p50_us", "p99_us")})
    context.say(f"beside {flood}: p50 {row['p50_us']:,.0f} us, alone {row['p50_us_alone']:,.0f} us, "
                f"{row['p50_us'] / row['p50_us_alone']:.1f} times; p99 {row['p99_us']:,.0f}, {row['p99_us_alone']:,.0f} us, "
                f"{row['p99_us'] / row['p99_us_alone']:.1f} times")
    return row


def measure_memory(context: Context, flood: Flood) -> dict:
    system = Hapax(context.build, *(LET_IN if flood.tags else ()))
    with context.started_system(system) as hapax:
        quiet_calls(context, hapax)
        before = memory_bytes(system.process.pid)["peak"]
        context.load(hapax, flood.figure, **flood.arguments())
        peak = memory_bytes(system.process.pid)["peak"]
    context.say(f"{flood}: RSS {before / 2**20:,.0f} MiB before, {peak / 2**20:,.0f} at the most")
    return {**dataclasses.asdict(flood), "rss_bytes_before": before, "peak_rss_bytes": peak}


def quiet_calls(context: Context, hapax: Running) -> dict:
    return context.load(hapax, "first_execution", in_flight=1, outcome="executed", flags={"tenant": "quiet"})
