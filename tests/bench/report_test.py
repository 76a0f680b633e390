"""The report: the committed page is what the committed results give, and the targets are judged as they say."""

import json
import pathlib
import sys
import unittest
import xml.etree.ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
sys.path.insert(0, str(ROOT / "bench"))

import pairs  # noqa: E402
import plots  # noqa: E402
import report  # noqa: E402
import tables  # noqa: E402
import targets  # noqa: E402

MACHINE = {"cpu": "CPU", "cores": 2, "memory_gib": 8, "kernel": "6.1", "distribution": "Debian", "grpc": "1",
           "rocksdb": "7", "commit": "abc", "date": "2026-01-01"}


def row(figure: str, in_flight: int, ratio: float, system: str = "hapax", cpu: float = 10, **more) -> dict:
    return {"figure": figure, "system": system, "in_flight": in_flight, "rps": 1000 * ratio, "ratio_to_echo": ratio,
            "ratio_min": ratio, "ratio_max": ratio, "p50_us": 100, "p99_us": 200, "p999_us": 300,
            "server_cpu_us_per_call": cpu, "echo_cpu_us_per_call": 10, **more}


def result(*figures, **lists) -> dict:
    return {"machine": MACHINE, "seconds": 3, "repeats": 5, "figures": list(figures), **lists}


def met(measured: dict) -> dict:
    """Whether each target that was measured is met."""
    return {target.target: target.met for target in targets.judge(measured) if target.measured is not None}


class CommittedTest(unittest.TestCase):
    def test_the_committed_page_and_plots_are_what_the_committed_results_give(self):
        files = report.render(json.loads((DOCS / "benchmarks" / "results.json").read_text()))
        self.assertIn("benchmarks.md", files)
        for name, text in files.items():
            self.assertEqual((DOCS / name).read_text(), text, f"docs/{name}: run bench/report.py")
        committed = {f"benchmarks/{path.name}" for path in (DOCS / "benchmarks").glob("*.svg")}
        self.assertEqual(committed, set(files) - {"benchmarks.md"})


class ReportTest(unittest.TestCase):
    def test_what_was_not_measured_is_said_and_has_no_plot(self):
        files = report.render(result())
        self.assertEqual(list(files), ["benchmarks.md"])
        self.assertNotIn("{{", files["benchmarks.md"])
        self.assertNotIn(".svg", files["benchmarks.md"])
        self.assertIn(report.NOT_MEASURED, files["benchmarks.md"])

    def test_every_system_is_in_the_tables_and_plots(self):
        figures = [row(figure, n, 0.5, system) for figure in ("first_execution", "replay") for n in (1, 64, 256)
                   for system in report.SYSTEM_NAMES]
        files = report.render(result(*figures, skipped=[{"system": "etcd", "reason": "too <slow>"}]))
        self.assertEqual(set(files), {"benchmarks.md", "benchmarks/first_execution.svg", "benchmarks/replay.svg",
                                      "benchmarks/cpu.svg"})
        for name in set(files) - {"benchmarks.md"}:
            texts = " ".join(xml.etree.ElementTree.fromstring(files[name]).itertext())
            for system, words in report.SYSTEM_NAMES.items():
                self.assertEqual(words in texts, system != "echo", (name, system))
            self.assertIn(f"]({name})", files["benchmarks.md"])
        self.assertIn("etcd: not measured, too <slow>", files["benchmarks.md"])

    def test_a_plot_escapes_what_it_shows(self):
        bar = plots.Bar("<a>", "b & c", 2, 1, 3)
        svg = plots.bar_chart("x < y", "", [plots.Group("g", [bar], ours=True)], 1, "1 & 1")
        texts = list(xml.etree.ElementTree.fromstring(svg).itertext())
        for text in ("x < y", "<a>", "b & c", "1 & 1"):
            self.assertIn(text, texts)

    def test_tables_are_aligned_numbers_to_the_right(self):
        table = [["name", "n"], ["a", "1"], ["long name", "1,000"]]
        self.assertEqual(tables.aligned(table), "name           n\na              1\nlong name  1,000")
        self.assertEqual(tables.markdown(table), "| name | n |\n| --- | ---: |\n| a | 1 |\n| long name | 1,000 |")


