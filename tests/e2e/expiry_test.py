"""Tokens that grow old (C17): a retry is replayed until its token expires, refused while that is remembered, and never
has a second effect in silence."""

import time
import unittest

from case import (EXECUTED, EXPIRED, FREE, ContractCase, abandon_token, eventually, get_token, keypair, list_tokens,
                  new_token, pages, run, uuid7)
from client import Client
from harness import Server

HOUR_S = 3600


def seconds(timestamp) -> float:
    return timestamp.ToMicroseconds() / 1e6


class ExpiryCase(ContractCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.client = Client(self.server, "tenant")
        self.addCleanup(self.client.close)

    def start(self, retention: str, tombstone: str) -> None:
        self.server.flags = (f"--token_retention={retention}", f"--token_tombstone_retention={tombstone}")
        self.server.start()

    def restart(self, retention: str, tombstone: str) -> None:
        self.server.stop()
        self.start(retention, tombstone)

    def execute(self, request, method="RunInstances"):
        return self.assertOutcome(self.client.call(method, request), "executed")

    def execute_new_uuid(self):
        """The request and the reply of an execution under a token that tells its age. On a busy machine a call may
        arrive after its token has expired; then another one is made."""
        def executed():
            request = run(uuid7(time.time()))
            reply = self.client.call("RunInstances", request)
            if not reply.ok:
                self.assertRefused(reply, "CLIENT_TOKEN_EXPIRED")
                return None
            return request, self.assertOutcome(reply, "executed")

        return eventually(executed, "an execution")

    def token(self, token: str, zone=""):
        return get_token(self.client, token, zone=zone).parsed.token

    def launches(self, token: str) -> int:
        return len(pages(self.client, "DescribeInstances", "instances", client_token=token))

    def assertExpired(self, request, method="RunInstances") -> None:
        self.assertRefused(self.client.call(method, request), "CLIENT_TOKEN_EXPIRED")
        told = self.token(request.client_token)
        self.assertEqual((told.state, told.reply, told.reply_type), (EXPIRED, b"", ""))

    def until_expired(self, request, first, method="RunInstances") -> None:
        """Retries until the token has expired. By the clock, a retry is replayed before that, and refused after."""
        expires_s = seconds(self.token(request.client_token).expire_time)

        def refused() -> bool:
            sent_s = time.time()
            reply = self.client.call(method, request)
            if reply.ok:
                self.assertReplays(reply, first)
                self.assertLess(sent_s, expires_s)
                return False
            self.assertRefused(reply, "CLIENT_TOKEN_EXPIRED")
            self.assertGreaterEqual(time.time(), expires_s)
            return True

        eventually(refused, "expired")


class RetentionTest(ExpiryCase):
    def test_C17_a_retry_is_replayed_then_refused_without_a_second_effect_whatever_restarts(self):
        self.start("2s", "1h")
        launch, pair = run(new_token()), keypair(new_token())
        first, made = self.execute(launch), self.execute(pair, "CreateKeypair")
        self.assertReplays(self.client.call("RunInstances", launch), first)
        self.assertReplays(self.client.call("CreateKeypair", pair), made)
        self.until_expired(launch, first)
        self.until_expired(pair, made, "CreateKeypair")
        told = self.token(launch.client_token)
        for end in (None, self.server.stop, self.server.kill):
            if end:
                end()
                self.server.start()
            with self.subTest(after=end):
                self.assertExpired(launch)
                self.assertExpired(pair, "CreateKeypair")
                self.assertRefused(self.client.call("RunInstances", run(launch.client_token, min_count=2)),
                                   "CLIENT_TOKEN_EXPIRED")
                self.assertRefused(self.client.call("CreateKeypair", keypair(launch.client_token, "other")),
                                   "CLIENT_TOKEN_EXPIRED")
                self.assertEqual(self.token(launch.client_token), told)
        self.assertEqual(self.launches(launch.client_token), 1)
        self.assertEqual(len(pages(self.client, "DescribeKeypairs", "key_pairs")), 1)
        self.execute(run(new_token()))  # As `hapax-retry: new-token` says.

    def test_C17_it_expires_while_the_server_is_down(self):
        self.start("200ms", "1h")
        launch = run(new_token(), zone="us-east-1a")
        self.execute(launch)
        expires_s = seconds(self.token(launch.client_token, "us-east-1a").expire_time)
        self.server.kill()
        eventually(lambda: time.time() > expires_s, "expired")
        self.server.start()
        self.assertRefused(self.client.call("RunInstances", launch), "CLIENT_TOKEN_EXPIRED")
        self.assertEqual(self.token(launch.client_token, "us-east-1a").state, EXPIRED)
        self.assertEqual(self.launches(launch.client_token), 1)

    def test_C17_a_server_with_other_flags_keeps_what_was_promised(self):
        self.start("1h", "1h")
        long = run(uuid7(time.time()))
        kept = self.execute(long)
        told = self.token(long.client_token)
        self.restart("1s", "1h")
        short = run(new_token())
        first = self.execute(short)
        self.until_expired(short, first)
        self.assertEqual(self.token(long.client_token), told)  # Also the age that it tells is no matter.
        self.assertReplays(self.client.call("RunInstances", long), kept)
        self.restart("24h", "0")
        self.assertExpired(short)
        self.assertEqual(self.token(long.client_token), told)
        self.assertReplays(self.client.call("RunInstances", long), kept)
        self.assertEqual((self.launches(short.client_token), self.launches(long.client_token)), (1, 1))


class TombstoneTest(ExpiryCase):
    def test_C17_after_the_tombstone_a_plain_token_is_free_and_one_that_tells_its_age_is_refused_for_ever(self):
        self.start("500ms", "1s")
        aged, _ = self.execute_new_uuid()
        plain, asked = run(new_token()), run(new_token())
        begun_s = time.time()
        first = self.execute(plain)
        forgotten_after_s, forgotten_by_s = begun_s + 1.5, time.time() + 1.5
        self.execute(asked)

        history = [EXECUTED]

        def executes_again() -> bool:
            sent_s = time.time()
            reply = self.client.call("RunInstances", plain)
            if not reply.ok:
                self.assertRefused(reply, "CLIENT_TOKEN_EXPIRED")
                self.assertLess(sent_s, forgotten_by_s)
            elif reply.outcome == "executed":
                self.assertGreaterEqual(time.time(), forgotten_after_s)
            else:
                self.assertReplays(reply, first)
            state = self.token(asked.client_token).state
            if state != history[-1]:
                history.append(state)
            return reply.outcome == "executed"

        eventually(executes_again, "executed again")
        eventually(lambda: self.token(asked.client_token).state == FREE, "forgotten")
        self.assertEqual(history, sorted(history, key=(EXECUTED, EXPIRED, FREE).index))
        self.assertNotIn(asked.client_token, [token.client_token for token in list_tokens(self.client)])
        for end in (None, self.server.stop, self.server.kill):
            if end:
                end()
                self.server.start()
            self.assertExpired(aged)
        self.assertEqual((self.launches(plain.client_token), self.launches(aged.client_token)), (2, 1))

    def test_C17_a_token_from_the_future_is_remembered_until_its_own_time_has_it_refused(self):
        self.start("500ms", "0")
        made_s = time.time() + 2
        request = run(uuid7(made_s))
        first = self.execute(request)
        self.until_expired(request, first)

        def past_its_own_time() -> bool:
            late = time.time() > made_s + 1
            self.assertExpired(request)
            return late

        eventually(past_its_own_time, "past its own time")
        self.assertEqual(self.launches(request.client_token), 1)

    def test_C17_a_longer_retention_executes_nothing_that_a_shorter_one_forgot(self):
        self.start("500ms", "0s")
        launch, first = self.execute_new_uuid()
        self.until_expired(launch, first)
        self.restart("24h", "24h")
        self.assertExpired(launch)
        self.execute(run(uuid7(time.time())))
        self.restart("48h", "24h")
        self.assertExpired(launch)


class AgeTest(ExpiryCase):
    def test_C17_a_token_that_was_never_used_is_refused_by_its_age(self):
        self.start("24h", "720h")
        now_s = time.time()
        for token in (uuid7(now_s - 24 * HOUR_S - 1), uuid7(now_s - 25 * HOUR_S).upper(), uuid7(1), uuid7(0)):
            with self.subTest(token):
                for request in (run(token), run(token, image="ami-none"), run(token, min_count=-1)):
                    self.assertExpired(request)
                self.assertRefused(self.client.call("CreateKeypair", keypair(token)), "CLIENT_TOKEN_EXPIRED")
                # It cannot be told whether it was executed, so it cannot be said to be abandoned.
                self.assertEqual(abandon_token(self.client, token).parsed.token.state, EXPIRED)
                self.assertEqual(self.launches(token), 0)

    def test_C17_only_a_uuid_of_version_7_tells_its_age(self):
        self.start("24h", "720h")
        now_s = time.time()
        old = uuid7(now_s - 25 * HOUR_S)
        other_version, other_variant = old[:14] + "4" + old[15:], old[:19] + "c" + old[20:]
        for token in (uuid7(now_s), uuid7(now_s - 23 * HOUR_S), uuid7(now_s + 9 * HOUR_S), other_version, other_variant,
                      old.replace("-", ""), "{" + old + "}", old[:-1], old[:-1] + "g"):
            with self.subTest(token):
                self.assertEqual(self.token(token).state, FREE)
                first = self.execute(run(token))
                self.assertReplays(self.client.call("RunInstances", run(token)), first)


class FlagsTest(ExpiryCase):
    def test_a_wrong_value_is_told_with_its_flag(self):
        for flag, values in (
                ("token_retention", ("0", "-1s", "soon", "24", "inf", "87601h", "1us", "")),
                ("token_tombstone_retention", ("-1s", "soon", "30d", "inf", "87601h", ""))):
            for value in values:
                with self.subTest(flag=flag, value=value):
                    self.server.flags = (f"--{flag}={value}",)
                    stderr = self.server.refused_start()
                    self.assertRegex(stderr, rf"(--|'){flag}\b")
                    self.assertFalse(self.server.data_dir.exists())

    def test_the_bounds_themselves_are_taken(self):
        for retention, tombstone in (("1ms", "0"), ("87600h", "87600h")):
            self.start(retention, tombstone)
            self.execute(run(new_token()))
            self.server.stop()


if __name__ == "__main__":
    unittest.main()
