"""hapaxctl through a network that breaks what it carries, and killed at random moments: it never doubles, and never
loses (C9, C13, C15).

HAPAX_SEED sets the random numbers."""

import collections
import concurrent.futures
import os
import random
import subprocess
import tempfile
import unittest

from case import IMAGE, new_token, pages
from ctl import DONE, NOT_NOW, OPEN, CtlCase
from proxy import Proxy

SEED = int(os.environ.get("HAPAX_SEED") or random.SystemRandom().randrange(2**32))
FAULT_RATE = 0.3
LINES = 100
KILLS = 40
AT_ONCE = 6
# A line that ends with "run it again" is run again; more often than this it never need be.
MOST_RUNS = 20


class HostileTest(CtlCase):
    def setUp(self):
        super().setUp()
        print(f"HAPAX_SEED={SEED}", flush=True)
        self.chance = random.Random(f"{SEED}.{self._testMethodName}")
        self.proxy = Proxy(self.server, self.chance.randrange(2**32), FAULT_RATE)
        self.addCleanup(self.proxy.close)
        self.env = {"HAPAX_ENDPOINT": self.proxy.address, "HAPAX_ATTEMPT_TIMEOUT": "2s", "HAPAX_TIMEOUT": "20s"}

    def effects(self) -> dict:
        """The instances that there are, by token."""
        found = collections.defaultdict(list)
        for instance in pages(self.client, "DescribeInstances", "instances", page_size=1000):
            found[instance.client_token].append(instance.instance_id)
        return dict(found)

    def told(self, what: str) -> None:
        print(f"{self._testMethodName}: {what}, {self.proxy.requests} requests on the network, "
              f"{sum(self.proxy.faults.values())} faults", flush=True)

    def until_done(self, *words: str):
        """The line, run until it says that it is done."""
        for _ in range(MOST_RUNS):
            ended = self.run_ctl(*words, env=self.env)
            if ended.code == DONE:
                return ended.json
            self.assertIn(ended.code, (OPEN, NOT_NOW), ended)
        raise AssertionError(f"not done after {MOST_RUNS} runs: {words}")

    def test_C9_C13_C15_each_line_has_one_effect_however_often_it_is_run(self):
        tokens = [new_token() for _ in range(LINES // 2)] * 2

        def launch(token: str) -> tuple:
            reply = self.until_done("run-instances", "--image-id", IMAGE, "--client-token", token)
            return token, [instance["instanceId"] for instance in reply["instances"]]

        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            replies = list(pool.map(launch, tokens))
        effects = self.effects()
        self.assertEqual(len(effects), LINES // 2)
        for token, ids in replies:
            self.assertEqual(ids, effects[token])
        self.told(f"{LINES} lines of {len(effects)} tokens, {len(effects)} effects")
        self.assertGreater(sum(self.proxy.faults.values()), LINES * 0.2)

    def test_C15_what_was_killed_is_finished_from_the_journal_and_not_doubled(self):
        with tempfile.TemporaryDirectory(prefix="hapax-ctl-") as work:
            journal = os.path.join(work, "journal")
            tokens, done = [new_token() for _ in range(KILLS)], set()
            for token in tokens:
                process = self.start_ctl("--journal", journal, "run-instances", "--image-id", IMAGE, "--client-token", token,
                                         env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                try:
                    if process.wait(timeout=self.chance.uniform(0.01, 0.15)) == DONE:
                        done.add(token)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            resumed = self.until_done("--journal", journal, "resume")
            effects = self.effects()
            self.assertEqual({token: ids for token, ids in effects.items() if len(ids) != 1}, {})
            # Done, or finished by somebody; the others were killed before they had written their intent, or sent a byte.
            self.assertLessEqual(done | {call["clientToken"] for call in resumed}, set(effects))
            self.assertLessEqual(set(effects), set(tokens))
            self.told(f"{KILLS} lines, {len(done)} done before they were killed, {len(effects)} effects")
            self.assertEqual(self.until_done("--journal", journal, "resume"), [])


if __name__ == "__main__":
    unittest.main()