class TargetsTest(unittest.TestCase):
    def judged(self, measured: dict, *words: str):
        """The one target of which the text has all these words."""
        found = [ok for target, ok in met(measured).items() if all(word in target for word in words)]
        self.assertEqual(len(found), 1, words)
        return found[0]

    def test_nothing_measured_meets_and_misses_nothing(self):
        self.assertEqual(met(result()), {})

    def test_throughput(self):
        for figure, in_flight, least in (("replay", 1, .95), ("replay", 64, 1), ("replay", 256, 1),
                                         ("first_execution", 64, .55), ("first_execution", 256, .75)):
            for ratio, ok in ((least, True), (least - .01, False)):
                words = (figure.replace("_", " "), f"{in_flight} in flight", "throughput")
                self.assertEqual(self.judged(result(row(figure, in_flight, ratio)), *words), ok, (figure, in_flight))

    def test_latency_of_one_at_a_time(self):
        for p50, ok in ((230, True), (231, False)):
            measured = result(row("first_execution", 1, .5, p50_us=p50, echo_p50_us=100), disk=[{"fdatasync_p50_us": 100}])
            self.assertIs(self.judged(measured, "one at a time"), ok)

    def test_peers_are_compared_by_their_ratios_to_the_echo_beside_them(self):
        for ratio, ok in ((.25, True), (.26, False)):
            peer = row("first_execution", 64, ratio, "redis_always", rps=1e6)
            self.assertIs(self.judged(result(row("first_execution", 64, .5), peer), "redis_always"), ok)

    def test_cpu(self):
        for figure, most in (("replay", 10), ("first_execution", 18)):
            for cpu, ok in ((most, True), (most + 1, False)):
                measured = result(row(figure, 256, .5, cpu=cpu))
                self.assertIs(self.judged(measured, figure.replace("_", " "), "CPU"), ok)

    def test_a_full_table(self):
        def grown(**changes) -> dict:
            good = {**row("replay", 64, .5), "tokens": 10**7, "ratio_to_smallest": .9, "peak_rss_bytes": 2**30 - 1,
                    "start_after_crash_s": 1.9, "disk_bytes_per_token": 300}
            return result(growth=[good, {**good, **changes}])

        for words, changes in (("throughput of a small one", {"ratio_to_smallest": .89}), ("memory", {"peak_rss_bytes": 2**30}),
                               ("kill -9", {"start_after_crash_s": 2})):
            self.assertIs(self.judged(grown(), words), True)
            self.assertIs(self.judged(grown(**changes), words), False)
            self.assertIn("10,000,000", report.render(grown())["benchmarks.md"])

    def test_expiry(self):
        for p99, ok in ((20, True), (21, False)):
            measured = result(expiry=[{"tokens": 10**7, "figure": "replay", "rps_before": 2, "rps_during": 1,
                                       "p99_us_before": 10, "p99_us_during": p99}])
            self.assertIs(self.judged(measured, "expire"), ok)
            self.assertIn("10,000,000", report.render(measured)["benchmarks.md"])


    def test_several_servers(self):
        def beside(other: str, figure: str, members: int, ratio: float) -> dict:
            return {"figure": figure, "members": members, "servers": 1, "in_flight": 64, "beside": other, "rps": 12345,
                    "beside_rps": 1, "ratio": ratio, "ratio_min": ratio, "ratio_max": ratio, "p50_us": 1, "p99_us": 2,
                    "cpu_us_per_call": 3}

        for words, other, figure, members, least in (
                ("one member", "etcd, hand-written, same rows", "first_execution", 1, 2),
                ("three members", "etcd, hand-written, same rows", "first_execution", 3, 5),
                ("embedded engine", "hapax", "replay", 3, .5)):
            for ratio, ok in ((least, True), (least - .01, False)):
                measured = result(several_servers=[beside(other, figure, members, ratio)])
                self.assertIs(self.judged(measured, "on etcd", words), ok)
                self.assertIn("12,345", report.render(measured)["benchmarks.md"])


    def test_several_servers_on_postgres(self):
        same_rows = "PostgreSQL, hand-written, same rows"
        for words, other, figure, standby, servers, least in (
                (("on PostgreSQL, first", "one server"), same_rows, "first_execution", "none", 1, 2.5),
                (("standby", "one server"), same_rows, "first_execution", "synchronous", 1, 2.5),
                (("standby", "three servers"), same_rows, "first_execution", "synchronous", 3, 10),
                (("on PostgreSQL", "embedded engine"), "hapax", "replay", "none", 1, .8)):
            for ratio, ok in ((least, True), (least - .01, False)):
                measured = result(several_servers_postgres=[{
                    "figure": figure, "standby": standby, "servers": servers, "rows": "one zone, one tenant",
                    "in_flight": 64, "beside": other, "rps": 12345, "beside_rps": 1, "ratio": ratio, "ratio_min": ratio,
                    "ratio_max": ratio, "p50_us": 1, "p99_us": 2, "cpu_us_per_call": 3}])
                self.assertIs(self.judged(measured, *words), ok)
                self.assertIn("12,345", report.render(measured)["benchmarks.md"])


class PairsTest(unittest.TestCase):
    def test_a_ratio_is_the_median_of_the_pairs_ratios(self):
        def run(rps: float) -> dict:
            return {"rps": rps, "p50_us": rps, "p99_us": 1, "p999_us": 1, "server_cpu_us_per_call": 2, "reply_bytes": 3,
                    "calls": 10}

        # The machine slowed down while the second pair was measured: that says nothing about the system.
        summary = pairs.summary([(run(50), run(100)), (run(6), run(10)), (run(40), run(100))])
        self.assertEqual((summary["ratio_min"], summary["ratio_to_echo"], summary["ratio_max"]), (.4, .5, .6))
        self.assertEqual((summary["rps_min"], summary["rps"], summary["rps_max"]), (6, 40, 50))
        self.assertEqual((summary["echo_rps"], summary["calls"], summary["repeats"]), (100, 30, 3))


if __name__ == "__main__":
    unittest.main()
