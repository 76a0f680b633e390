"""Measures Hapax beside the echo and its peers; scripts/bench documents the usage."""

import argparse
import json
import pathlib
import signal
import sys
import traceback

import connections
import doors
import expiry
import figures
import flood
import growth
import machine
import open_loop
import post
import regressions
import reply_size
import several_servers
import several_servers_postgres
import tables
from context import Context
from systems import FIGURES

ROOT = pathlib.Path(__file__).resolve().parent.parent
# In the order of measurement. --only may name figures of the first two, and systems of `post`.
PARTS = {"launch": figures, "post": post, "open_loop": open_loop, "connections": connections, "reply_size": reply_size, "doors": doors,
         "flood": flood, "growth": growth, "expiry": expiry, "several_servers": several_servers,
         "several_servers_postgres": several_servers_postgres}
NAMES = (*FIGURES, *post.SYSTEMS, *PARTS)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="scripts/bench", description="Measures Hapax beside a bare gRPC echo and its peers.")
    parser.add_argument("--quick", action="store_true", help="in three minutes: Hapax and the echo, short")
    parser.add_argument("--only", action="append", default=[], choices=NAMES, metavar="NAME",
                        help=f"only this; may be repeated: {', '.join(NAMES)}")
    parser.add_argument("--json", type=pathlib.Path, metavar="FILE", help="also writes everything that was measured")
    parser.add_argument("--compare", type=pathlib.Path, metavar="FILE",
                        help="says which figures left their range in FILE, the JSON of an earlier run on this machine")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "release", metavar="DIR",
                        help="where the programs are; default build/release, which is built first")
    parser.add_argument("--repeats", type=int, metavar="N", help="how often each pair is measured; default 5, 3 if quick")
    parser.add_argument("--seconds", type=float, metavar="S", help="how long each time; default 3, 0.5 if quick")
    arguments = parser.parse_args()
    if arguments.compare:
        try:
            arguments.compare = json.loads(arguments.compare.read_text())
        except (OSError, ValueError) as error:
            parser.error(f"--compare: {error}")
        if other := regressions.other_machine(arguments.compare, machine.facts()):
            parser.error(f"--compare: the figures are of another machine: {other}")
    return arguments


def wanted_parts(context: Context) -> list:
    """The parts that --only names. A figure or a system without its part: those of `launch` and `post` that have it."""
    if not context.only:
        return ["launch", "post"] if context.quick else list(PARTS)
    parts = context.only & set(PARTS)
    systems, named = context.only & set(post.SYSTEMS), context.only & set(FIGURES)
    if (systems or named) and not parts & {"launch", "post"}:
        if not systems or systems & {"hapax", "echo"}:
            parts |= {"launch"}
        if not named or named & set(post.FIGURES):
            parts |= {"post"}
    return [part for part in PARTS if part in parts]


def main() -> int:
    arguments = parse_arguments()
    # Exits normally on SIGTERM, so that started processes are stopped and written files removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    context = Context(build=arguments.build.resolve(), quick=arguments.quick,
                      repeats=arguments.repeats or (3 if arguments.quick else 5),
                      seconds=arguments.seconds or (0.5 if arguments.quick else 3),
                      warmup=0.6 if arguments.quick else 1, only=frozenset(arguments.only))
    result = {"machine": machine.facts(), "quick": context.quick, "seconds": context.seconds, "repeats": context.repeats}
    failed = []
    for part in wanted_parts(context):
        try:
            for name, rows in PARTS[part].run(context).items():
                result.setdefault(name, []).extend(rows)
        except Exception:  # The measurements so far are worth keeping.
            traceback.print_exc()
            failed.append(part)
        if arguments.json:
            arguments.json.write_text(json.dumps(result, indent=1) + "\n")
    print(tables.text(result))
    changes = regressions.compare(arguments.compare, result) if arguments.compare else []
    if arguments.compare:
        print(f"\n{regressions.text(changes)}")
    failed += [row["system"] for row in result.get("failed", [])]
    if failed:
        print(f"scripts/bench: failed: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed or regressions.is_worse(changes) else 0


if __name__ == "__main__":
    sys.exit(main())
