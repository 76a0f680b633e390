"""Records that all expire at once while the server runs: the cost to callers of the compaction that drops them."""

import pathlib
import statistics
import time

from context import Context
from figures import OUTCOMES
from filled import fill
from systems import Hapax

TOKENS = 10_000_000
QUICK_TOKENS = 1_000_000
IN_FLIGHT = 64
FIGURES = ("first_execution", "replay")
# How long after the start of bench_fill the records expire and their files are due for compaction. Before that they are
# written, and the server is measured undisturbed.
LEAD_S = 90
QUICK_LEAD_S = 20
# The age at which the server compacts a file of tokens without other cause (storage/rocksdb/database.cc).
COMPACTION_AGE_S = 12 * 60 * 60
COMPACTION_TIMEOUT_S = 300


def run(context: Context) -> dict:
    """List `expiry`: a row for each figure, with p99 before the records expire and while they are compacted."""
    tokens, lead_s = (QUICK_TOKENS, QUICK_LEAD_S) if context.quick else (TOKENS, LEAD_S)
    with context.scratch() as scratch:
        due = time.monotonic() + lead_s
        fill(context, scratch, tokens, expire_in=f"{lead_s}s", file_age=f"{COMPACTION_AGE_S - lead_s}s")
        filled = _files(scratch)
        hapax = Hapax(context.build)
        try:
            running = hapax.start(scratch)
            before = _rounds(context, running, lambda done: done < context.repeats)
            while time.monotonic() < due:
                time.sleep(0.1)
            end = time.monotonic() + COMPACTION_TIMEOUT_S
            # RocksDB sees which files are due only after the flush in the first rounds.
            _rounds(context, running, lambda done: filled <= _files(scratch) and time.monotonic() < end)
            during = _rounds(context, running, lambda done: filled & _files(scratch) and time.monotonic() < end)
        finally:
            hapax.stop()
    rows = []
    for figure in FIGURES:
        row = {"figure": figure, "tokens": tokens, "in_flight": IN_FLIGHT, "rounds": len(during[figure])}
        for name, found in (("before", before), ("during", during)):
            for key in ("rps", "p50_us", "p99_us"):
                row[f"{key}_{name}"] = round(statistics.median(result[key] for result in found[figure]), 1)
        row["p99_ratio"] = round(row["p99_us_during"] / row["p99_us_before"], 2)
        context.say(f"{tokens:,} tokens expire, {figure}: p99 {row['p99_us_during']:,.0f} us instead of "
                    f"{row['p99_us_before']:,.0f} us")
        rows.append(row)
    return {"expiry": rows}


def _rounds(context: Context, running, more) -> dict:
    """Measures the figures in turn, as long as `more(rounds so far)`; returns the results by figure."""
    results = {figure: [] for figure in FIGURES}
    while more(len(results[FIGURES[0]])):
        for figure in FIGURES:
            results[figure].append(context.load(running, figure, in_flight=IN_FLIGHT, outcome=OUTCOMES[figure]))
    return results


def _files(scratch: pathlib.Path) -> set:
    return {file.name for file in (scratch / "data").glob("*.sst")}
