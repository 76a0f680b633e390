"""The contract, clause by clause, as a client sees it: the token, its scope, and what happens on a retry.

C10 and C22 are in parameters_test, C16 in catalog_test, C13 and C14 in seeds_test and crash_test."""

import random
import unittest

import raw_http2
from case import (IMAGE, ServerCase, delete_keypair, eventually, hosts, keypair, new_token, release, run,
                  terminate)
from client import SERVICE
from protos import compute_pb2, resources_pb2

DUPLICATES = 64


def header(name: str, value: str) -> tuple:
    return ((name, value),)


class TokenTest(ServerCase):
    def test_C1_field_and_both_headers_are_the_same_token(self):
        token = new_token()
        first = self.assertOutcome(self.client.call("RunInstances", run(token)), "executed")
        for metadata in (header("x-client-token", token), header("idempotency-key", token),
                         header("idempotency-key", f'"{token}"'),
                         header("x-client-token", token) + header("idempotency-key", token)):
            with self.subTest(metadata):
                self.assertReplays(self.client.call("RunInstances", run(), metadata), first)
                self.assertReplays(self.client.call("RunInstances", run(token), metadata), first)
        self.assertEqual(len(self.instances(client_token=token)), 1)

    def test_C1_a_quoted_key_is_unquoted_as_a_structured_field_string(self):
        metadata = header("idempotency-key", r'"say\"hi\"\\"')
        first = self.assertOutcome(self.client.call("RunInstances", run(), metadata), "executed")
        self.assertReplays(self.client.call("RunInstances", run('say"hi"\\')), first)

    def test_C1_every_mutating_method_takes_the_headers(self):
        instance = self.client.call("RunInstances", run()).parsed.instances[0].instance_id
        headers = ("x-client-token", "idempotency-key")
        spare = dict(zip(headers, self.client.call("AllocateHosts", hosts(quantity=2)).parsed.host_ids))
        for method, request in (("RunInstances", run()), ("AllocateHosts", hosts()), ("CreateKeypair", keypair()),
                                ("DeleteKeypair", delete_keypair()), ("ReleaseHosts", release("")),
                                ("TerminateInstances", terminate(instance))):
            for name in headers:
                with self.subTest(method=method, header=name):
                    if method.endswith("Keypair"):
                        request.key_name = name
                    if method == "ReleaseHosts":
                        request.host_ids[:] = [spare[name]]
                    metadata = header(name, new_token())
                    first = self.assertOutcome(self.client.call(method, request, metadata), "executed")
                    self.assertReplays(self.client.call(method, request, metadata), first)

    def test_C1_tokens_that_disagree_are_refused(self):
        for request, metadata in (
                (run("one"), header("x-client-token", "other")),
                (run("one"), header("idempotency-key", "other")),
                (run(), header("x-client-token", "one") + header("idempotency-key", "other")),
                (run("one"), header("x-client-token", "ONE"))):
            with self.subTest(metadata):
                self.assertRefused(self.client.call("RunInstances", request, metadata), "CLIENT_TOKEN_CONFLICT")
        self.assertEqual(self.instances(), [])

    def test_C2_every_printable_ascii_character_is_allowed_and_64_of_them(self):
        printable = "".join(map(chr, range(0x21, 0x7F)))
        for token in ("t" * 64, printable[:64], printable[-64:], "!", "~"):
            with self.subTest(token):
                first = self.assertOutcome(self.client.call("RunInstances", run(token)), "executed")
                self.assertReplays(self.client.call("RunInstances", run(token)), first)

    def test_C2_case_makes_another_token(self):
        self.assertOutcome(self.client.call("RunInstances", run("Token")), "executed")
        self.assertOutcome(self.client.call("RunInstances", run("token")), "executed")

    def test_C3_without_a_token_every_call_has_its_effect(self):
        for _ in range(2):
            self.assertOutcome(self.client.call("RunInstances", run()), "unprotected")
        self.assertEqual([instance.client_token for instance in self.instances()], ["", ""])

    def test_C26_only_a_replay_is_marked_as_one(self):
        token = new_token()
        marks = [self.client.call("RunInstances", request).initial for request in (run(token), run(token), run())]
        self.assertEqual([mark.get("hapax-outcome") for mark in marks], ["executed", "replayed", "unprotected"])
        self.assertEqual([mark.get("idempotent-replayed") for mark in marks], [None, "true", None])


