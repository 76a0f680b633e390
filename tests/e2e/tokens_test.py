"""Asking by token (C28): what GetToken, ListTokens and GetPolicy say is what happens. AbandonToken is in abandon_test.
"""

import re
import time
import unittest

from case import (ABANDONED, EXECUTED, EXPIRED, FREE, ServerCase, abandon_token, delete_keypair, eventually, get_token,
                  hosts, keypair, list_tokens, new_token, release, run, terminate)
from client import REPLIES, SERVICE, TOKENS
from protos import compute_pb2, resources_pb2, rule_pb2, tokens_pb2

DAY_S = 24 * 3600


class GetTokenTest(ServerCase):
    flags = ("--simulated_boot_latency=20ms",)

    def token(self, token: str, region="", zone="", client=None):
        """What GetToken tells of it; the scope in the reply is the one asked for."""
        told = get_token(client or self.client, token, region, zone).parsed.token
        self.assertEqual((told.client_token, told.availability_zone), (token, zone))
        self.assertEqual(told.region, region or (zone[:-1] if zone else "us-east-1"))
        return told

    def assertFree(self, told) -> None:
        self.assertEqual(told, tokens_pb2.Token(client_token=told.client_token, region=told.region,
                                                availability_zone=told.availability_zone, state=FREE))

    def test_C28_an_unused_token_is_free(self):
        for region, zone in (("", ""), ("eu-west-1", ""), ("", "us-east-1b"), ("eu-west-1", "eu-west-1c")):
            self.assertFree(self.token(new_token(), region, zone))

    def test_C12_C28_a_failed_attempt_leaves_the_token_free(self):
        token = new_token()
        self.assertRefused(self.client.call("RunInstances", run(token, image="ami-none")), "IMAGE_NOT_FOUND")
        self.assertFree(self.token(token))

    def test_C28_of_every_mutating_method_the_reply_byte_for_byte(self):
        instance = self.client.call("RunInstances", run()).parsed.instances[0].instance_id
        eventually(lambda: self.instances()[0].state == resources_pb2.INSTANCE_STATE_RUNNING, "running")
        (host,) = self.client.call("AllocateHosts", hosts()).parsed.host_ids
        self.assertTrue(self.client.call("CreateKeypair", keypair(name="gone")).ok)
        calls = (
            ("RunInstances", run(min_count=3, tags={"a": "1", "b": "2"}), {}),
            ("RunInstances", run(zone="us-east-1b"), {"zone": "us-east-1b"}),
            ("RunInstances", run(subnet_id=self.subnet_in("eu-west-1c")), {"zone": "eu-west-1c"}),
            ("RunInstances", run(region="eu-west-1"), {"region": "eu-west-1"}),
            ("AllocateHosts", hosts(zone="us-east-1d"), {"zone": "us-east-1d"}),
            ("ReleaseHosts", release(host), {}),
            ("CreateKeypair", keypair(), {}),
            ("CreateKeypair", keypair(key_type=resources_pb2.KEY_TYPE_RSA, region="eu-west-1"),
             {"region": "eu-west-1"}),
            ("DeleteKeypair", delete_keypair(name="gone"), {}),
            ("StopInstance", compute_pb2.StopInstanceRequest(instance_id=instance), {}),
            ("TerminateInstances", terminate(instance), {}))
        service = compute_pb2.DESCRIPTOR.services_by_name["Compute"]
        mutating = {method.name for method in service.methods if method.GetOptions().HasExtension(rule_pb2.rule)}
        self.assertEqual(mutating - {method for method, _, _ in calls}, {"StartInstance"})  # As StopInstance.
        done = []
        for method, request, scope in calls:
            request.client_token = new_token()
            before = time.time()
            first = self.assertOutcome(self.client.call(method, request), "executed")
            after = time.time()
            with self.subTest(method=method, scope=scope):
                told = self.token(request.client_token, **scope)
                self.assertEqual((told.state, told.method), (EXECUTED, SERVICE[1:] + method))
                self.assertEqual((told.reply_type, told.reply), (REPLIES[SERVICE + method].DESCRIPTOR.full_name,
                                                                 first.raw))
                executed_s = told.execute_time.ToNanoseconds() / 1e9
                self.assertTrue(before - 0.001 <= executed_s <= after + 0.001, (before, executed_s, after))
                self.assertEqual(told.expire_time.ToNanoseconds() - told.execute_time.ToNanoseconds(), DAY_S * 10**9)
                self.assertFalse(told.HasField("abandon_time"))
                done.append((request.client_token, scope, told))
        self.server.kill()
        self.server.start()
        for token, scope, told in done:
            self.assertEqual(self.token(token, **scope), told)

    def test_C6_C28_a_token_is_told_of_in_its_own_scope_alone(self):
        token = new_token()
        self.assertOutcome(self.client.call("RunInstances", run(token, zone="us-east-1a")), "executed")
        self.assertEqual(self.token(token, zone="us-east-1a").state, EXECUTED)
        self.assertEqual(self.token(token, "us-east-1", "us-east-1a").state, EXECUTED)
        for region, zone in (("", ""), ("us-east-1", ""), ("eu-west-1", ""), ("", "us-east-1b"), ("", "eu-west-1a")):
            self.assertFree(self.token(token, region, zone))
        self.assertFree(self.token(token.upper(), zone="us-east-1a"))

    def test_C24_C28_the_first_reply_of_an_operation_though_a_retry_gets_it_as_it_stands(self):
        instance = self.client.call("RunInstances", run()).parsed.instances[0].instance_id
        eventually(lambda: self.instances()[0].state == resources_pb2.INSTANCE_STATE_RUNNING, "running")
        request = compute_pb2.StopInstanceRequest(client_token=new_token(), instance_id=instance)
        first = self.assertOutcome(self.client.call("StopInstance", request), "executed")
        self.assertFalse(first.parsed.done)
        eventually(
            lambda: self.assertOutcome(self.client.call("StopInstance", request), "replayed").parsed.done, "done")
        self.assertEqual(self.token(request.client_token).reply, first.raw)

    def test_C4_C28_another_tenants_token_is_free(self):
        token, other = new_token(), self.client_of("other-" + self.tenant[:50])
        self.assertOutcome(self.client.call("CreateKeypair", keypair(token)), "executed")
        self.assertFree(self.token(token, client=other))
        self.assertEqual(list_tokens(other), [])

    def test_C28_asking_changes_nothing(self):
        token = new_token()
        for _ in range(3):
            self.assertFree(self.token(token))
        self.assertOutcome(self.client.call("RunInstances", run(token)), "executed")
        self.assertIsNone(get_token(self.client, token).outcome)


