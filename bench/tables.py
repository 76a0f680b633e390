"""The tables of a run, as text for a terminal and in Markdown."""

import targets

# List of the JSON -> its columns: heading, key or function of a row, format.
FIGURE_COLUMNS = (
    ("figure", lambda row: targets.words(row["figure"]), "{}"),
    ("system", lambda row: row["system"], "{}"),
    ("in flight", lambda row: row["in_flight"], "{}"),
    ("calls/s", lambda row: row["rps"], "{:,.0f}"),
    ("of the echo", lambda row: row["ratio_to_echo"], "{:.2f}"),
    ("min..max", lambda row: f"{row['ratio_min']:.2f}..{row['ratio_max']:.2f}", "{}"),
    ("p50 us", lambda row: row["p50_us"], "{:,.0f}"),
    ("p99 us", lambda row: row["p99_us"], "{:,.0f}"),
    ("p99.9 us", lambda row: row["p999_us"], "{:,.0f}"),
    ("CPU us/call", lambda row: row["server_cpu_us_per_call"], "{:.1f}"),
    ("echo CPU us/call", lambda row: row["echo_cpu_us_per_call"], "{:.1f}"),
)
OPEN_LOOP_COLUMNS = (
    ("call", lambda row: row.get("mutation", "launch"), "{}"),
    ("figure", lambda row: targets.words(row["figure"]), "{}"),
    ("rate", lambda row: f"{row['rate']:,} ({row['fraction']:.0%})", "{}"),
    ("p50 us", lambda row: row["p50_us"], "{:,.0f}"),
    ("p99 us", lambda row: row["p99_us"], "{:,.0f}"),
    ("p99.9 us", lambda row: row["p999_us"], "{:,.0f}"),
    ("max us", lambda row: row["max_us"], "{:,.0f}"),
    ("sent late, p99 us", lambda row: row["late_p99_us"], "{:,.0f}"),
)
CONNECTION_COLUMNS = (
    ("figure", lambda row: targets.words(row["figure"]), "{}"),
    ("connections", lambda row: row["connections"], "{:,}"),
    *FIGURE_COLUMNS[3:],
)
REPLY_SIZE_COLUMNS = (
    ("figure", lambda row: targets.words(row["figure"]), "{}"),
    ("instances", lambda row: row["instances"], "{}"),
    ("reply bytes", lambda row: row["reply_bytes"], "{:,.0f}"),
    *FIGURE_COLUMNS[3:],
)
FLOOD_COLUMNS = (
    ("flood", lambda row: flood_words(row), "{}"),
    ("in flight", lambda row: row["in_flight"], "{:,}"),
    ("of which it may have", lambda row: row["share"], "{:,}"),
    ("refused/s", lambda row: row["refused_per_s"], "{:,.0f}"),
    ("flooder's calls/s", lambda row: row["flood_rps"], "{:,.0f}"),
    ("quiet tenant's p50 us, alone", lambda row: row["p50_us_alone"], "{:,.0f}"),
    ("beside it", lambda row: row["p50_us"], "{:,.0f}"),
    ("times", lambda row: row["p50_us"] / row["p50_us_alone"], "{:.1f}"),
    ("p99 us, alone", lambda row: row["p99_us_alone"], "{:,.0f}"),
    ("beside it", lambda row: row["p99_us"], "{:,.0f}"),
    ("times", lambda row: row["p99_us"] / row["p99_us_alone"], "{:.1f}"),
)
MEMORY_COLUMNS = (
    ("in flight", lambda row: row["in_flight"], "{:,}"),
    ("of", lambda row: flood_words(row), "{}"),
    ("memory MiB before", lambda row: row["rss_bytes_before"] / 2**20, "{:,.0f}"),
    ("at the most", lambda row: row["peak_rss_bytes"] / 2**20, "{:,.0f}"),
)
DISK_COLUMNS = (
    ("fdatasync of 1 KiB: p50 us", lambda row: row["fdatasync_p50_us"], "{:,.0f}"),
    ("p99 us", lambda row: row["fdatasync_p99_us"], "{:,.0f}"),
    ("p99.9 us", lambda row: row["fdatasync_p999_us"], "{:,.0f}"),
)
GROWTH_COLUMNS = (
    ("tokens", lambda row: row["tokens"], "{:,}"),
    ("figure", lambda row: targets.words(row["figure"]), "{}"),
    ("calls/s", lambda row: row["rps"], "{:,.0f}"),
    ("of the echo", lambda row: row["ratio_to_echo"], "{:.2f}"),
    ("of the smallest table", lambda row: row["ratio_to_smallest"], "{:.2f}"),
    ("p99 us", lambda row: row["p99_us"], "{:,.0f}"),
    ("memory MiB", lambda row: row["peak_rss_bytes"] / 2**20, "{:,.0f}"),
    ("answers after kill -9, s", lambda row: row["start_after_crash_s"], "{:.2f}"),
    ("disk bytes a token", lambda row: row["disk_bytes_per_token"], "{:,.0f}"),
)
EXPIRY_COLUMNS = (
    ("tokens that expire", lambda row: row["tokens"], "{:,}"),
    ("figure", lambda row: targets.words(row["figure"]), "{}"),
    ("calls/s before", lambda row: row["rps_before"], "{:,.0f}"),
    ("meanwhile", lambda row: row["rps_during"], "{:,.0f}"),
    ("p99 us before", lambda row: row["p99_us_before"], "{:,.0f}"),
    ("meanwhile", lambda row: row["p99_us_during"], "{:,.0f}"),
)
SEVERAL_SERVERS_COLUMNS = (
    ("figure", lambda row: targets.words(row["figure"]), "{}"),
    ("members", lambda row: row["members"], "{}"),
    ("servers", lambda row: row["servers"], "{}"),
    ("in flight at each", lambda row: row["in_flight"], "{}"),
    ("calls/s", lambda row: row["rps"], "{:,.0f}"),
    ("beside", lambda row: row["beside"], "{}"),
    ("its calls/s", lambda row: row["beside_rps"], "{:,.0f}"),
    ("times", lambda row: row["ratio"], "{:.2f}"),
    ("min..max", lambda row: f"{row['ratio_min']:.2f}..{row['ratio_max']:.2f}", "{}"),
    ("p50 us", lambda row: row["p50_us"], "{:,.0f}"),
    ("p99 us", lambda row: row["p99_us"], "{:,.0f}"),
    ("CPU us/call, with members", lambda row: row["cpu_us_per_call"], "{:.1f}"),
)
POST_ENGINE_COLUMNS = (
    SEVERAL_SERVERS_COLUMNS[0],
    ("system", lambda row: row["system"], "{}"),
    ("in flight", lambda row: row["in_flight"], "{}"),
    *SEVERAL_SERVERS_COLUMNS[4:-1],
    ("CPU us/call, with database", lambda row: row["cpu_us_per_call"], "{:.1f}"),
)
SEVERAL_SERVERS_POSTGRES_COLUMNS = (
    SEVERAL_SERVERS_COLUMNS[0],
    ("standby", lambda row: row["standby"], "{}"),
    SEVERAL_SERVERS_COLUMNS[2],
    ("launches are in", lambda row: row["rows"], "{}"),
    *SEVERAL_SERVERS_COLUMNS[3:-1],
    ("CPU us/call, with PostgreSQL", lambda row: row["cpu_us_per_call"], "{:.1f}"),
)
LEADER_DEATH_COLUMNS = (
    ("rate", lambda row: row["rate"], "{:,}"),
    ("for s", lambda row: row["seconds"], "{}"),
    ("p50 us", lambda row: row["p50_us"], "{:,.0f}"),
    ("p99 us", lambda row: row["p99_us"], "{:,.0f}"),
    ("the slowest us", lambda row: row["max_us"], "{:,.0f}"),
)
TARGET_COLUMNS = (
    ("target", lambda row: row.target, "{}"),
    ("measured", lambda row: row.measured or "not measured", "{}"),
    ("min..max", lambda row: row.spread, "{}"),
    ("met?", lambda row: row.verdict or "-", "{}"),
)
# Every list except `figures`: title, columns.
LISTS = {
    "post": ("Posts: one row and its record", FIGURE_COLUMNS),
    "post_engines": ("Posts on the engines of several servers", POST_ENGINE_COLUMNS),
    "open_loop": ("At a fixed rate, from when each call was due", OPEN_LOOP_COLUMNS),
    "connections": ("Many clients, one call each", CONNECTION_COLUMNS),
    "reply_size": ("Large replies", REPLY_SIZE_COLUMNS),
    "doors": ("Through a door", FIGURE_COLUMNS),
    "flood": ("A quiet tenant beside one that floods", FLOOD_COLUMNS),
    "memory": ("All that may be in flight is large", MEMORY_COLUMNS),
    "growth": ("A full table", GROWTH_COLUMNS),
    "expiry": ("While records expire", EXPIRY_COLUMNS),
    "several_servers": ("Several servers on etcd", SEVERAL_SERVERS_COLUMNS),
    "several_servers_postgres": ("Several servers on PostgreSQL", SEVERAL_SERVERS_POSTGRES_COLUMNS),
    "leader_death": ("While the leading member of three dies, from when each call was due", LEADER_DEATH_COLUMNS),
    "disk": ("The disk", DISK_COLUMNS),
}


