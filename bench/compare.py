"""Measures two builds of Hapax in pairs in one run, such as a release and the change to it.

Usage: bench/compare.py BEFORE AFTER [--repeats N] [--seconds S] [--in_flight N...]

BEFORE and AFTER are build directories. The load generator is AFTER's. Prints the median of the pairs' ratios of
throughput, AFTER to BEFORE, with the least and the greatest, and both medians of CPU time a call: of posts, if both
builds have bench_ledger, and of launches."""

import argparse
import pathlib
import statistics
import sys

from context import Context
from pairs import settle
from systems import Hapax, Ledger

OUTCOMES = {"replay": "replayed", "first_execution": "executed"}


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench/compare.py", description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("before", type=pathlib.Path, help="a build directory")
    parser.add_argument("after", type=pathlib.Path, help="a build directory")
    parser.add_argument("--repeats", type=int, default=9, metavar="N", help="pairs of each figure; default 9")
    parser.add_argument("--seconds", type=float, default=3, metavar="S", help="the length of each measurement; default 3")
    parser.add_argument("--in_flight", type=int, nargs="+", default=[1, 64, 256], metavar="N", help="default 1 64 256")
    arguments = parser.parse_args()
    for build in (arguments.before, arguments.after):
        if not (build / "hapaxd").exists():
            parser.error(f"{build}: has no hapaxd; must be a build directory")
    return arguments


def measure(context: Context, before, after, figure: str, in_flight: int) -> str:
    """One line of the result."""
    ratios = []
    cpu = {"before": [], "after": []}
    for repeat in range(context.repeats):
        runs = {}
        order = [("before", before), ("after", after)]
        for name, running in order if repeat % 2 == 0 else reversed(order):
            runs[name] = context.load(running, figure, outcome=OUTCOMES[figure], in_flight=in_flight)
            cpu[name].append(runs[name]["server_cpu_us_per_call"])
            settle(running)
        ratios.append(runs["after"]["rps"] / runs["before"]["rps"])
    return (f"{before.mutation}, {figure}, {in_flight} in flight: {statistics.median(ratios):.3f} ({min(ratios):.2f} to {max(ratios):.2f}); "
            f"CPU a call {statistics.median(cpu['after']):.1f} us, before {statistics.median(cpu['before']):.1f} us")


def main() -> None:
    arguments = parse_arguments()
    context = Context(build=arguments.after.resolve(), quick=False, repeats=arguments.repeats, seconds=arguments.seconds)
    builds = [build.resolve() for build in (arguments.before, arguments.after)]
    systems = [Ledger] if all((build / "bench_ledger").exists() for build in builds) else []
    for system in (*systems, Hapax):
        for figure in OUTCOMES:
            # Each figure starts with empty databases.
            with context.started_system(system(builds[0])) as before, context.started_system(system(builds[1])) as after:
                for in_flight in arguments.in_flight:
                    print(measure(context, before, after, figure, in_flight), flush=True)


if __name__ == "__main__":
    sys.exit(main())
