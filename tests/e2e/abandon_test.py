"""AbandonToken (C20): a token that was given up before anything was executed with it never executes anything, and of an
attempt and an AbandonToken that race exactly one wins, as both of them, GetToken and DescribeInstances tell."""

import concurrent.futures
import random
import unittest

from case import (ABANDONED, EXECUTED, FREE, ServerCase, abandon_token, get_token, hosts, keypair, new_token, run,
                  terminate)
from client import TOKENS, Client
from protos import tokens_pb2

TOKENS_A_RACER = 60
RACERS = 6
# Methods and requests without a token, with the zone of their scope.
CALLS = (("RunInstances", run(), ""), ("RunInstances", run(zone="us-east-1b"), "us-east-1b"),
         ("AllocateHosts", hosts(zone="eu-west-1a"), "eu-west-1a"), ("CreateKeypair", keypair(), ""),
         ("TerminateInstances", terminate("i-00000000000000000"), ""))


def with_token(request, token: str):
    request.client_token = token
    return request


class AbandonTest(ServerCase):
    def tearDown(self):
        fenced = [token for token, _, _ in self.fenced]
        self.assertEqual([i for i in self.instances() if i.client_token in fenced], [])
        self.assertEqual(self.hosts(), [])

    def setUp(self):
        super().setUp()
        self.fenced = []

    def abandon(self, zone="", region=""):
        """Gives a fresh token up."""
        token = new_token()
        told = abandon_token(self.client, token, region, zone).parsed.token
        self.assertEqual((told.client_token, told.availability_zone, told.state), (token, zone, ABANDONED))
        self.assertTrue(told.HasField("abandon_time"))
        self.assertEqual((told.method, told.reply, told.HasField("execute_time"), told.HasField("expire_time")),
                         ("", b"", False, False))
        self.fenced.append((token, region, zone))
        return told

    def assertFenced(self, method: str, request) -> None:
        for _ in range(2):
            self.assertRefused(self.client.call(method, request), "CLIENT_TOKEN_ABANDONED")

    def test_C20_a_late_original_of_any_method_is_refused_for_ever(self):
        for method, request, zone in CALLS:
            with self.subTest(method=method, zone=zone):
                told = self.abandon(zone)
                self.assertFenced(method, with_token(request, told.client_token))
                self.assertEqual(get_token(self.client, told.client_token, zone=zone).parsed.token, told)

    def test_C20_C21_the_fence_comes_before_parameters_and_existence(self):
        token = self.abandon().client_token
        for request in (run(token, image="ami-none"), run(token, min_count=-1), run(token, min_count=30_000)):
            self.assertFenced("RunInstances", request)

    def test_C20_giving_up_again_says_the_same(self):
        told = self.abandon("us-east-1a")
        for _ in range(3):
            again = abandon_token(self.client, told.client_token, zone="us-east-1a").parsed.token
            self.assertEqual(again, told)

    def test_C6_C20_other_scopes_and_other_tokens_are_not_fenced(self):
        token = self.abandon("us-east-1a").client_token
        self.fenced.clear()
        for request in (run(token), run(token, zone="us-east-1b"), run(token, region="eu-west-1"),
                        run(token.upper(), zone="us-east-1a"), run(new_token(), zone="us-east-1a")):
            self.assertOutcome(self.client.call("RunInstances", request), "executed")
        self.assertFenced("RunInstances", run(token, zone="us-east-1a"))

    def test_C20_what_was_executed_stays_and_the_caller_is_told_so_with_the_reply(self):
        for method, request, zone in (CALLS[0], CALLS[1], CALLS[3]):
            token = new_token()
            first = self.assertOutcome(self.client.call(method, with_token(request, token)), "executed")
            for _ in range(2):
                told = abandon_token(self.client, token, zone=zone).parsed.token
                self.assertEqual((told.state, told.reply), (EXECUTED, first.raw))
                self.assertFalse(told.HasField("abandon_time"))
                self.assertEqual(told, get_token(self.client, token, zone=zone).parsed.token)
            self.assertReplays(self.client.call(method, request), first)

    def test_C12_C20_a_failed_attempt_may_be_given_up(self):
        token = new_token()
        self.assertRefused(self.client.call("RunInstances", run(token, image="ami-none")), "IMAGE_NOT_FOUND")
        self.assertEqual(abandon_token(self.client, token).parsed.token.state, ABANDONED)
        self.assertFenced("RunInstances", run(token))

    def test_C4_C20_giving_up_does_nothing_to_another_tenants_token(self):
        used, unused = new_token(), new_token()
        first = self.assertOutcome(self.client.call("RunInstances", run(used)), "executed")
        other = self.client_of("other-" + self.tenant[:50])
        for token in (used, unused):
            told = abandon_token(other, token).parsed.token
            self.assertEqual((told.state, told.reply), (ABANDONED, b""))
        self.assertReplays(self.client.call("RunInstances", run(used)), first)
        self.assertEqual(get_token(self.client, unused).parsed.token.state, FREE)
        self.assertOutcome(self.client.call("RunInstances", run(unused)), "executed")
        self.assertRefused(other.call("RunInstances", run(unused)), "CLIENT_TOKEN_ABANDONED")

    def test_C14_C20_the_fence_survives_kill_minus_9_and_restarts(self):
        told = [self.abandon(zone) for zone in ("", "us-east-1b") * 5]
        for end in (self.server.kill, self.server.stop):
            end()
            self.server.start()
            for token in told:
                request = run(token.client_token, zone=token.availability_zone)
                self.assertFenced("RunInstances", request)
                again = get_token(self.client, token.client_token, zone=token.availability_zone).parsed.token
                self.assertEqual(again, token)


