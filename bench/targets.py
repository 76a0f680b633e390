"""The targets of Hapax, and whether the JSON of a run meets them."""

from typing import NamedTuple, Optional

import ranges
from ranges import Range

GIB = 2**30
MET, TIE, MISSED = "met", "tie", "missed"
# A first execution of a post, beside a peer's: (peer, calls in flight, least).
PEERS = (("redis_always", 64, 1.8), ("redis_always", 256, 1.6), ("redis_everysec", 64, 1.4), ("redis_everysec", 256, 1.4),
         ("postgres", 64, 3), ("etcd", 64, 8), ("restate", 64, 15), ("node_idempotency", 64, 1.3))
# (figure, calls in flight, least of the echo's throughput)
POSTS = (("first_execution", 64, .7), ("first_execution", 256, .9), ("replay", 1, .95), ("replay", 64, 1.05),
         ("replay", 256, 1.2))
LAUNCHES = (("first_execution", 64, .5), ("first_execution", 256, .6), ("replay", 1, .95), ("replay", 64, 1.05),
            ("replay", 256, 1.2))


class Target(NamedTuple):
    """One row of the table."""

    target: str
    # Ready to print; None if it was not measured.
    measured: Optional[str] = None
    # The least and the greatest of the repeats, ready to print; empty if there are none.
    spread: str = ""
    # MET, MISSED, or TIE if the range lies on both sides of the target; None if it was not measured.
    verdict: Optional[str] = None


def figure(result: dict, name: str, in_flight: int, system: str = "hapax", part: str = "figures") -> Optional[dict]:
    """The row of a figure; None if it was not measured. `part` is `figures`, those of launches, or `post`."""
    for row in result.get(part, []):
        if (row["figure"], row["in_flight"], row["system"]) == (name, in_flight, system):
            return row
    return None


def judge(result: dict) -> list:
    """All targets, in the order of printing."""
    return [*_posts(result), *_post_peers(result), *_post_costs(result), *_launches(result), *_open_loop(result),
            *_growth(result), _expiry(result), *_several_servers(result), *_several_servers_postgres(result)]


def _at_least(target: str, found: Optional[Range], least: float, form: str = "{:.2f}") -> Target:
    return _judged(target, found, form, found and found.low >= least, found and found.high < least)


def _at_most(target: str, found: Optional[Range], most: float, form: str = "{:.2f}") -> Target:
    return _judged(target, found, form, found and found.high <= most, found and found.low > most)


def _judged(target: str, found: Optional[Range], form: str, all_good: bool, all_bad: bool) -> Target:
    if found is None:
        return Target(target)
    spread = "" if found.low == found.high else f"{form.format(found.low)}..{form.format(found.high)}"
    return Target(target, form.format(found.value), spread, MET if all_good else MISSED if all_bad else TIE)


def _throughput(result: dict, part: str, what: str, wanted: tuple) -> list:
    rows = []
    for name, in_flight, least in wanted:
        row = figure(result, name, in_flight, part=part)
        rows.append(_at_least(f"{what}, {words(name)}, {in_flight} in flight: at least {least:.2f} of the echo's throughput",
                              row and ranges.throughput(row), least))
    return rows


def _posts(result: dict) -> list:
    return _throughput(result, "post", "post", POSTS)


def _post_peers(result: dict) -> list:
    rows = []
    for name, in_flight, least in PEERS:
        hapax = figure(result, "first_execution", in_flight, part="post")
        peer = figure(result, "first_execution", in_flight, name, "post")
        # Each relative to the echo beside it, since the machine's state differed.
        found = ranges.throughput(hapax).over(ranges.throughput(peer)) if hapax and peer else None
        rows.append(_at_least(f"post, first execution, {in_flight} in flight: at least {least:g} times {name}", found, least))
    return rows


def _post_costs(result: dict) -> list:
    one, many = (figure(result, "first_execution", in_flight, part="post") for in_flight in (1, 256))
    return [
        _at_most("post, first execution, one at a time: p50 at most 1.3 fdatasyncs above the echo's",
                 one and ranges.latency_in_syncs(one), 1.3, "{:.2f} fdatasyncs"),
        _at_most("post, first execution, 256 in flight: server CPU a call at most 1.6 times the echo's",
                 many and ranges.cpu_in_echoes(many), 1.6)]