class ScopeTest(ServerCase):
    def test_C4_two_tenants_never_meet(self):
        token = new_token()
        mine = self.assertOutcome(self.client.call("RunInstances", run(token)), "executed").parsed
        other = self.client_of("other-" + self.tenant[:50])
        theirs = self.assertOutcome(other.call("RunInstances", run(token, min_count=2)), "executed").parsed
        self.assertEqual((mine.owner_id, theirs.owner_id), (self.tenant, "other-" + self.tenant[:50]))
        self.assertEqual({i.reservation_id for i in self.instances()}, {mine.reservation_id})
        self.assertEqual({i.reservation_id for i in self.instances(other)}, {theirs.reservation_id})
        theft = terminate(mine.instances[0].instance_id)
        self.assertRefused(other.call("TerminateInstances", theft), "INSTANCE_NOT_FOUND")

    def test_C4_no_tenant_is_the_tenant_default(self):
        token = new_token()
        first = self.assertOutcome(self.client_of(None).call("RunInstances", run(token)), "executed")
        self.assertEqual(first.parsed.owner_id, "default")
        self.assertReplays(self.client_of("default").call("RunInstances", run(token)), first)

    def test_C5_a_subnet_names_its_zone(self):
        token, subnet = new_token(), self.subnet_in("us-east-1b")
        by_subnet = self.assertOutcome(self.client.call("RunInstances", run(token, subnet_id=subnet)), "executed")
        self.assertEqual(by_subnet.parsed.instances[0].availability_zone, "us-east-1b")
        self.assertOutcome(self.client.call("RunInstances", run(token)), "executed")  # Regional: another scope.
        by_zone = self.client.call("RunInstances", run(token, zone="us-east-1b"))
        self.assertRefused(by_zone, "IDEMPOTENT_PARAMETER_MISMATCH")
        self.assertEqual(sorted(by_zone.fields), ["placement", "subnet_id"])

    def test_C5_a_zone_and_a_subnet_that_disagree_are_refused(self):
        request = run(new_token(), zone="us-east-1a", subnet_id=self.subnet_in("us-east-1b"))
        self.assertRefused(self.client.call("RunInstances", request), "ZONE_SUBNET_CONFLICT", "subnet_id")
        self.assertEqual(self.instances(), [])

    def test_C6_another_zone_or_region_is_another_scope(self):
        token = new_token()
        replies = [self.assertOutcome(self.client.call("RunInstances", request), "executed").parsed for request in (
            run(token), run(token, region="eu-west-1"), *(run(token, zone=zone) for zone in (
                "us-east-1a", "us-east-1b", "us-east-1d", "eu-west-1a", "eu-west-1b", "eu-west-1c")))]
        self.assertEqual(len({reply.reservation_id for reply in replies}), 8)
        self.assertEqual(len(self.instances(client_token=token)), 8)
        for region in ("us-east-1", "eu-west-1"):
            self.assertOutcome(self.client.call("CreateKeypair", keypair("k" + token, region=region)), "executed")

    def test_C7_a_token_names_one_effect_whichever_method_it_is(self):
        token = new_token()
        first = self.assertOutcome(self.client.call("RunInstances", run(token)), "executed")
        self.assertRefused(self.client.call("CreateKeypair", keypair(token)), "IDEMPOTENT_PARAMETER_MISMATCH")
        instance = first.parsed.instances[0].instance_id
        self.assertRefused(self.client.call("TerminateInstances", terminate(instance, token=token)),
                           "IDEMPOTENT_PARAMETER_MISMATCH")
        self.assertOutcome(self.client.call("AllocateHosts", hosts(token, zone="us-east-1a")), "executed")
        self.assertRefused(self.client.call("RunInstances", run(token, zone="us-east-1a")),
                           "IDEMPOTENT_PARAMETER_MISMATCH")
        self.assertEqual((len(self.instances()), len(self.hosts()), self.key_pairs()), (1, 1, []))
        self.assertReplays(self.client.call("RunInstances", run(token)), first)


