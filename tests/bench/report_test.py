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


def beside(other: str, figure: str, ratio: float) -> dict:
    return {"figure": figure, "in_flight": 64, "beside": other, "rps": 12345, "beside_rps": 1, "ratio": ratio,
            "ratio_min": ratio, "ratio_max": ratio, "p50_us": 1, "p99_us": 2, "cpu_us_per_call": 3}


def verdicts(measured: dict) -> dict:
    """The verdict on each target that was measured."""
    return {target.target: target.verdict for target in targets.judge(measured) if target.measured is not None}


class CommittedTest(unittest.TestCase):
    def test_the_committed_page_and_plots_are_what_the_committed_results_give(self):
        results = json.loads((DOCS / "benchmarks" / "results.json").read_text())
        self.assertRegex(results["machine"]["commit"], "^[0-9a-f]{12}$", "measure committed code")
        files = report.render(results)
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
        posts = [row(figure, n, 0.5, system) for figure in ("first_execution", "replay") for n in (1, 64, 256)
                 for system in report.SYSTEM_NAMES]
        files = report.render(result(post=posts, skipped=[{"system": "etcd", "reason": "too <slow>"}]))
        self.assertEqual(set(files), {"benchmarks.md", "benchmarks/post_first_execution.svg", "benchmarks/post_replay.svg",
                                      "benchmarks/post_cpu.svg"})
        for name in set(files) - {"benchmarks.md"}:
            texts = " ".join(xml.etree.ElementTree.fromstring(files[name]).itertext())
            for system, words in report.SYSTEM_NAMES.items():
                self.assertEqual(words in texts, system != "echo", (name, system))
            self.assertIn(f"]({name})", files["benchmarks.md"])
        self.assertIn("etcd: not measured, too <slow>", files["benchmarks.md"])

    def test_launches_and_the_engines_of_several_servers_are_in_tables(self):
        engine = {**beside("etcd, hand-written", "replay", 1.5), "system": "hapax_etcd"}
        page = report.render(result(row("first_execution", 64, .123), post_engines=[engine]))["benchmarks.md"]
        self.assertIn("| 123 | 0.12 |", page)
        self.assertIn("| hapax_etcd | 64 | 12,345 | etcd, hand-written |", page)

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
        """The verdict on the one target of which the text has all these words."""
        found = [verdict for target, verdict in verdicts(measured).items() if all(word in target for word in words)]
        self.assertEqual(len(found), 1, words)
        return found[0]

    def assertBound(self, make, words: tuple, bound: float, step: float) -> None:
        """make(value) meets the target up to the bound, and misses it a step further."""
        self.assertEqual(self.judged(make(bound), *words), "met", words)
        self.assertEqual(self.judged(make(bound + step), *words), "missed", words)

    def test_nothing_measured_meets_and_misses_nothing(self):
        self.assertEqual(verdicts(result()), {})

    def test_throughput(self):
        for part, what, wanted in (("post", "post", targets.POSTS), ("figures", "launch", targets.LAUNCHES)):
            for figure, in_flight, least in wanted:
                words = (f"{what}, {figure.replace('_', ' ')}, {in_flight} in flight", "throughput")
                self.assertBound(lambda ratio: {**result(), part: [row(figure, in_flight, ratio)]}, words, least, -.01)

    def test_a_range_on_both_sides_of_a_target_is_a_tie(self):
        for low, high, verdict in ((.70, .80, "met"), (.69, .80, "tie"), (.60, .70, "tie"), (.60, .69, "missed")):
            measured = result(post=[row("first_execution", 64, .7, ratio_min=low, ratio_max=high)])
            self.assertEqual(self.judged(measured, "post, first execution, 64 in flight", "throughput"), verdict)
        target = next(target for target in targets.judge(measured) if target.measured)
        self.assertEqual((target.measured, target.spread), ("0.70", "0.60..0.69"))
        self.assertIn("| 0.70 | 0.60..0.69 | missed |", report.render(measured)["benchmarks.md"])

    def test_peers_are_compared_by_their_ratios_to_the_echo_beside_them(self):
        for name, in_flight, least in targets.PEERS:
            peer = row("first_execution", in_flight, .1, name, rps=1e6)
            self.assertBound(lambda ratio: result(post=[row("first_execution", in_flight, ratio), peer]),
                             (f"{in_flight} in flight", f"times {name}"), least / 10 + 1e-9, -.001)

    def test_the_range_of_a_quotient_is_the_widest_possible(self):
        hapax = row("first_execution", 64, .6, ratio_min=.5, ratio_max=.7)
        for peer_high, verdict in ((.125, "met"), (.2, "tie")):
            peer = row("first_execution", 64, .1, "postgres", ratio_min=.05, ratio_max=peer_high)
            self.assertEqual(self.judged(result(post=[hapax, peer]), "times postgres"), verdict)

    def test_latency_of_one_at_a_time_is_counted_in_fdatasyncs(self):
        def measured(p50: float) -> dict:
            pair = {"p50_us": p50, "echo_p50_us": 100, "fdatasync_p50_us": 100}
            return result(post=[row("first_execution", 1, .5, pairs=[pair, pair])])

        self.assertBound(measured, ("one at a time",), 230, 1)

    def test_cpu(self):
        self.assertBound(lambda cpu: result(post=[row("first_execution", 256, .5, cpu=cpu)]), ("post", "CPU"), 16, 1)

    def test_cpu_of_a_launch_may_be_little_in_microseconds_or_in_echoes(self):
        def measured(cpu: float, echo: float) -> dict:
            return result(row("first_execution", 256, .5, cpu=cpu, echo_cpu_us_per_call=echo))

        for cpu, echo, verdict in ((30, 10, "met"), (31, 15.5, "met"), (31, 15, "missed")):
            self.assertEqual(self.judged(measured(cpu, echo), "launch", "30 us"), verdict)

    def test_cpu_has_the_range_of_its_pairs(self):
        pairs_of = [{"cpu_us_per_call": cpu, "echo_cpu_us_per_call": 10} for cpu in (15, 16, 17)]
        self.assertEqual(self.judged(result(post=[row("first_execution", 256, .5, pairs=pairs_of)]), "post", "CPU"), "tie")
        short = [{"cpu_us_per_call": 0, "echo_cpu_us_per_call": 0}]
        unknown = row("first_execution", 256, .5, cpu=0, echo_cpu_us_per_call=0, pairs=short)
        self.assertNotIn("CPU", " ".join(verdicts(result(post=[unknown]))))

    def test_cpu_of_each_instance_of_a_large_launch(self):
        self.assertBound(lambda cpu: result(reply_size=[row("first_execution", 64, .5, cpu=cpu, instances=24,
                                                            reply_bytes=4000)]),
                         ("launch of 24 instances",), 144, 1)

    def test_latency_at_a_fixed_rate(self):
        def measured(figure: str, p99: float) -> dict:
            return result(open_loop=[{"mutation": "post", "figure": figure, "fraction": .8, "rate": 1, "p50_us": 1,
                                      "p99_us": p99, "p99_us_min": p99, "p99_us_max": p99, "p999_us": 1, "max_us": 1,
                                      "late_p99_us": 1}])

        for figure, most in (("replay", 5000), ("first_execution", 15000)):
            self.assertBound(lambda p99: measured(figure, p99), (f"post, {figure.replace('_', ' ')}", "open loop"), most, 1)

    def test_a_full_table(self):
        def grown(**changes) -> dict:
            small = {**row("replay", 64, .5), "tokens": 10**4, "ratio_to_smallest": 1, "peak_rss_bytes": 2**30 - 1,
                     "start_after_crash_s": 1.9, "disk_bytes_per_token": 300}
            large = {**row("replay", 64, .45), "tokens": 10**7}
            return result(growth=[small, {**small, **large, **changes}])

        slower = {"ratio_to_echo": .44, "ratio_min": .44, "ratio_max": .44}
        for words, changes in (("throughput of a small one", slower), ("memory", {"peak_rss_bytes": 2**30}),
                               ("kill -9", {"start_after_crash_s": 2})):
            self.assertEqual(self.judged(grown(), words), "met")
            self.assertEqual(self.judged(grown(**changes), words), "missed")
            self.assertIn("10,000,000", report.render(grown())["benchmarks.md"])

    def test_expiry(self):
        def measured(p99: float) -> dict:
            return result(expiry=[{"tokens": 10**7, "figure": "replay", "rps_before": 2, "rps_during": 1,
                                   "p99_us_before": 10, "p99_us_during": p99}])

        self.assertBound(measured, ("expire",), 20, 1)
        self.assertIn("10,000,000", report.render(measured(20))["benchmarks.md"])

    def test_several_servers(self):
        for words, other, figure, members, least in (
                ("one member", "etcd, hand-written, same rows", "first_execution", 1, 2),
                ("three members", "etcd, hand-written, same rows", "first_execution", 3, 5),
                ("embedded engine", "hapax", "replay", 3, .5)):
            self.assertBound(lambda ratio: result(several_servers=[{**beside(other, figure, ratio), "members": members,
                                                                    "servers": 1}]),
                             ("on etcd", words), least, -.01)

    def test_several_servers_on_postgres(self):
        same_rows = "PostgreSQL, hand-written, same rows"
        for words, other, figure, standby, servers, least in (
                (("on PostgreSQL, launch, first", "one server"), same_rows, "first_execution", "none", 1, 2.5),
                (("standby", "one server"), same_rows, "first_execution", "synchronous", 1, 2.5),
                (("standby", "three servers"), same_rows, "first_execution", "synchronous", 3, 10),
                (("on PostgreSQL", "embedded engine"), "hapax", "replay", "none", 1, .8)):
            self.assertBound(lambda ratio: result(several_servers_postgres=[
                {**beside(other, figure, ratio), "standby": standby, "servers": servers, "rows": "one zone, one tenant"}]),
                words, least, -.01)


class PairsTest(unittest.TestCase):
    def test_a_ratio_is_the_median_of_the_pairs_ratios(self):
        def run(rps: float) -> dict:
            return {"rps": rps, "p50_us": rps, "p99_us": 1, "p999_us": 1, "server_cpu_us_per_call": 2, "reply_bytes": 3,
                    "calls": 10}

        # The machine slowed down while the second pair was measured: that says nothing about the system.
        summary = pairs.summary([(run(50), run(100)), (run(6), run(10)), (run(40), run(100))])
        self.assertEqual((summary["ratio_min"], summary["ratio_to_echo"], summary["ratio_max"]), (.4, .5, .6))
        self.assertEqual((summary["rps_min"], summary["rps"], summary["rps_max"]), (6, 40, 50))
        self.assertEqual([pair["rps"] for pair in summary["pairs"]], [50, 6, 40])
        self.assertEqual((summary["echo_rps"], summary["calls"], summary["repeats"]), (100, 30, 3))


if __name__ == "__main__":
    unittest.main()
