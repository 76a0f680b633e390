#!/usr/bin/env python3
"""Writes docs/benchmarks.md and its plots from the JSON of a run of scripts/bench.

Usage: bench/report.py [JSON FILE [DIRECTORY]]      default: docs/benchmarks/results.json, docs

The text is in bench/benchmarks.md.in; measured values replace its lines {{name}}."""

import json
import pathlib
import re
import sys

import plots
import ranges
import tables
import targets

ROOT = pathlib.Path(__file__).resolve().parent.parent
TEMPLATE = ROOT / "bench" / "benchmarks.md.in"
NOT_MEASURED = "*Not measured in this run.*"
SYSTEM_NAMES = {
    "hapax": "Hapax", "echo": "bare echo", "redis_always": "Redis, always", "redis_everysec": "Redis, everysec",
    "postgres": "PostgreSQL", "etcd": "etcd", "restate": "Restate", "node_idempotency": "node-idempotency"}
# The plots, by the names of their files.
TITLES = {"post_first_execution": "First execution of a post", "post_replay": "Replay of a post",
          "post_cpu": "CPU time of the server a post"}


def render(result: dict) -> dict:
    """Every generated file: its path below docs/, and its text."""
    files = {f"benchmarks/{name}.svg": text for name, text in charts(result).items()}
    blocks = {**_facts(result), **_tables(result)}
    blocks.update({f"plot_{name}": _image(name, result) for name in TITLES})
    text = re.sub(r"\{\{(\w+)\}\}", lambda match: blocks[match[1]], TEMPLATE.read_text())
    return {"benchmarks.md": text, **files}


def charts(result: dict) -> dict:
    """The plots for which the run has posts: name and SVG."""
    found = {}
    for figure in ("first_execution", "replay"):
        if groups := _throughput_groups(result, figure):
            found[f"post_{figure}"] = plots.bar_chart(
                f"{TITLES[f'post_{figure}']}: throughput beside a bare gRPC echo",
                "1, 64 and 256 calls in flight; median of the ratios, with the least and the greatest", groups, 1, "echo")
    if groups := _cpu_groups(result):
        found["post_cpu"] = plots.bar_chart(
            f"{TITLES['post_cpu']}, beside a bare gRPC echo",
            "256 calls in flight; all processes of the system, log and background work included", groups, 1, "echo")
    return found


def _throughput_groups(result: dict, figure: str) -> list:
    groups = []
    for system, name in SYSTEM_NAMES.items():
        rows = [row for row in result.get("post", []) if (row["figure"], row["system"]) == (figure, system)]
        if system == "echo" or not rows:
            continue
        bars = [plots.Bar(str(row["in_flight"]), f"{row['ratio_to_echo']:.2f}  ({row['rps']:,.0f}/s)",
                          row["ratio_to_echo"], row["ratio_min"], row["ratio_max"]) for row in rows]
        groups.append(plots.Group(name, bars, ours=system == "hapax"))
    return groups


def _cpu_groups(result: dict) -> list:
    groups = []
    for system, name in SYSTEM_NAMES.items():
        bars = []
        for figure in ("first_execution", "replay"):
            row = targets.figure(result, figure, 256, system, "post")
            found = row and ranges.cpu_in_echoes(row)
            if system != "echo" and found:
                label = f"{found.value:.1f}  ({row['server_cpu_us_per_call']:,.0f} us)"
                bars.append(plots.Bar("first" if figure == "first_execution" else "replay", label, *found))
        if bars:
            groups.append(plots.Group(name, bars, ours=system == "hapax"))
    return groups


def _facts(result: dict) -> dict:
    machine = result["machine"]
    versions = [row["version"] for row in result.get("versions", []) if row["system"] != "hapax"]
    versions += [f"{SYSTEM_NAMES.get(row['system'], row['system'])}: not measured, {row['reason']}"
                 for row in (*result.get("skipped", []), *result.get("failed", []))]
    told = {row["system"] for name in ("versions", "skipped", "failed") for row in result.get(name, [])}
    versions += [f"{name}: not measured" for system, name in SYSTEM_NAMES.items() if system not in {"hapax", "echo", *told}]
    return {
        "machine": f"{machine['cores']} cores of {machine['cpu']}, {machine['memory_gib']:g} GiB, {machine['distribution']}, "
                   f"Linux {machine['kernel']}, gRPC {machine['grpc']}, RocksDB {machine['rocksdb']}",
        "run": "a quick run" if result.get("quick") else "a full run",
        "commit": machine["commit"], "date": machine["date"], "repeats": str(result["repeats"]),
        "seconds": f"{result['seconds']:g}",
        "systems": "\n".join(f"- {line}" for line in versions) or NOT_MEASURED,
    }


def _tables(result: dict) -> dict:
    blocks = {"targets": tables.markdown(tables.cells(targets.judge(result), tables.TARGET_COLUMNS))}
    for figure in ("first_execution", "replay", "unprotected", "read"):
        rows = [row for row in result.get("figures", []) if row["figure"] == figure]
        blocks[f"figures_{figure}"] = _table(rows, tables.FIGURE_COLUMNS[1:])
        posts = [row for row in result.get("post", []) if row["figure"] == figure]
        blocks[f"post_{figure}"] = _table(posts, tables.FIGURE_COLUMNS[1:])
    for name, (_, columns) in tables.LISTS.items():
        blocks[name] = _table(result.get(name), columns)
    return blocks


def _table(rows: list, columns: tuple) -> str:
    return tables.markdown(tables.cells(rows, columns)) if rows else NOT_MEASURED


def _image(name: str, result: dict) -> str:
    if name not in charts(result):
        return NOT_MEASURED
    return f"![{TITLES[name]}](benchmarks/{name}.svg)"


def main() -> None:
    source = pathlib.Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "benchmarks" / "results.json"
    docs = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else ROOT / "docs"
    for name, text in render(json.loads(source.read_text())).items():
        path = docs / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