class RetryTest(ServerCase):
    def test_C9_retry_replays_verbatim_whatever_became_of_the_instance(self):
        request = run(new_token(), min_count=3, tags={"a": "1", "b": "2"})
        first = self.assertOutcome(self.client.call("RunInstances", request), "executed")
        self.assertEqual({i.state for i in first.parsed.instances}, {resources_pb2.INSTANCE_STATE_PENDING})
        eventually(lambda: {i.state for i in self.instances()} == {resources_pb2.INSTANCE_STATE_RUNNING}, "running")
        self.assertReplays(self.client.call("RunInstances", request), first)
        gone = terminate(*(instance.instance_id for instance in first.parsed.instances))
        self.assertTrue(self.client.call("TerminateInstances", gone).ok)
        self.assertReplays(self.client.call("RunInstances", request), first)
        self.assertEqual(len(self.instances()), 3)

    def test_C11_simultaneous_duplicates_have_one_effect(self):
        clients = [self.client_of(self.tenant) for _ in range(8)]
        for client in clients:
            self.assertTrue(client.call("DescribeSubnets", b"").ok)
        for method, request in (
                ("RunInstances", run(new_token())), ("AllocateHosts", hosts(new_token())),
                ("CreateKeypair", keypair(new_token())),
                ("CreateKeypair", keypair(new_token(), "rsa", key_type=resources_pb2.KEY_TYPE_RSA))):
            with self.subTest(request):
                calls = [clients[i % len(clients)].start(method, request) for i in range(DUPLICATES)]
                replies = [call.reply() for call in calls]
                outcomes = [reply.outcome for reply in replies]
                self.assertEqual((outcomes.count("executed"), outcomes.count("replayed")), (1, DUPLICATES - 1),
                                 [str(reply) for reply in replies if not reply.ok])
                self.assertEqual(len({reply.raw for reply in replies}), 1)
        self.assertEqual((len(self.instances()), len(self.hosts()), len(self.key_pairs())), (1, 1, 2))

    def test_C12_an_attempt_that_failed_leaves_nothing_and_the_token_free(self):
        token = new_token()
        for _ in range(2):
            self.assertRefused(self.client.call("RunInstances", run(token, image="ami-none")), "IMAGE_NOT_FOUND")
        self.assertEqual(self.instances(), [])
        corrected = self.assertOutcome(self.client.call("RunInstances", run(token, image=IMAGE)), "executed")
        self.assertReplays(self.client.call("RunInstances", run(token, image=IMAGE)), corrected)

    def test_C12_a_failed_attempt_of_one_method_leaves_the_token_to_another(self):
        token = new_token()
        self.assertOutcome(self.client.call("CreateKeypair", keypair(name="taken")), "unprotected")
        self.assertRefused(self.client.call("CreateKeypair", keypair(token, "taken")), "KEYPAIR_ALREADY_EXISTS")
        self.assertOutcome(self.client.call("RunInstances", run(token)), "executed")

    def test_C15_a_client_that_gives_up_at_any_moment_may_retry(self):
        chance = random.Random(15)
        tokens = [new_token() for _ in range(60)]
        for token in tokens:
            attempt = self.client.call("RunInstances", run(token), timeout=chance.uniform(0.0005, 0.005))
            self.assertIn(attempt.code.name, ("OK", "DEADLINE_EXCEEDED"))
            self.assertRetryIsSafe(token, attempt)
        self.assertEqual(sorted(i.client_token for i in self.instances()), sorted(tokens))

    def test_C15_a_client_that_cancels_may_retry(self):
        tokens = [new_token() for _ in range(60)]
        for token in tokens:
            call = self.client.start("RunInstances", run(token))
            call.cancel()
            self.assertRetryIsSafe(token, None)
        self.assertEqual(sorted(i.client_token for i in self.instances()), sorted(tokens))

    def assertRetryIsSafe(self, token: str, attempt) -> None:
        retry = self.client.call("RunInstances", run(token))
        if attempt and attempt.ok:
            self.assertReplays(retry, attempt)
        self.assertTrue(retry.ok, retry)
        self.assertReplays(self.client.call("RunInstances", run(token)), retry)

    def test_C19_a_deadline_that_has_passed_on_arrival_leaves_nothing(self):
        token = new_token()
        raw_http2.exchange(self.server.address, self.raw_headers([("grpc-timeout", b"0n")]),
                           raw_http2.message(run(token).SerializeToString()))
        self.assertEqual(self.instances(), [])
        self.assertOutcome(self.client.call("RunInstances", run(token)), "executed")
        self.assertEqual(len(self.instances()), 1)

    def test_C19_a_call_cancelled_before_its_message_is_whole_leaves_nothing(self):
        token = new_token()
        raw_http2.exchange(self.server.address, self.raw_headers([]),
                           raw_http2.message(run(token).SerializeToString(), missing=2), raw_http2.cancel(),
                           until_answered=False)
        self.assertEqual(self.instances(), [])
        self.assertOutcome(self.client.call("RunInstances", run(token)), "executed")
        self.assertEqual(len(self.instances()), 1)

    def raw_headers(self, metadata) -> bytes:
        return raw_http2.headers(SERVICE + "RunInstances", [("x-tenant-id", self.tenant.encode()), *metadata])


