"""--auth=api_key: who is calling is told by a key alone, and a key is no tenant (C4)."""

import hashlib
import unittest

from case import ServerCase, keypair, new_token, run, terminate
from harness import Server

UNDECODABLE = b"\xff\xff\xff"
KEYS = {"alice-old": "alice", "alice-new": "alice", "bob-key": "bob"}


def bearer(key: str) -> tuple:
    return (("authorization", f"Bearer {key}"),)


def x_api_key(key: str) -> tuple:
    return (("x-api-key", key),)


def line(key: str, tenant: str) -> str:
    return f"{tenant} sha256:{hashlib.sha256(key.encode()).hexdigest()}\n"


class ApiKeyTest(ServerCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        text = "# tenant and key\n\n" + "".join(line(*item) for item in KEYS.items())
        cls.server.flags = ("--auth=api_key", f"--api_keys_file={cls.server.write('keys', text)}")
        cls.server.start()

    def setUp(self):
        self.client = self.client_of(None)

    def test_both_headers_carry_a_key(self):
        for position, how in enumerate((bearer, x_api_key)):
            reply = self.client.call("RunInstances", run(new_token()), how("alice-old"))
            self.assertEqual(self.assertOutcome(reply, "executed").parsed.owner_id, "alice", position)

    def test_C4_a_rotated_key_keeps_its_tokens(self):
        token = new_token()
        first = self.assertOutcome(self.client.call("RunInstances", run(token), bearer("alice-old")), "executed")
        self.assertReplays(self.client.call("RunInstances", run(token), bearer("alice-new")), first)
        self.assertReplays(self.client.call("RunInstances", run(token), x_api_key("alice-new")), first)
        self.assertRefused(self.client.call("RunInstances", run(token, min_count=2), bearer("alice-new")),
                           "IDEMPOTENT_PARAMETER_MISMATCH")

    def test_C4_two_tenants_never_meet_whatever_they_send(self):
        token = new_token()
        mine = self.client.call("RunInstances", run(token), bearer("alice-old"))
        instance = self.assertOutcome(mine, "executed").parsed.instances[0].instance_id
        theirs = self.client.call("RunInstances", run(token), bearer("bob-key") + (("x-tenant-id", "alice"),))
        self.assertEqual(self.assertOutcome(theirs, "executed").parsed.owner_id, "bob")
        bob = self.client_of(None, metadata=bearer("bob-key"))
        self.assertNotIn(instance, [i.instance_id for i in self.instances(bob)])
        self.assertRefused(bob.call("TerminateInstances", terminate(instance)), "INSTANCE_NOT_FOUND")

    def test_without_a_known_key_nobody_gets_in(self):
        before = len(self.instances(self.client_of(None, metadata=bearer("bob-key"))))
        for metadata in ((), bearer("eve-key"), x_api_key("eve-key"), bearer(""), x_api_key(""), bearer("BOB-KEY"),
                         (("authorization", "bob-key"),), (("authorization", "Basic bob-key"),),
                         (("x-tenant-id", "bob"),), bearer(hashlib.sha256(b"bob-key").hexdigest()), bearer("k" * 5000)):
            for method, request in (("RunInstances", run(new_token())), ("CreateKeypair", keypair()),
                                    ("DescribeInstances", b"")):
                with self.subTest(metadata=metadata, method=method):
                    refused = self.assertRefused(self.client.call(method, request, metadata), "UNAUTHENTICATED")
                    self.assertNotIn("eve-key", refused.message)
        self.assertEqual(len(self.instances(self.client_of(None, metadata=bearer("bob-key")))), before)

    def test_C21_authentication_before_everything(self):
        for request, metadata in ((UNDECODABLE, ()), (run("t" * 65), ()), (run(image="ami-none"), ()),
                                  (run("one"), (("x-client-token", "other"),))):
            refused = self.client.call("RunInstances", request, metadata + bearer("eve-key"))
            self.assertRefused(refused, "UNAUTHENTICATED")
        token = new_token()
        self.assertOutcome(self.client.call("RunInstances", run(token), bearer("alice-old")), "executed")
        for request in (run(token), run(token, min_count=2)):
            self.assertRefused(self.client.call("RunInstances", request, bearer("eve-key")), "UNAUTHENTICATED")
        self.assertRefused(self.client.call("RunInstances", UNDECODABLE, bearer("bob-key")), "INVALID_PARAMETER")

    def test_C4_a_key_taken_out_of_the_file_is_unknown_after_a_restart_and_its_tokens_are_not(self):
        server = Server()
        self.addCleanup(server.close)
        path = server.write("keys", line("old", "carol"))
        server.flags = ("--auth=api_key", f"--api_keys_file={path}")
        client = self.client_of(None, server.start())
        token = new_token()
        first = self.assertOutcome(client.call("RunInstances", run(token), bearer("old")), "executed")
        server.stop()
        server.write("keys", line("new", "carol"))
        server.start()
        self.assertRefused(client.call("RunInstances", run(token), bearer("old")), "UNAUTHENTICATED")
        self.assertReplays(client.call("RunInstances", run(token), bearer("new")), first)


if __name__ == "__main__":
    unittest.main()
