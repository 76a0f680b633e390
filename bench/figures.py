"""The figures of Hapax and its peers, each in pairs with the echo."""

import functools

from context import Context
from disk import fdatasync
from pairs import measure_pairs
from peers import PEERS
from systems import FIGURES, Echo, Hapax, System

IN_FLIGHT = (1, 64, 256)
# The outcome that Hapax must report for each call; otherwise the figure is invalid.
OUTCOMES = {"first_execution": "executed", "replay": "replayed", "unprotected": "unprotected", "read": ""}
SYSTEMS = ("hapax", "echo", *PEERS)


def run(context: Context) -> dict:
    """Lists `figures`, `disk` (fdatasync beside a first execution at 1 in flight), `versions` of the systems,
    and those that were `skipped` or `failed`, with the reasons."""
    result = {"figures": [], "disk": [], "versions": [], "skipped": [], "failed": []}
    for name in SYSTEMS:
        if name == "echo" or not _wants_system(context, name):
            continue
        reason = "not part of --quick" if context.quick and name in PEERS and name not in context.only else None
        reason = reason or _system(context, name).unavailable()
        if reason:
            context.say(f"{name}: skipped: {reason}")
            result["skipped"].append({"system": name, "reason": reason})
            continue
        result["versions"].append({"system": name, "version": _system(context, name).version()})
        try:
            _measure_system(context, name, result)
        except (RuntimeError, OSError) as error:
            context.say(f"{name}: failed: {error}")
            result["failed"].append({"system": name, "reason": str(error)})
    return result


def _wants_system(context: Context, name: str) -> bool:
    systems = context.only & set(SYSTEMS)
    return not systems or name in systems or (name == "hapax" and "echo" in systems)


def _wanted_figures(context: Context, system: System) -> list:
    named = context.only & set(FIGURES)
    return [figure for figure in FIGURES if figure in system.figures and (not named or figure in named)]


def _system(context: Context, name: str) -> System:
    return Hapax(context.build) if name == "hapax" else PEERS[name](context.build)


def _measure_system(context: Context, name: str, result: dict) -> None:
    system = _system(context, name)
    for figure in _wanted_figures(context, system):
        # Each starts with an empty database.
        with context.started_system(Echo(context.build)) as echo, context.started_system(system) as running:
            for in_flight in IN_FLIGHT:
                _measure(context, name, figure, in_flight, echo, running, result)


def _measure(context: Context, name: str, figure: str, in_flight: int, echo, running, result: dict) -> None:
    beside = None
    with context.scratch() as scratch:
        if (name, figure, in_flight) == ("hapax", "first_execution", 1):
            beside = functools.partial(fdatasync, context, scratch)
        row = {"figure": figure, "system": name, "in_flight": in_flight,
               **measure_pairs(context, echo, running, figure, in_flight=in_flight, beside=beside,
                               outcome=OUTCOMES[figure] if name == "hapax" else "")}
    if beside is not None:
        result["disk"].append({key: row.pop(key) for key in list(row) if key.startswith("fdatasync_")})
    context.say(f"{name} {figure}, {in_flight} in flight: {row['rps']:,.0f}/s, {row['ratio_to_echo']:.2f} of the echo "
                f"({row['ratio_min']:.2f} to {row['ratio_max']:.2f}), p50 {row['p50_us']:,.0f} us, "
                f"p99 {row['p99_us']:,.0f} us, server CPU {row['server_cpu_us_per_call']:.1f} us a call "
                f"(echo {row['echo_cpu_us_per_call']:.1f})")
    result["figures"].append(row)
    if name == "hapax":
        result["figures"].append(_echo_row(row))


def _echo_row(row: dict) -> dict:
    """The echo's own row, measured beside Hapax."""
    echo = {"figure": row["figure"], "system": "echo", "in_flight": row["in_flight"],
            "ratio_to_echo": 1, "ratio_min": 1, "ratio_max": 1, "repeats": row["repeats"]}
    for key in ("rps", "p50_us", "p99_us", "p999_us", "cpu_us_per_call", "reply_bytes"):
        echo["server_" + key if key.startswith("cpu") else key] = row["echo_" + key]
    echo["echo_cpu_us_per_call"] = row["echo_cpu_us_per_call"]
    return echo
