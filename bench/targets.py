"""The targets of Hapax, and whether the JSON of a run meets them."""

from typing import NamedTuple, Optional

GIB = 2**30


class Target(NamedTuple):
    """One row of the table."""

    target: str
    # Ready to print; None if it was not measured.
    measured: Optional[str]
    met: Optional[bool]


def figure(result: dict, name: str, in_flight: int, system: str = "hapax") -> Optional[dict]:
    """The row of a figure; None if it was not measured."""
    for row in result.get("figures", []):
        if (row["figure"], row["in_flight"], row["system"]) == (name, in_flight, system):
            return row
    return None


def judge(result: dict) -> list:
    """All targets, in the order of printing."""
    return [*_throughput(result), _latency(result), *_peers(result), *_cpu(result), *_growth(result), _expiry(result),
            *_several_servers(result), *_several_servers_postgres(result)]


def _at_least(target: str, value: Optional[float], least: float) -> Target:
    return Target(target, None, None) if value is None else Target(target, f"{value:.2f}", value >= least)


def _at_most(target: str, value: Optional[float], most: float) -> Target:
    return Target(target, None, None) if value is None else Target(target, f"{value:.2f}", value <= most)


def _throughput(result: dict) -> list:
    rows = []
    for name, in_flight, least in (("replay", 1, 0.95), ("replay", 64, 1.0), ("replay", 256, 1.0),
                                   ("first_execution", 64, 0.55), ("first_execution", 256, 0.75)):
        row = figure(result, name, in_flight)
        rows.append(_at_least(f"{words(name)}, {in_flight} in flight: at least {least:.2f} of the echo's throughput",
                              row and row["ratio_to_echo"], least))
    return rows


def _latency(result: dict) -> Target:
    row = figure(result, "first_execution", 1)
    target = "first execution, one at a time: p50 at most the echo's and 1.3 fdatasyncs"
    if row is None or not result.get("disk"):
        return Target(target, None, None)
    most = row["echo_p50_us"] + 1.3 * result["disk"][0]["fdatasync_p50_us"]
    return Target(target, f"{row['p50_us']:.0f} us, of {most:.0f} us", row["p50_us"] <= most)


def _peers(result: dict) -> list:
    rows = []
    hapax = figure(result, "first_execution", 64)
    for name, least in (("redis_always", 2), ("node_idempotency", 1.3), ("postgres", 5), ("etcd", 5), ("restate", 12)):
        peer = figure(result, "first_execution", 64, name)
        # Each relative to the echo beside it, since the machine's state differed.
        value = hapax["ratio_to_echo"] / peer["ratio_to_echo"] if hapax and peer else None
        rows.append(_at_least(f"first execution, 64 in flight: at least {least} times {name}", value, least))
    return rows


def _cpu(result: dict) -> list:
    rows = []
    for name, most in (("replay", 1.0), ("first_execution", 1.8)):
        row = figure(result, name, 256)
        value = row and row["server_cpu_us_per_call"] / row["echo_cpu_us_per_call"]
        rows.append(_at_most(f"{words(name)}, 256 in flight: server CPU a call at most {most} times the echo's", value, most))
    return rows


def _growth(result: dict) -> list:
    rows = result.get("growth", [])
    kept = min((row["ratio_to_smallest"] for row in rows), default=None)
    rss = max((row["peak_rss_bytes"] for row in rows), default=None)
    restart = max((row["start_after_crash_s"] for row in rows), default=None)
    return [
        _at_least("a full table: at least 0.9 of the throughput of a small one", kept, 0.9),
        Target("a full table: less than 1 GiB of memory", rss and f"{rss / GIB:.2f} GiB", rss and rss < GIB),
        Target("a full table: answers within 2 s after kill -9", restart and f"{restart:.2f} s", restart and restart < 2)]


def _expiry(result: dict) -> Target:
    worst = max((row["p99_us_during"] / row["p99_us_before"] for row in result.get("expiry", [])), default=None)
    return _at_most("while records expire: p99 at most 2 times that before", worst, 2)


def _several_servers(result: dict) -> list:
    rows = []
    for figure_name, members, beside, least, of in (
            ("first_execution", 1, "etcd, hand-written, same rows", 2, "the hand-written pattern with the same rows on one member"),
            ("first_execution", 3, "etcd, hand-written, same rows", 5, "the hand-written pattern with the same rows on three members"),
            ("replay", 3, "hapax", 0.5, "the embedded engine")):
        row = next((row for row in result.get("several_servers", [])
                    if (row["figure"], row["members"], row["servers"], row["beside"]) == (figure_name, members, 1, beside)), None)
        rows.append(_at_least(f"on etcd, {words(figure_name)}, 64 in flight: at least {least} times {of}",
                              row and row["ratio"], least))
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
        rows.append(_at_least(f"on PostgreSQL{with_standby}, {words(figure_name)}, {where}, 64 in flight at each: at least "
                              f"{least} times {of}", row and row["ratio"], least))
    return rows


def words(name: str) -> str:
    """A name of the JSON as it reads in a sentence."""
    return name.replace("_", " ")
