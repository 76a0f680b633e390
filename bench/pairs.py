"""A system measured against the echo, in pairs one right after the other, so that the machine's state affects both
alike."""

import statistics
import time

from context import Context
from processes import cpu_seconds
from systems import Running

# A system is idle when it used less than this fraction of a core for this long.
IDLE_CORES = 0.05
IDLE_S = 0.3
SETTLE_TIMEOUT_S = 10
# What is kept of each run of a pair: its name in the row, and in the load's result.
PAIR_KEYS = (("rps", "rps"), ("p50_us", "p50_us"), ("p99_us", "p99_us"), ("cpu_us_per_call", "server_cpu_us_per_call"))


def settle(running: Running) -> None:
    """Waits until a system has finished its work after calls (booting instances, compaction), which would disturb the
    next measurement. Gives up after a while."""
    end = time.monotonic() + SETTLE_TIMEOUT_S
    before = cpu_seconds(running.pids)
    while time.monotonic() < end:
        time.sleep(IDLE_S)
        now = cpu_seconds(running.pids)
        if now - before < IDLE_CORES * IDLE_S:
            return
        before = now


def measure_pairs(context: Context, echo: Running, system: Running, figure: str, *, outcome: str = "",
                  echo_arguments: dict = None, beside=None, **arguments) -> dict:
    """Measures both `context.repeats` times, in alternating order.

    Returns medians. `ratio_to_echo` is the median of the pairs' ratios of throughput; `ratio_min` and `ratio_max` are
    the least and the greatest of them. `beside()` is called after each pair, and the medians of its dicts are added.
    `echo_arguments` replaces arguments that the echo does not support. `pairs` lists what each pair measured, in the
    order of measurement, with the results of `beside()`."""
    pairs = []
    extras = []
    for repeat in range(context.repeats):
        runs = {}
        for name in ("echo", "system") if repeat % 2 == 0 else ("system", "echo"):
            if name == "echo":
                runs[name] = context.load(echo, figure, **{**arguments, **(echo_arguments or {})})
            else:
                runs[name] = context.load(system, figure, outcome=outcome, **arguments)
                settle(system)
        pairs.append((runs["system"], runs["echo"]))
        if beside is not None:
            extras.append(beside())
    row = summary(pairs)
    for pair, extra in zip(row["pairs"], extras):
        pair.update(extra)
    return {**row, **{key: statistics.median(extra[key] for extra in extras) for key in (extras or [{}])[0]}}


def summary(pairs: list) -> dict:
    """The medians of pairs of results (of the system, of the echo)."""
    def median(key: str, which: int = 0) -> float:
        return statistics.median(pair[which][key] for pair in pairs)

    ratios = [system["rps"] / echo["rps"] for system, echo in pairs]
    row = {key: round(median(key), 1) for key in ("rps", "p50_us", "p99_us", "p999_us")}
    row.update(rps_min=min(pair[0]["rps"] for pair in pairs), rps_max=max(pair[0]["rps"] for pair in pairs),
               ratio_to_echo=round(statistics.median(ratios), 3), ratio_min=round(min(ratios), 3),
               ratio_max=round(max(ratios), 3))
    row.update({f"echo_{key}": round(median(key, 1), 1) for key in ("rps", "p50_us", "p99_us", "p999_us")})
    row.update(server_cpu_us_per_call=round(median("server_cpu_us_per_call"), 2),
               echo_cpu_us_per_call=round(median("server_cpu_us_per_call", 1), 2),
               reply_bytes=round(median("reply_bytes"), 1), echo_reply_bytes=round(median("reply_bytes", 1), 1),
               calls=sum(pair[0]["calls"] for pair in pairs), repeats=len(pairs))
    row["pairs"] = [{prefix + name: round(run[key], 2) for prefix, run in (("", system), ("echo_", echo))
                     for name, key in PAIR_KEYS} for system, echo in pairs]
    return row