def flood_words(row: dict) -> str:
    """Describes a flood."""
    size = f", {row['tags']:,} tags each" if row["tags"] else f", {row['instances']:,} instances each" if row["instances"] > 1 else ""
    return targets.words(row["figure"]) + size


def cells(rows: list, columns: tuple) -> list:
    """Rows of texts, beginning with the headings."""
    return [[heading for heading, _, _ in columns],
            *([form.format(pick(row)) for _, pick, form in columns] for row in rows)]


def aligned(table: list) -> str:
    """For a terminal: texts aligned left, numbers right."""
    widths = [max(len(row[i]) for row in table) for i in range(len(table[0]))]
    return "\n".join("  ".join(cell.rjust(width) if _numeric(table, i) else cell.ljust(width)
                               for i, (cell, width) in enumerate(zip(row, widths))).rstrip() for row in table)


def markdown(table: list) -> str:
    """In Markdown."""
    rules = ["---:" if _numeric(table, i) else "---" for i in range(len(table[0]))]
    return "\n".join(f"| {' | '.join(row)} |" for row in [table[0], rules, *table[1:]])


def text(result: dict) -> str:
    """All tables of a run, for a terminal."""
    blocks = [("Launches", cells(result["figures"], FIGURE_COLUMNS))] if result.get("figures") else []
    blocks += [(title, cells(result[name], columns)) for name, (title, columns) in LISTS.items() if result.get(name)]
    judged = [target for target in targets.judge(result) if target.measured is not None]
    blocks += [("Targets", cells(judged, TARGET_COLUMNS))] if judged else []
    skipped = [f"{why}: {row['system']}: {row['reason']}" for why in ("skipped", "failed") for row in result.get(why, [])]
    return "\n\n".join([*(f"{title}\n{aligned(table)}" for title, table in blocks), *(["\n".join(skipped)] if skipped else [])])


def _numeric(table: list, column: int) -> bool:
    return all(row[column][:1].isdigit() for row in table[1:]) and len(table) > 1
