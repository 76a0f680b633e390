"""The growth of cost with the table: the same load on 10 thousand, 1 million and 10 million tokens."""

import pathlib
import time

import grpc

from context import Context
from figures import OUTCOMES
from filled import fill
from pairs import measure_pairs
from processes import memory_bytes
from systems import Echo, Hapax

SIZES = (10_000, 1_000_000, 10_000_000)
QUICK_SIZES = (10_000, 1_000_000)
IN_FLIGHT = 64
# Until the cache is filled.
WARMUP_S = 3
ANSWER_TIMEOUT_S = 120


def run(context: Context) -> dict:
    """List `growth`: a row for each size and figure."""
    rows = []
    for tokens in QUICK_SIZES if context.quick else SIZES:
        with context.scratch() as scratch, context.started_system(Echo(context.build)) as echo:
            filled = fill(context, scratch, tokens)
            context.say(f"{tokens:,} tokens, {filled['disk_bytes_per_token']:.0f} bytes each, in {filled['seconds']} s")
            rows += _measure(context, scratch, tokens, filled["disk_bytes_per_token"], echo)
    for row in rows:
        smallest = next(other for other in rows if other["figure"] == row["figure"])
        row["ratio_to_smallest"] = round(row["ratio_to_echo"] / smallest["ratio_to_echo"], 3)
    return {"growth": rows}


def _measure(context: Context, scratch: pathlib.Path, tokens: int, disk_bytes_per_token: float, echo) -> list:
    rows = []
    hapax = Hapax(context.build)
    try:
        running = hapax.start(scratch)
        flags = {"filled_tokens": tokens}
        context.load(running, "replay", in_flight=IN_FLIGHT, seconds=WARMUP_S, outcome="replayed", flags=flags)
        for figure in ("replay", "first_execution"):
            row = measure_pairs(context, echo, running, figure, in_flight=IN_FLIGHT, outcome=OUTCOMES[figure],
                                flags=flags if figure == "replay" else {}, echo_arguments={"flags": {}})
            rows.append({"figure": figure, "tokens": tokens, "disk_bytes_per_token": disk_bytes_per_token, **row})
            context.say(f"{tokens:,} tokens, {figure}: {row['rps']:,.0f}/s, {row['ratio_to_echo']:.2f} of the echo")
        memory = memory_bytes(running.pids[0])
        # As after a crash: the log is as long as it gets.
        hapax.kill()
        start_s = _seconds_until_answer(hapax, scratch)
    finally:
        hapax.stop()
    context.say(f"{tokens:,} tokens: {memory['peak'] / 2**20:,.0f} MiB at most, answers {start_s:.2f} s after a crash")
    for row in rows:
        row.update(rss_bytes=memory["now"], peak_rss_bytes=memory["peak"], start_after_crash_s=round(start_s, 3))
    return rows


def _seconds_until_answer(hapax: Hapax, scratch: pathlib.Path) -> float:
    started = time.monotonic()
    running = hapax.start(scratch)
    with grpc.insecure_channel(running.target) as channel:
        channel.unary_unary("/hapax.idempotency.v1.Tokens/GetPolicy")(b"", timeout=ANSWER_TIMEOUT_S)
    return time.monotonic() - started
