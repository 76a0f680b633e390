"""No clock makes a token free (C29): a server whose wall clock is ahead or back, at a start or while it runs."""

import re
import time
import unittest

import wrong_clock
from case import EXECUTED, FREE, ContractCase, eventually, get_token, keypair, new_token, pages, run, uuid7
from client import TOKENS, Client
from harness import Server
from protos import tokens_pb2

HOUR_S = 3600
DAY_S = 24 * HOUR_S


@unittest.skipIf(*wrong_clock.missing())
class ClockTest(ContractCase):
    def setUp(self):
        self.clock = wrong_clock.WrongClock()
        self.addCleanup(self.clock.close)
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.environment = self.clock.environment
        self.server.start()
        self.client = Client(self.server, "tenant")
        self.addCleanup(self.client.close)

    def restart(self, ahead_s: int) -> None:
        self.server.stop()
        self.clock.set(ahead_s)
        self.server.start()

    def test_C29_tokens_are_replayed_through_starts_with_the_clock_ahead_and_back(self):
        calls = [("RunInstances", run(new_token())), ("RunInstances", run(uuid7(time.time()))),
                 ("CreateKeypair", keypair(new_token()))]
        first = [self.assertOutcome(self.client.call(*call), "executed") for call in calls]
        for ahead_s in (40 * DAY_S, 0, 25 * HOUR_S, 0, -HOUR_S, -400 * DAY_S, 0):
            self.restart(ahead_s)
            with self.subTest(ahead_s=ahead_s):
                for call, then in zip(calls, first):
                    self.assertReplays(self.client.call(*call), then)
                    self.assertEqual(get_token(self.client, call[1].client_token).parsed.token.state, EXECUTED)
                self.assertOutcome(self.client.call("RunInstances", run(uuid7(time.time()))), "executed")

    def test_C29_the_server_says_when_its_clock_is_ahead(self):
        policy = lambda: self.client.call(TOKENS + "GetPolicy", tokens_pb2.GetPolicyRequest()).parsed
        self.assertFalse(policy().HasField("clock_ahead"))
        self.restart(40 * DAY_S)
        self.assertAlmostEqual(policy().clock_ahead.ToSeconds(), 40 * DAY_S, delta=60)
        eventually(lambda: re.search("the clock is ahead by 9(60|59)h", self.server.stderr), "said in the log")

    def test_C29_a_uuid_from_more_than_a_day_ahead_is_refused_and_leaves_nothing(self):
        for token in ("ffffffff-ffff-7fff-bfff-ffffffffffff", uuid7(time.time() + 25 * HOUR_S)):
            reply = self.client.call("RunInstances", run(token))
            self.assertRefused(reply, "INVALID_CLIENT_TOKEN")
            self.assertEqual(get_token(self.client, token).parsed.token.state, FREE)
        self.assertEqual(pages(self.client, "DescribeInstances", "instances"), [])


if __name__ == "__main__":
    unittest.main()