class ListTokensTest(ServerCase):
    def use(self) -> set:
        """Executes and abandons tokens in several scopes; returns (region, zone, token, state) of each."""
        used = set()
        for i in range(5):
            token = f"{i}-{new_token()}"
            for region, zone in (("us-east-1", ""), ("us-east-1", "us-east-1b"), ("eu-west-1", "")):
                request = run(token, zone=zone, region=region)
                self.assertOutcome(self.client.call("RunInstances", request), "executed")
                used.add((region, zone, token, EXECUTED))
            self.assertTrue(abandon_token(self.client, token, zone="eu-west-1a").ok)
            used.add(("eu-west-1", "eu-west-1a", token, ABANDONED))
        self.assertRefused(self.client.call("RunInstances", run(new_token(), image="ami-none")), "IMAGE_NOT_FOUND")
        return used

    def listed(self, **fields) -> list:
        return [(t.region, t.availability_zone, t.client_token, t.state) for t in list_tokens(self.client, **fields)]

    def test_C28_lists_the_tenants_tokens_in_order_whatever_the_page(self):
        used = sorted(self.use())
        for page_size in (0, 1, 3, 7, 20, 1000):
            with self.subTest(page_size):
                self.assertEqual(self.listed(page_size=page_size), used)

    def test_C28_by_region_and_by_token(self):
        used = sorted(self.use())
        token = used[0][2]
        for page_size in (0, 1, 2):
            for fields, expected in (
                    ({"region": "us-east-1"}, [row for row in used if row[0] == "us-east-1"]),
                    ({"client_token": token}, [row for row in used if row[2] == token]),
                    ({"region": "eu-west-1", "client_token": token},
                     [row for row in used if row[0] == "eu-west-1" and row[2] == token]),
                    ({"client_token": token.upper()}, []), ({"client_token": token[:-1]}, [])):
                with self.subTest(fields, page_size=page_size):
                    self.assertEqual(self.listed(page_size=page_size, **fields), expected)

    def test_C28_shows_what_GetToken_shows_but_for_the_reply(self):
        self.use()
        self.assertOutcome(self.client.call("CreateKeypair", keypair(new_token())), "executed")
        for listed in list_tokens(self.client):
            told = get_token(self.client, listed.client_token, listed.region, listed.availability_zone).parsed.token
            self.assertEqual(bool(told.reply), told.state == EXECUTED)
            told.ClearField("reply")
            told.ClearField("reply_type")
            self.assertEqual(listed, told)

    def test_C4_C28_nobody_elses(self):
        used = self.use()
        # Names that begin like the tenant's, or that the tenant's begins like.
        for name in (self.tenant + "0", self.tenant[:-1], self.tenant.upper(), "default"):
            self.assertEqual({t.client_token for t in list_tokens(self.client_of(name))}
                             & {token for _, _, token, _ in used}, set(), name)


