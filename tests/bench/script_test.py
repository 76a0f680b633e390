"""scripts/bench from end to end, in seconds: what it measures and writes, not how fast that is."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = pathlib.Path(os.environ.get("HAPAX_BUILD_DIR") or sys.exit("HAPAX_BUILD_DIR: set it to where bench_load is"))
sys.path.insert(0, str(ROOT / "bench"))

import machine  # noqa: E402

FIGURE_KEYS = {"figure", "system", "in_flight", "rps", "ratio_to_echo", "ratio_min", "ratio_max", "p50_us", "p99_us",
               "p999_us", "server_cpu_us_per_call", "echo_cpu_us_per_call"}


def bench(*arguments) -> tuple:
    """What it printed, and its JSON."""
    with tempfile.TemporaryDirectory(prefix="hapax-bench-test-") as scratch:
        path = pathlib.Path(scratch) / "results.json"
        ended = subprocess.run([ROOT / "scripts" / "bench", "--build", BUILD, "--quick", "--seconds", "0.1",
                                "--repeats", "1", "--json", path, *arguments],
                               stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=110)
        if ended.returncode != 0:
            raise AssertionError(ended.stdout + ended.stderr)
        return ended.stdout, json.loads(path.read_text())


class ScriptTest(unittest.TestCase):
    def test_two_builds_are_compared_in_pairs(self):
        ended = subprocess.run(["/usr/bin/python3", "-B", ROOT / "bench" / "compare.py", BUILD, BUILD, "--repeats", "1",
                                "--seconds", "0.1", "--in_flight", "4"],
                               stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=110)
        self.assertEqual(ended.returncode, 0, ended.stderr)
        self.assertRegex(ended.stdout, "".join(rf"{mutation}, {figure}, 4 in flight: \d\.\d{{3}} \(.*\n"
                                                 for mutation in ("post", "launch") for figure in ("replay", "first_execution")))

    def test_a_figure(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as earlier:
            slow = {"figure": "first_execution", "system": "hapax", "in_flight": 64, "ratio_to_echo": 0, "ratio_min": 0,
                    "ratio_max": 0}
            json.dump({"machine": machine.facts(), "post": [slow]}, earlier)
            earlier.flush()
            printed, result = bench("--only", "first_execution", "--only", "hapax", "--compare", earlier.name)
        self.assertRegex(printed, "1 of 1 figures left their range\n(.*\n)*post, first execution, hapax, in flight 64 .* better")
        for part in ("figures", "post"):
            self.assertEqual([(row["system"], row["in_flight"]) for row in result[part]],
                             [(system, in_flight) for in_flight in (1, 64, 256) for system in ("hapax", "echo")])
        for row in result["figures"] + result["post"]:
            self.assertLessEqual(FIGURE_KEYS, set(row))
            self.assertEqual(row["figure"], "first_execution")
            self.assertGreater(row["rps"], 0)
            self.assertLessEqual(row["ratio_min"], row["ratio_to_echo"])
            self.assertLessEqual(row["ratio_to_echo"], row["ratio_max"])
        self.assertGreater(result["disk"][0]["fdatasync_p50_us"], 0)
        self.assertLessEqual({"cpu", "cores", "kernel", "commit", "date"}, set(result["machine"]))
        self.assertIn("Targets", printed)

    def test_a_run_on_another_machine_is_not_compared(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as earlier:
            json.dump({"machine": {**machine.facts(), "cores": 1000}}, earlier)
            earlier.flush()
            ended = subprocess.run([ROOT / "scripts" / "bench", "--build", BUILD, "--compare", earlier.name],
                                   stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=110)
        self.assertEqual(ended.returncode, 2)
        self.assertIn("another machine: cores 1000, here ", ended.stderr)

    def test_a_part(self):
        _, result = bench("--only", "connections")
        self.assertEqual([(row["figure"], row["connections"]) for row in result["connections"]],
                         [("first_execution", 1000), ("replay", 1000)])
        self.assertNotIn("figures", result)

    def test_posts_on_an_engine_of_several_servers(self):
        _, result = bench("--only", "hapax_etcd", "--only", "first_execution")
        if result["skipped"]:
            self.skipTest(result["skipped"][0]["reason"])
        self.assertEqual([(row["system"], row["figure"], row["in_flight"], row["beside"]) for row in result["post_engines"]],
                         [("hapax_etcd", "first_execution", n, "etcd, hand-written") for n in (1, 64, 256)])
        self.assertGreater(min(row["ratio"] for row in result["post_engines"]), 0)
        self.assertEqual(result["post"], [])

    def test_servers_on_postgres_with_a_standby(self):
        _, result = bench("--only", "several_servers_postgres")
        if not result["several_servers_postgres"]:
            self.skipTest("PostgreSQL is not installed, or its peer is not built")
        row, = result["several_servers_postgres"]
        self.assertEqual((row["figure"], row["standby"], row["servers"]), ("first_execution", "synchronous", 1))
        self.assertGreater(row["ratio"], 0)
        self.assertGreater(row["beside_rps"], 0)


if __name__ == "__main__":
    unittest.main()
