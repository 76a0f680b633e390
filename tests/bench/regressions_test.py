"""scripts/bench --compare: which figures of two runs are said to have left their range."""

import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "bench"))

import regressions  # noqa: E402

MACHINE = {"cpu": "CPU", "cores": 2, "memory_gib": 8, "distribution": "Debian", "kernel": "6.1", "commit": "abc"}


def post(low: float, high: float, system: str = "hapax", cpu: tuple = (15, 20), **more) -> dict:
    return {"figure": "replay", "system": system, "in_flight": 64, "ratio_to_echo": (low + high) / 2, "ratio_min": low,
            "ratio_max": high, "pairs": [{"cpu_us_per_call": one, "echo_cpu_us_per_call": 10} for one in cpu], **more}


def run(*posts, **lists) -> dict:
    return {"machine": MACHINE, "post": list(posts), **lists}


class RegressionsTest(unittest.TestCase):
    def verdicts(self, before: dict, after: dict) -> list:
        return [change.verdict for change in regressions.compare(before, after)]

    def test_throughput_that_left_its_range_is_worse_below_and_better_above(self):
        for low, high, verdict in ((.5, .59, "worse"), (.5, .6, None), (.65, .66, None), (.7, .9, None), (.71, .9, "better")):
            self.assertEqual(self.verdicts(run(post(.6, .7)), run(post(low, high))), [verdict, None])

    def test_cpu_that_left_its_range_is_worse_above_and_better_below(self):
        for cpu, verdict in (((21, 22), "worse"), ((20, 22), None), ((14, 15), None), ((13, 14), "better")):
            self.assertEqual(self.verdicts(run(post(1, 2)), run(post(1, 2, cpu=cpu))), [None, verdict])

    def test_cpu_is_compared_only_where_its_range_is_known(self):
        self.assertEqual(self.verdicts(run({**post(1, 2), "pairs": []}), run(post(1, 2, cpu=(99, 99)))), [None])

    def test_only_figures_of_both_runs_are_compared_and_the_echo_is_not(self):
        before = run(post(1, 2), post(1, 2, "etcd"), post(1, 1, "echo"))
        after = run(post(.1, .2, in_flight=256), post(.1, .2, "etcd"), post(.1, .1, "echo"))
        changes = regressions.compare(before, after)
        self.assertEqual({change.figure for change in changes}, {"post, replay, etcd, in flight 64"})

    def test_rows_beside_something_else_are_told_apart_by_it(self):
        def row(beside: str, ratio: float) -> dict:
            return {"figure": "replay", "members": 1, "servers": 1, "beside": beside, "ratio": ratio, "ratio_min": ratio,
                    "ratio_max": ratio}

        before = run(several_servers=[row("hapax", 1), row("etcd", 2)])
        self.assertEqual(self.verdicts(before, run(several_servers=[row("etcd", 1), row("hapax", 1)])), [None, "worse"])

    def test_the_text_names_what_left_and_counts_the_rest(self):
        before = run(post(.6, .7), post(.1, .2, "etcd"))
        self.assertEqual(regressions.text(regressions.compare(before, before)), "0 of 4 figures left their range")
        changes = regressions.compare(before, run(post(.5, .5), post(.1, .2, "etcd")))
        self.assertTrue(regressions.is_worse(changes))
        text = regressions.text(changes)
        self.assertIn("1 of 4 figures left their range", text)
        self.assertIn("post, replay, hapax, in flight 64", text)
        self.assertNotIn("etcd", text)

    def test_what_is_better_is_not_worse(self):
        self.assertFalse(regressions.is_worse(regressions.compare(run(post(.6, .7)), run(post(.8, .9)))))

    def test_another_machine_is_told(self):
        self.assertIsNone(regressions.other_machine(run(), {**MACHINE, "kernel": "6.2", "commit": "def"}))
        self.assertEqual(regressions.other_machine(run(), {**MACHINE, "cores": 4}), "cores 2, here 4")


if __name__ == "__main__":
    unittest.main()
