"""--auth=api_key: who is calling is told by a key alone, and a key is no tenant (C4)."""

import pathlib
import signal
import unittest

from api_keys import bearer, key_of, line_of, x_api_key
from case import ServerCase, eventually, keypair, new_token, run, terminate
from harness import Server

UNDECODABLE = b"\xff\xff\xff"


class ApiKeyTest(ServerCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        text = "# keys\n\n" + line_of("alice", "old") + line_of("alice", "new") + line_of("bob", "bobs")
        cls.server.flags = ("--auth=api_key", f"--api_keys_file={cls.server.write('keys', text)}")
        cls.server.start()

    def setUp(self):
        self.client = self.client_of(None)

    def test_both_headers_carry_a_key(self):
        for position, how in enumerate((bearer, x_api_key)):
            reply = self.client.call("RunInstances", run(new_token()), how("old"))
            self.assertEqual(self.assertOutcome(reply, "executed").parsed.owner_id, "alice", position)

    def test_C4_two_tenants_never_meet_whatever_they_send(self):
        token = new_token()
        mine = self.client.call("RunInstances", run(token), bearer("old"))
        instance = self.assertOutcome(mine, "executed").parsed.instances[0].instance_id
        theirs = self.client.call("RunInstances", run(token), bearer("bobs") + (("x-tenant-id", "alice"),))
        self.assertEqual(self.assertOutcome(theirs, "executed").parsed.owner_id, "bob")
        bob = self.client_of(None, metadata=bearer("bobs"))
        self.assertNotIn(instance, [i.instance_id for i in self.instances(bob)])
        self.assertRefused(bob.call("TerminateInstances", terminate(instance)), "INSTANCE_NOT_FOUND")

    def test_without_a_known_key_nobody_gets_in(self):
        bob = self.client_of(None, metadata=bearer("bobs"))
        before = len(self.instances(bob))
        raw = (("x-api-key", key_of("bobs").replace("secret", "Secret")), ("x-api-key", "hapax_bobs_"),
               ("x-api-key", "hapax_bobs"), ("x-api-key", ""), ("x-api-key", line_of("bob", "bobs").split()[-1]),
               ("authorization", key_of("bobs")), ("authorization", f"Basic {key_of('bobs')}"),
               ("authorization", "Bearer "), ("authorization", f"Bearer {'k' * 5000}"), ("x-tenant-id", "bob"))
        for metadata in ((), bearer("eves"), x_api_key("eves"), *((pair,) for pair in raw)):
            for method, request in (("RunInstances", run(new_token())), ("CreateKeypair", keypair()),
                                    ("DescribeInstances", b"")):
                with self.subTest(metadata=metadata, method=method):
                    refused = self.assertRefused(self.client.call(method, request, metadata), "UNAUTHENTICATED")
                    for secret in ("secret-of", "kkkk", line_of("bob", "bobs").split()[-1]):
                        self.assertNotIn(secret, refused.message)
        self.assertEqual(len(self.instances(bob)), before)

    def test_C21_authentication_before_everything(self):
        for request, metadata in ((UNDECODABLE, ()), (run("t" * 65), ()), (run(image="ami-none"), ()),
                                  (run("one"), (("x-client-token", "other"),))):
            refused = self.client.call("RunInstances", request, metadata + bearer("eves"))
            self.assertRefused(refused, "UNAUTHENTICATED")
        token = new_token()
        self.assertOutcome(self.client.call("RunInstances", run(token), bearer("old")), "executed")
        for request in (run(token), run(token, min_count=2)):
            self.assertRefused(self.client.call("RunInstances", request, bearer("eves")), "UNAUTHENTICATED")
        self.assertRefused(self.client.call("RunInstances", UNDECODABLE, bearer("bobs")), "INVALID_PARAMETER")


class ReloadTest(ServerCase):
    """The key file changes while the server runs: SIGHUP has it read again."""

    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.path = self.server.write("keys", line_of("carol", "old"))
        self.server.flags = ("--auth=api_key", f"--api_keys_file={self.path}")
        self.server.start()
        self.client = self.client_of(None)

    @classmethod
    def setUpClass(cls):
        pass

    @classmethod
    def tearDownClass(cls):
        pass

    def reload(self, text: str, says: str) -> str:
        """Has the server read this; returns what it then logged, once it said that."""
        pathlib.Path(self.path).write_text(text)
        before = len(self.server.stderr)
        self.server.signal(signal.SIGHUP)
        eventually(lambda: says in self.server.stderr[before:], says)
        return self.server.stderr[before:]

    def test_C4_a_rotation_takes_effect_at_the_next_call_and_keeps_the_tokens(self):
        token = new_token()
        first = self.assertOutcome(self.client.call("RunInstances", run(token), bearer("old")), "executed")
        self.reload(line_of("carol", "old") + line_of("carol", "new"), "reload: done")
        self.assertReplays(self.client.call("RunInstances", run(token), bearer("old")), first)
        self.assertReplays(self.client.call("RunInstances", run(token), bearer("new")), first)
        self.reload(line_of("carol", "new"), "reload: done")
        self.assertRefused(self.client.call("RunInstances", run(token), bearer("old")), "UNAUTHENTICATED")
        self.assertReplays(self.client.call("RunInstances", run(token), bearer("new")), first)

    def test_C4_a_key_taken_out_of_the_file_is_unknown_after_a_restart_and_its_tokens_are_not(self):
        token = new_token()
        first = self.assertOutcome(self.client.call("RunInstances", run(token), bearer("old")), "executed")
        self.server.stop()
        self.server.write("keys", line_of("carol", "new"))
        self.server.start()
        self.assertRefused(self.client.call("RunInstances", run(token), bearer("old")), "UNAUTHENTICATED")
        self.assertReplays(self.client.call("RunInstances", run(token), bearer("new")), first)

    def test_a_bad_file_keeps_the_keys_and_is_named_with_its_line(self):
        for text, says in ((line_of("carol", "new") + f"dave {key_of('daves')}\n", "line 2"), ("", "is empty"),
                           ("# nobody\n", "has no key")):
            logged = self.reload(text, "stays in use")
            self.assertIn(f"api_keys_file={self.path}: {says}", logged)
            self.assertNotIn(key_of("daves"), logged)
            self.assertNotIn("reload: done", logged)
            self.assertTrue(self.client.call("DescribeInstances", b"", bearer("old")).ok)
            self.assertRefused(self.client.call("DescribeInstances", b"", bearer("new")), "UNAUTHENTICATED")
        pathlib.Path(self.path).chmod(0o666)
        self.assertIn("written by others", self.reload(line_of("carol", "new"), "stays in use"))
        pathlib.Path(self.path).unlink()
        self.server.signal(signal.SIGHUP)
        eventually(lambda: "cannot be read" in self.server.stderr, "that it is gone")
        self.assertTrue(self.client.call("DescribeInstances", b"", bearer("old")).ok)

    def test_no_key_is_logged_or_told_whatever_becomes_of_it(self):
        told = []
        for metadata in (bearer("old"), bearer("eves"), x_api_key("eves"), (("authorization", key_of("eves")),),
                         (("authorization", "Basic " + key_of("eves")),), bearer("old") + x_api_key("eves")):
            reply = self.client.call("RunInstances", run(new_token()), metadata)
            told.append(f"{reply.message} {reply.initial} {reply.trailing}")
        self.reload(line_of("carol", "new") + key_of("eves"), "stays in use")
        self.reload(line_of("carol", "new"), "reload: done")
        self.server.stop()
        self.server.start()
        everything = "".join(told) + self.server.stderr + "".join(self.server.stdout)
        digests = [line_of("carol", key).split()[-1] for key in ("old", "new")]
        for secret in ("secret-of", *digests):
            self.assertNotIn(secret, everything)


if __name__ == "__main__":
    unittest.main()