class TerminateTest(ServerCase):
    def launch(self, count: int) -> list:
        return [i.instance_id for i in self.client.call("RunInstances", run(min_count=count)).parsed.instances]

    def states(self) -> set:
        return {instance.state for instance in self.instances()}

    def test_C23_terminating_again_needs_no_token_and_is_harmless(self):
        ids = self.launch(2)
        down = {resources_pb2.INSTANCE_STATE_SHUTTING_DOWN, resources_pb2.INSTANCE_STATE_TERMINATED}
        for attempt in range(3):
            reply = self.assertOutcome(self.client.call("TerminateInstances", terminate(*ids)), "unprotected").parsed
            self.assertEqual([change.instance_id for change in reply.terminating_instances], ids)
            for change in reply.terminating_instances:
                self.assertIn(change.current_state, down)
                self.assertEqual(change.previous_state in down, attempt > 0)
        eventually(lambda: self.states() == {resources_pb2.INSTANCE_STATE_TERMINATED}, "terminated")
        again = self.client.call("TerminateInstances", terminate(*ids)).parsed
        self.assertEqual({(change.previous_state, change.current_state) for change in again.terminating_instances},
                         {(resources_pb2.INSTANCE_STATE_TERMINATED,) * 2})

    def test_C23_with_a_token_the_first_reply_is_replayed(self):
        request = terminate(*self.launch(1), token=new_token())
        first = self.assertOutcome(self.client.call("TerminateInstances", request), "executed")
        eventually(lambda: self.states() == {resources_pb2.INSTANCE_STATE_TERMINATED}, "terminated")
        self.assertReplays(self.client.call("TerminateInstances", request), first)

    def test_C12_all_of_them_are_terminated_or_none(self):
        (instance,) = self.launch(1)
        request = terminate(instance, "i-00000000000000000")
        self.assertRefused(self.client.call("TerminateInstances", request), "INSTANCE_NOT_FOUND")
        eventually(lambda: self.states() == {resources_pb2.INSTANCE_STATE_RUNNING}, "running")


class ListTest(ServerCase):
    def test_pages_of_any_size_come_to_the_same_list(self):
        for region in ("us-east-1", "eu-west-1"):
            self.assertTrue(self.client.call("RunInstances", run(region=region, min_count=7)).ok)
        eventually(lambda: {i.state for i in self.instances()} == {resources_pb2.INSTANCE_STATE_RUNNING}, "running")
        whole = self.instances(page_size=1000)
        self.assertEqual(len(whole), 14)
        self.assertEqual([i.instance_id for i in whole], sorted(i.instance_id for i in whole))
        for page_size in (0, 1, 3, 14):
            self.assertEqual(self.instances(page_size=page_size), whole)
        page = self.client.call("DescribeInstances", compute_pb2.DescribeInstancesRequest(page_size=3)).parsed
        self.assertEqual(list(page.instances), whole[:len(page.instances)])
        self.assertLessEqual(len(page.instances), 3)
        self.assertEqual(len(self.instances(region="eu-west-1")), 7)
        self.assertEqual(self.instances(instance_ids=[whole[5].instance_id]), [whole[5]])


if __name__ == "__main__":
    unittest.main()
