"""Clients that call at random, through faults and kills, and a checker: does the contract explain what they were told?
(C4, C6 to C15, C17, C20, C23, C24, C28).

    histories_test.py [--seed N]

makes the same choices again: what is called, what the network breaks, when the server dies. How threads and processes
share the processor is the machine's to choose."""

import argparse
import pathlib
import random
import sys
import tempfile
import unittest

import wrong_clock
from checker import check
from harness import Server
from history import Policy
from report import Figures, as_lines
from round import Round

OPERATIONS = 2000
SECOND_NS = 10**9
# Of each of these, one is executed at least.
CHANGES = (("StopInstance", "StartInstance"), ("ReleaseHosts", "DeleteKeypair", "TerminateInstances"))
SEED = random.SystemRandom().randrange(2**32)


class HistoriesTest(unittest.TestCase):
    def explain(self, retention_s: float, tombstone_s: float, *seen: str, clock=None) -> None:
        """A round whose history is explained, and in which everything of `seen` happened. `clock` is the server's."""
        name = self._testMethodName
        print(f"{name}: --seed {SEED}", flush=True)
        server = Server(f"--token_retention={retention_s}s", f"--token_tombstone_retention={tombstone_s}s",
                        "--simulated_boot_latency=20ms", "--log_level=warning")
        self.addCleanup(server.close)
        if clock is not None:
            server.environment = clock.environment
        server.start()
        policy = Policy(int(retention_s * SECOND_NS), int(tombstone_s * SECOND_NS), clock_jumps=clock is not None)
        round_ = Round(f"{SEED}.{retention_s}", server, policy, clock=clock).run(OPERATIONS)
        violations = check(round_.history)
        figures = Figures()
        figures.add(round_, violations)
        print(f"{figures}; faults: {dict(round_.faults)}\n{as_lines(figures.answers)}", flush=True)
        if violations:
            path = pathlib.Path(tempfile.mkdtemp(prefix="hapax-history-")) / "history.jsonl"
            round_.history.write(path)
            self.fail("\n".join([f"--seed {SEED}; the history is in {path}", *map(str, violations)]))
        for answer in ("execute: executed", "execute: replayed", "execute: IDEMPOTENT_PARAMETER_MISMATCH",
                       "execute: CLIENT_TOKEN_ABANDONED", "execute: UNAVAILABLE", "get: EXECUTED", "list: listed",
                       *seen):
            self.assertGreater(figures.answers[answer], 0, answer)
        for methods in CHANGES:
            self.assertGreater(sum(figures.answers[f"executed: {method}"] for method in methods), 0, methods)
        self.assertGreater(round_.kills + round_.stops, 0)
        self.assertGreater(sum(round_.faults.values()), 0)

    def test_tokens_that_are_kept(self):
        self.explain(86400, 86400)

    def test_tokens_that_expire_and_are_forgotten(self):
        self.explain(0.5, 0.5, "execute: CLIENT_TOKEN_EXPIRED", "get: EXPIRED")

    @unittest.skipIf(*wrong_clock.missing())
    def test_C29_tokens_that_expire_while_the_clock_is_set_ahead_and_back(self):
        clock = wrong_clock.WrongClock()
        self.addCleanup(clock.close)
        self.explain(2, 1, clock=clock)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=SEED)
    known, rest = parser.parse_known_args()
    SEED = known.seed
    unittest.main(argv=[sys.argv[0], *rest])
