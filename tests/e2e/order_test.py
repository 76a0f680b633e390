"""The order of checks (C21): of two things wrong, the one that is looked at first is the one that is told."""

import unittest

from case import ServerCase, delete_keypair, hosts, keypair, new_token, release, run

UNDECODABLE = b"\xff\xff\xff"
LONG = "t" * 65


def header(token: str) -> tuple:
    return (("x-client-token", token),)


class OrderTest(ServerCase):
    def tearDown(self):
        self.assertLessEqual(len(self.instances()), 1)  # The one that a test executed, if any.

    def executed(self, **fields) -> str:
        """A token that is taken by a launch."""
        token = new_token()
        self.assertOutcome(self.client.call("RunInstances", run(token, **fields)), "executed")
        return token

    def test_C21_tenant_before_undecodable_bytes(self):
        refused = self.client_of("no/tenant").call("RunInstances", UNDECODABLE)
        self.assertRefused(refused, "INVALID_PARAMETER", "x-tenant-id")

    def test_C21_undecodable_bytes_before_the_token(self):
        refused = self.client.call("RunInstances", UNDECODABLE, header(LONG))
        self.assertRefused(refused, "INVALID_PARAMETER")
        self.assertNotIn("token", refused.message)

    def test_C21_token_format_before_everything_in_the_request(self):
        for request in (run(LONG, image="ami-none"), run(LONG, min_count=-1), run(LONG, region="mars-1"),
                        run(LONG, zone="us-east-1z"), run(LONG, zone="us-east-1a", region="eu-west-1"),
                        run(LONG, subnet_id="subnet-none"), run(LONG, min_count=30_000), run(LONG, tags={"": ""})):
            with self.subTest(request):
                self.assertRefused(self.client.call("RunInstances", request), "INVALID_CLIENT_TOKEN", "client_token")

    def test_C21_tokens_that_disagree_before_everything_in_the_request(self):
        for request in (run("one", image="ami-none"), run("one", min_count=-1), run("one", zone="us-east-1z")):
            with self.subTest(request):
                self.assertRefused(self.client.call("RunInstances", request, header("other")), "CLIENT_TOKEN_CONFLICT")

    def test_C21_mismatch_before_parameters_existence_and_quota(self):
        token = self.executed()
        for request, field in (
                (run(token, image="ami-none"), "image_id"), (run(token, image=""), "image_id"),
                (run(token, min_count=-1), "min_count"), (run(token, min_count=5, max_count=2), "min_count"),
                (run(token, min_count=30_000), "min_count"), (run(token, max_count=2_000_000_000), "max_count"),
                (run(token, instance_type="m5.none"), "instance_type"), (run(token, key_name="none"), "key_name"),
                (run(token, tags={"": "v"}), "tags"), (run(token, tags={"k": "v" * 300}), "tags")):
            with self.subTest(request):
                refused = self.client.call("RunInstances", request)
                self.assertRefused(refused, "IDEMPOTENT_PARAMETER_MISMATCH")
                self.assertIn(field, refused.fields)

    def test_C21_mismatch_of_method_before_parameters(self):
        token = self.executed(zone="us-east-1a")
        for request in (hosts(token, instance_type="m5.none"), hosts(token, quantity=-1), hosts(token, quantity=10**6)):
            with self.subTest(request):
                self.assertRefused(self.client.call("AllocateHosts", request), "IDEMPOTENT_PARAMETER_MISMATCH")
        token = self.executed_keypair()
        refused = self.client.call("RunInstances", run(token, image="ami-none"))
        self.assertRefused(refused, "IDEMPOTENT_PARAMETER_MISMATCH")

    def executed_keypair(self) -> str:
        token = new_token()
        self.assertOutcome(self.client.call("CreateKeypair", keypair(token)), "executed")
        return token

    def test_C21_replay_before_existence(self):
        token = self.executed_keypair()  # Its name is taken now, by itself.
        self.assertOutcome(self.client.call("CreateKeypair", keypair(token)), "replayed")
        self.assertRefused(self.client.call("CreateKeypair", keypair(new_token())), "KEYPAIR_ALREADY_EXISTS")

    def test_C21_replay_before_existence_of_what_is_gone_by_the_call_itself(self):
        self.executed_keypair()
        (host,) = self.client.call("AllocateHosts", hosts()).parsed.host_ids
        for method, request, gone in (("DeleteKeypair", delete_keypair, "KEYPAIR_NOT_FOUND"),
                                      ("ReleaseHosts", lambda token: release(host, token=token), "HOST_NOT_FOUND")):
            with self.subTest(method):
                token = new_token()
                first = self.assertOutcome(self.client.call(method, request(token)), "executed")
                self.assertReplays(self.client.call(method, request(token)), first)
                self.assertRefused(self.client.call(method, request(new_token())), gone)


if __name__ == "__main__":
    unittest.main()