class RaceTest(ServerCase):
    """Two attempts and an AbandonToken of one token, over three connections at once."""

    def test_C11_C20_exactly_one_of_executed_and_abandoned_wins_and_everybody_learns_which(self):
        chance = random.Random(20)
        won = {EXECUTED: {}, ABANDONED: {}}
        with concurrent.futures.ThreadPoolExecutor(RACERS) as pool:
            for done in [pool.submit(self.race, random.Random(chance.random())) for _ in range(RACERS)]:
                for state, token, reply in done.result():
                    won[state][token] = reply
        executed, abandoned = won[EXECUTED], won[ABANDONED]
        self.assertEqual(len(executed) + len(abandoned), RACERS * TOKENS_A_RACER)
        self.assertTrue(executed and abandoned, f"no race: {len(executed)} executed, {len(abandoned)} abandoned")
        self.assertOneEffectEach(executed)
        self.server.kill()
        self.server.start()
        for token, reply in executed.items():
            self.assertReplays(self.client.call("RunInstances", run(token)), reply)
        for token in abandoned:
            self.assertRefused(self.client.call("RunInstances", run(token)), "CLIENT_TOKEN_ABANDONED")
        self.assertOneEffectEach(executed)

    def assertOneEffectEach(self, executed: dict) -> None:
        expected = sorted(reply.parsed.instances[0].instance_id for reply in executed.values())
        found = self.instances(page_size=1000)
        self.assertEqual(sorted(i.instance_id for i in found), expected)
        self.assertEqual(sorted(i.client_token for i in found), sorted(executed))

    def race(self, chance: random.Random) -> list:
        """Races for fresh tokens, one after the other. Returns (state, token, reply with the effect) of each."""
        clients = [Client(self.server, self.tenant) for _ in range(3)]
        try:
            return [self.race_once(clients, new_token(), chance) for _ in range(TOKENS_A_RACER)]
        finally:
            for client in clients:
                client.close()

    def race_once(self, clients, token: str, chance: random.Random):
        giving_up = (TOKENS + "AbandonToken", tokens_pb2.AbandonTokenRequest(client_token=token))
        calls = [giving_up, ("RunInstances", run(token)), ("RunInstances", run(token))]
        order = chance.sample(range(3), 3)
        pending = {i: clients[i].start(*calls[i]) for i in order}
        told, *attempts = [pending[i].reply() for i in range(3)]
        state = told.parsed.token.state
        self.assertEqual(get_token(clients[0], token).parsed.token, told.parsed.token)
        if state == ABANDONED:
            for attempt in attempts:
                self.assertRefused(attempt, "CLIENT_TOKEN_ABANDONED")
            return state, token, None
        self.assertEqual(state, EXECUTED, told.parsed)
        self.assertEqual(sorted(attempt.outcome or str(attempt) for attempt in attempts), ["executed", "replayed"])
        self.assertEqual({attempt.raw for attempt in attempts}, {told.parsed.token.reply})
        return state, token, attempts[0]


if __name__ == "__main__":
    unittest.main()