class ExpiredTokenTest(ServerCase):
    flags = ("--token_retention=1ms",)

    def test_C17_C28_an_expired_token_is_told_of_without_its_reply(self):
        for method, request, zone in (
                ("RunInstances", run(new_token()), ""), ("CreateKeypair", keypair(new_token()), ""),
                ("RunInstances", run(new_token(), zone="us-east-1a"), "us-east-1a")):
            self.assertOutcome(self.client.call(method, request), "executed")
            told = eventually(lambda: (found := get_token(self.client, request.client_token, zone=zone).parsed.token)
                              and found.state == EXPIRED and found, "expired")
            self.assertEqual((told.method, told.reply, told.reply_type), (SERVICE[1:] + method, b"", ""))
            self.assertEqual(told.expire_time.ToNanoseconds() - told.execute_time.ToNanoseconds(), 10**6)
            self.assertIn(told, list_tokens(self.client))
            # It is too late to give it up: it was executed.
            self.assertEqual(abandon_token(self.client, request.client_token, zone=zone).parsed.token, told)
            self.assertRefused(self.client.call(method, request), "CLIENT_TOKEN_EXPIRED")


class PolicyTest(ServerCase):
    flags = ("--token_retention=36h30m", "--token_tombstone_retention=1500ms", "--default_region=eu-west-1")

    def policy(self, client=None):
        reply = (client or self.client).call(TOKENS + "GetPolicy", tokens_pb2.GetPolicyRequest())
        return reply.parsed

    def test_C28_the_policy_is_what_the_flags_say(self):
        policy = self.policy()
        self.assertEqual(policy.retention.ToMilliseconds(), 36.5 * 3600 * 1000)
        self.assertEqual(policy.tombstone_retention.ToMilliseconds(), 1500)
        self.assertEqual(policy.default_region, "eu-west-1")
        rules = {f"{service.full_name}/{method.name}": method.GetOptions().Extensions[rule_pb2.rule]
                 for service in compute_pb2.DESCRIPTOR.services_by_name.values() for method in service.methods}
        self.assertEqual({method.method: method.retention for method in policy.methods},
                         {name: rule.retention for name, rule in rules.items() if rule.HasField("retention")})

    def test_C17_C28_a_token_expires_when_the_policy_says_and_in_its_default_region(self):
        token = new_token()
        self.assertOutcome(self.client.call("RunInstances", run(token)), "executed")
        told = get_token(self.client, token).parsed.token
        self.assertEqual(told.region, "eu-west-1")
        kept = told.expire_time.ToNanoseconds() - told.execute_time.ToNanoseconds()
        self.assertEqual(kept, self.policy().retention.ToNanoseconds())

    def test_C2_C28_the_pattern_of_a_token_is_the_servers(self):
        policy = self.policy()
        self.assertEqual(policy.max_token_length, 64)
        printable = "".join(map(chr, range(0x21, 0x7F)))
        for token in ("t", "t" * 64, "t" * 65, printable[:64], printable[-64:], "two words", "tab\t", "\x7f"):
            with self.subTest(token):
                allowed = re.fullmatch(policy.token_pattern, token) is not None
                self.assertEqual(get_token(self.client, token).ok, allowed)
                self.assertEqual(self.client.call("RunInstances", run(token)).ok, allowed)


