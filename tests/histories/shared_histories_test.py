"""Clients that call three servers on three members of etcd at random, while servers and members are killed and paused,
requests between them are cut, members are cut off, and a clock is wrong: does the contract explain what they were told?
(C29, C30, and those of histories_test.)

    shared_histories_test.py [--seed N]

makes the same choices again, as histories_test.py does."""

import argparse
import pathlib
import random
import sys
import tempfile
import unittest

import wrong_clock
from checker import check
from history import Policy
from report import Figures, as_lines
from shared_round import SharedRound
from shared_servers import SharedServers

SECOND_NS = 10**9
SEED = random.SystemRandom().randrange(2**32)


class SharedHistoriesTest(unittest.TestCase):
    servers_type, round_type = SharedServers, SharedRound
    operations = 1000
    has_clock = not wrong_clock.missing()[0]
    faults = ("server paused", "member paused", "member killed", "leader cut off", "follower cut off", "all killed")

    def test_C29_C30_servers_and_members_that_die_or_pause_or_are_cut_off(self):
        print(f"--seed {SEED}", flush=True)
        clock = wrong_clock.WrongClock() if self.has_clock else None
        if clock is not None:
            self.addCleanup(clock.close)
        servers = self.servers_type(SEED, "--simulated_boot_latency=20ms", "--log_level=warning", clock=clock)
        self.addCleanup(servers.close)
        servers.start()
        policy = Policy(86400 * SECOND_NS, 86400 * SECOND_NS, clock_jumps=clock is not None, late_commits=True)
        round_ = self.round_type(f"{SEED}", servers, policy).run(self.operations)
        violations = check(round_.history)
        figures = Figures()
        figures.add(round_, violations)
        print(f"{figures}; faults: {dict(round_.faults)}, {servers.network.faults} between servers and members\n"
              f"{as_lines(figures.answers)}", flush=True)
        if violations:
            path = pathlib.Path(tempfile.mkdtemp(prefix="hapax-history-")) / "history.jsonl"
            round_.history.write(path)
            self.fail("\n".join([f"--seed {SEED}; the history is in {path}", *map(str, violations)]))
        for answer in ("execute: executed", "execute: replayed", "get: EXECUTED", "list: listed"):
            self.assertGreater(figures.answers[answer], 0, answer)
        self.assertGreater(servers.network.faults, 0)
        of_the_clock = ("clock set", "wrong clock at a start") if clock is not None else ()
        for fault in (*self.faults, *of_the_clock):
            self.assertGreater(round_.faults[fault], 0, fault)
        self.assertGreater(round_.kills, 0)


def main() -> None:
    global SEED
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=SEED)
    known, rest = parser.parse_known_args()
    SEED = known.seed
    unittest.main(argv=[sys.argv[0], *rest])


if __name__ == "__main__":
    main()