def _launches(result: dict) -> list:
    row = figure(result, "first_execution", 256)
    cpu = "launch, first execution, 256 in flight: server CPU a call at most 30 us, or 2.0 times the echo's"
    either = [_at_most(cpu, row and ranges.cpu(row), 30, "{:.1f} us"),
              _at_most(cpu, row and ranges.cpu_in_echoes(row), 2, "{:.2f} echoes")]
    best = min(either, key=lambda target: (MET, TIE, MISSED, None).index(target.verdict))
    many = next((row for row in result.get("reply_size", []) if (row["figure"], row["instances"]) == ("first_execution", 24)), None)
    return [*_throughput(result, "figures", "launch", LAUNCHES), best,
            _at_most("launch of 24 instances, first execution, 64 in flight: server CPU an instance at most 6 us",
                     many and ranges.cpu(many).times(1 / 24), 6, "{:.1f} us")]


def _open_loop(result: dict) -> list:
    rows = []
    for name, most_ms in (("replay", 5), ("first_execution", 15)):
        row = next((row for row in result.get("open_loop", [])
                    if (row.get("mutation"), row["figure"], row["fraction"]) == ("post", name, .8)), None)
        found = row and Range(row["p99_us"], row["p99_us_min"], row["p99_us_max"]).times(1e-3)
        rows.append(_at_most(f"post, {words(name)}, open loop at 80% of the capacity: p99 at most "
                             f"{most_ms} ms", found, most_ms, "{:.1f} ms"))
    return rows


def _growth(result: dict) -> list:
    rows = result.get("growth", [])
    replays = [row for row in rows if row["figure"] == "replay"]
    kept = ranges.throughput(replays[-1]).over(ranges.throughput(replays[0])) if replays else None
    rss = max((row["peak_rss_bytes"] for row in rows), default=None)
    restart = max((row["start_after_crash_s"] for row in rows), default=None)
    # Just below 2 s and 1 GiB are met, so the bounds themselves are missed.
    return [
        _at_least("a full table, replay: at least 0.9 of the throughput of a small one", kept, .9),
        _below("a full table: less than 1 GiB of memory", rss and rss / GIB, 1, "{:.2f} GiB"),
        _below("a full table: answers within 2 s after kill -9", restart, 2, "{:.2f} s")]


def _below(target: str, value: Optional[float], bound: float, form: str) -> Target:
    """Of a worst case: there is no range."""
    return Target(target) if value is None else Target(target, form.format(value), "", MET if value < bound else MISSED)


def _expiry(result: dict) -> Target:
    worst = max((row["p99_us_during"] / row["p99_us_before"] for row in result.get("expiry", [])), default=None)
    return _at_most("while records expire: p99 at most 2 times that before", worst and ranges.exactly(worst), 2)


def _several_servers(result: dict) -> list:
    rows = []
    for figure_name, members, beside, least, of in (
            ("first_execution", 1, "etcd, hand-written, same rows", 2, "the hand-written pattern with the same rows on one member"),
            ("first_execution", 3, "etcd, hand-written, same rows", 5, "the hand-written pattern with the same rows on three members"),
            ("replay", 3, "hapax", 0.5, "the embedded engine")):
        row = next((row for row in result.get("several_servers", [])
                    if (row["figure"], row["members"], row["servers"], row["beside"]) == (figure_name, members, 1, beside)), None)
        rows.append(_at_least(f"on etcd, launch, {words(figure_name)}, 64 in flight: at least {least} times {of}",
                              _beside(row), least))
    return rows


def _several_servers_postgres(result: dict) -> list:
    rows = []
    same_rows = "PostgreSQL, hand-written, same rows"
    on_one, on_three = "one server", "three servers, one zone and tenant"
    for figure_name, standby, servers, where, beside, least, of in (
            ("first_execution", "none", 1, on_one, same_rows, 2.5, "the hand-written pattern with the same rows"),
            ("first_execution", "synchronous", 1, on_one, same_rows, 2.5, "the hand-written pattern with the same rows"),
            ("first_execution", "synchronous", 3, on_three, same_rows, 10, "the hand-written pattern with the same rows"),
            ("replay", "none", 1, on_one, "hapax", 0.8, "the embedded engine")):
        row = next((row for row in result.get("several_servers_postgres", [])
                    if (row["figure"], row["standby"], row["servers"], row["beside"]) == (figure_name, standby, servers, beside)
                    and row["rows"] == "one zone, one tenant"), None)
        with_standby = ", a synchronous standby" if standby == "synchronous" else ""
        rows.append(_at_least(f"on PostgreSQL{with_standby}, launch, {words(figure_name)}, {where}, 64 in flight at each: at "
                              f"least {least} times {of}", _beside(row), least))
    return rows


def _beside(row: Optional[dict]) -> Optional[Range]:
    return row and Range(row["ratio"], row["ratio_min"], row["ratio_max"])


def words(name: str) -> str:
    """A name of the JSON as it reads in a sentence."""
    return name.replace("_", " ")