class BadInputTest(ServerCase):
    def test_C27_C28_each_wrong_field_is_named(self):
        for method in ("GetToken", "AbandonToken"):
            request = getattr(tokens_pb2, method + "Request")
            for fields, reason, field in (
                    ({"client_token": ""}, "INVALID_CLIENT_TOKEN", "client_token"),
                    ({"client_token": "t" * 65}, "INVALID_CLIENT_TOKEN", "client_token"),
                    ({"client_token": "two words"}, "INVALID_CLIENT_TOKEN", "client_token"),
                    ({"client_token": "schlüssel"}, "INVALID_CLIENT_TOKEN", "client_token"),
                    ({"region": "mars-1"}, "UNKNOWN_REGION", "region"),
                    ({"availability_zone": "us-east-1z"}, "UNKNOWN_AVAILABILITY_ZONE", "availability_zone"),
                    ({"availability_zone": "us-east-1"}, "UNKNOWN_AVAILABILITY_ZONE", "availability_zone"),
                    ({"region": "eu-west-1", "availability_zone": "us-east-1a"}, "INVALID_PARAMETER", "region"),
                    ({"region": "mars-1", "client_token": ""}, "INVALID_CLIENT_TOKEN", "client_token")):
                with self.subTest(method=method, fields=fields):
                    reply = self.client.call(TOKENS + method, request(**{"client_token": "token", **fields}))
                    self.assertRefused(reply, reason, field)
        self.assertEqual(list_tokens(self.client), [])

    def test_C27_C28_lists(self):
        for fields, reason, field in (
                ({"region": "mars-1"}, "UNKNOWN_REGION", "region"),
                ({"client_token": "t" * 65}, "INVALID_CLIENT_TOKEN", "client_token"),
                ({"client_token": "two words"}, "INVALID_CLIENT_TOKEN", "client_token"),
                ({"page_size": -1}, "INVALID_PARAMETER", "page_size"),
                ({"page_size": 1001}, "INVALID_PARAMETER", "page_size"),
                ({"page_token": "no page of mine"}, "INVALID_PARAMETER", "page_token")):
            with self.subTest(fields):
                reply = self.client.call(TOKENS + "ListTokens", tokens_pb2.ListTokensRequest(**fields))
                self.assertRefused(reply, reason, field)

    def test_C4_C27_undecodable_bytes_and_tenants(self):
        for method in ("GetToken", "ListTokens", "AbandonToken", "GetPolicy"):
            self.assertRefused(self.client.call(TOKENS + method, b"\xff"), "INVALID_PARAMETER")
            refused = self.client_of("no/tenant").call(TOKENS + method, b"")
            self.assertRefused(refused, "INVALID_PARAMETER", "x-tenant-id")


if __name__ == "__main__":
    unittest.main()
