"""Replies with secrets (C25): whoever reads the data directory or the log reads no private key, and a replay is still
byte for byte the first reply, as long as the key file is kept."""

import pathlib
import secrets
import stat
import unittest

import private_keys
from case import (EXECUTED, ContractCase, eventually, get_token, keypair, list_tokens, new_token, pages, run, terminate)
from client import Client
from harness import Server
from protos import resources_pb2

KEY_TYPES = (resources_pb2.KEY_TYPE_ED25519, resources_pb2.KEY_TYPE_RSA)


class SealCase(ContractCase):
    def setUp(self):
        self.server = Server("--log_level=debug", "--simulated_boot_latency=10ms")
        self.addCleanup(self.server.close)
        self.client = Client(self.server, "tenant")
        self.addCleanup(self.client.close)
        self.server.start()

    @property
    def key_file(self) -> pathlib.Path:
        return self.server.seal_key_file

    def create(self, name: str, token=None, **fields) -> tuple:
        """A new pair's request and reply."""
        request = keypair(new_token() if token is None else token, name, **fields)
        reply = self.client.call("CreateKeypair", request)
        return request, self.assertOutcome(reply, "executed" if request.client_token else "unprotected")

    def key_pairs(self) -> list:
        return pages(self.client, "DescribeKeypairs", "key_pairs")

    def assertReplay(self, request, first) -> None:
        self.assertReplays(self.client.call("CreateKeypair", request), first)
        told = get_token(self.client, request.client_token, request.region).parsed.token
        self.assertEqual((told.state, told.reply), (EXECUTED, first.raw))

    def assertRefusedStart(self, *says) -> None:
        stderr = self.server.refused_start()
        for part in ("--seal_key_file", str(self.key_file), *says):
            self.assertIn(part, stderr)

    def rewrite(self, text: str) -> None:
        """Puts another text into the key file, which stays the owner's alone."""
        self.key_file.write_text(text)


class SecrecyTest(SealCase):
    def test_C25_no_file_and_no_log_shows_a_private_key_and_a_replay_is_the_first_reply(self):
        made = [self.create(f"pair-{key_type}-{region}", key_type=key_type, region=region)
                for key_type in KEY_TYPES for region in ("us-east-1", "eu-west-1")]
        unprotected = [self.create(f"without-{key_type}", token="", key_type=key_type) for key_type in KEY_TYPES]
        replies = {first.parsed.key_pair_id: first.parsed for _, first in made + unprotected}
        pairs = self.key_pairs()
        self.assertEqual(len(pairs), len(replies))
        pieces = set().union(*(private_keys.traces(replies[pair.key_pair_id].key_material, pair.public_key)
                               for pair in pairs))
        # Pieces of the same size that are in the database, in the clear: what is there is found.
        public = [pair.public_key.split()[1].encode()[-32:-16] for pair in pairs]

        def check(when: str) -> None:
            with self.subTest(when):
                self.assertEqual(private_keys.files_with(self.server.data_dir, pieces), [])
                for piece in public:
                    self.assertNotEqual(private_keys.files_with(self.server.data_dir, {piece}), [])

        self.traffic(made)
        check("while it runs")
        for end in (self.server.stop, self.server.kill, self.server.stop):
            end()
            check(f"after {end.__name__}")
            self.server.start()
            for request, first in made:
                self.assertReplay(request, first)
            self.traffic(made)
            check(f"while it runs, after {end.__name__}")
        log = self.server.stderr + "".join(self.server.stdout)
        self.assertIn("CreateKeypair", log)
        self.assertEqual([piece for piece in pieces if piece in log.encode()], [])
        self.assertEqual(len(self.key_pairs()), len(replies))

    def traffic(self, made: list) -> None:
        """Other calls: retries, refusals, launches that use the pairs, and their end."""
        for request, first in made:
            self.assertReplays(self.client.call("CreateKeypair", request), first)
            other = keypair(request.client_token, "other", region=request.region)
            self.assertRefused(self.client.call("CreateKeypair", other), "IDEMPOTENT_PARAMETER_MISMATCH")
            launch = run(new_token(), key_name=request.key_name, region=request.region)
            (instance,) = self.client.call("RunInstances", launch).parsed.instances
            end = terminate(instance.instance_id, token=new_token(), region=request.region)
            self.assertOutcome(self.client.call("TerminateInstances", end), "executed")
        self.assertEqual([token.reply for token in list_tokens(self.client) if token.reply], [])

    def test_C25_the_key_is_in_a_file_of_its_owner_beside_the_data_and_nowhere_in_it(self):
        self.create("pair")
        self.assertEqual(stat.S_IMODE(self.key_file.stat().st_mode), 0o600)
        self.assertNotIn(self.server.data_dir, self.key_file.parents)
        words = [line.split() for line in self.key_file.read_text().splitlines() if not line.startswith("#")]
        ((_, hex_key),) = words
        pieces = {hex_key[:32].encode(), bytes.fromhex(hex_key)[:16], bytes.fromhex(hex_key)[16:]}
        for end in (self.server.kill, self.server.stop):
            end()
            self.assertEqual(private_keys.files_with(self.server.data_dir, pieces), [])
            self.server.start()
        self.assertNotIn(hex_key[:32], self.server.stderr)

    def test_C25_data_directories_do_not_share_a_key(self):
        other = Server()
        self.addCleanup(other.close)
        other.start()
        self.assertNotEqual(other.seal_key_file.read_text(), self.key_file.read_text())

    def test_C25_the_key_file_is_beside_the_data_however_that_directory_is_spelled(self):
        old, files = self.create("pair"), sorted(self.server.dir.iterdir())
        for spelled in (f"{self.server.data_dir}/", f"{self.server.data_dir}//", f"{self.server.data_dir}/."):
            self.server.stop()
            self.server.flags = (f"--data_dir={spelled}",)
            self.server.start()
            self.assertReplay(*old)
            self.assertEqual(sorted(self.server.dir.iterdir()), files)

    def test_C25_memory_is_not_dumped(self):
        limits = pathlib.Path(f"/proc/{self.server.pid}/limits").read_text()
        self.assertRegex(limits, r"Max core file size +0 +0 ")


class KeyFileTest(SealCase):
    def setUp(self):
        super().setUp()
        self.old = self.create("old")
        self.server.stop()
        self.text = self.key_file.read_text()
        self.assertIn("\nkey-1 ", "\n" + self.text)

    def assertBackInOrder(self) -> None:
        """With the first key file everything is as it was."""
        self.rewrite(self.text)
        self.key_file.chmod(0o600)
        self.server.start()
        self.assertReplay(*self.old)

    def test_C25_without_its_key_file_a_server_does_not_start_and_makes_none(self):
        away = self.key_file.rename(self.key_file.with_name("away"))
        before = sorted(self.server.dir.iterdir())
        for _ in range(2):
            self.assertRefusedStart("does not exist", "key-1")
            self.assertEqual(sorted(self.server.dir.iterdir()), before)
        away.rename(self.key_file)
        self.assertBackInOrder()

    def test_C25_another_key_under_the_same_id_is_found_out_at_the_start(self):
        other = f"key-1 {secrets.token_hex(32)}\n"
        for text in (other, f"key-2 {secrets.token_hex(32)}\n{other}"):
            self.rewrite(text)
            self.assertRefusedStart("key-1")
            self.assertEqual(self.key_file.read_text(), text)
        self.assertBackInOrder()

    def test_C25_a_key_file_that_others_may_read_or_that_is_none_is_refused(self):
        for mode in (0o640, 0o604, 0o660, 0o644):
            self.key_file.chmod(mode)
            self.assertRefusedStart("others")
            self.assertEqual(stat.S_IMODE(self.key_file.stat().st_mode), mode)
        self.key_file.chmod(0o600)
        for text in ("", "# no key\n", "key-1\n", "key-1 abc\n", self.text + "key-2 " + "g" * 64 + "\n",
                     self.text + "key/2 " + "0" * 64 + "\n", self.text + self.text):
            self.rewrite(text)
            self.assertRefusedStart()
        self.assertBackInOrder()

    def test_C25_after_a_rotation_old_and_new_replies_are_replayed(self):
        self.rewrite(f"key-2 {secrets.token_hex(32)}\n{self.text}")
        self.server.start()
        self.assertReplay(*self.old)
        new = self.create("new", key_type=resources_pb2.KEY_TYPE_RSA)
        for end in (self.server.stop, self.server.kill):
            end()
            self.server.start()
            self.assertReplay(*self.old)
            self.assertReplay(*new)
        self.assertEqual(len(self.key_pairs()), 2)

    def test_C18_C25_without_the_old_key_its_replies_are_unavailable_and_all_else_goes_on(self):
        rotated = f"key-2 {secrets.token_hex(32)}\n"
        self.rewrite(rotated + self.text)
        self.server.start()
        new = self.create("new")
        self.server.stop()
        self.rewrite(rotated)
        self.server.start()
        # The log is written by a thread of its own.
        eventually(lambda: [line for line in self.server.stderr.splitlines()
                            if "warning" in line and "key-1" in line and str(self.key_file) in line], "the warning")
        request, _ = self.old
        before = self.key_pairs()
        for _ in range(2):
            self.assertRefused(self.client.call("CreateKeypair", request), "TOKEN_STORE_UNAVAILABLE")
            self.assertRefused(get_token(self.client, request.client_token), "TOKEN_STORE_UNAVAILABLE")
        self.assertEqual(self.key_pairs(), before)
        other = keypair(request.client_token, "other")
        self.assertRefused(self.client.call("CreateKeypair", other), "IDEMPOTENT_PARAMETER_MISMATCH")
        self.assertIn(request.client_token, [token.client_token for token in list_tokens(self.client)])
        self.assertReplay(*new)
        self.assertReplay(*self.create("newest"))
        launch = run(new_token())
        launched = self.assertOutcome(self.client.call("RunInstances", launch), "executed")
        self.assertReplays(self.client.call("RunInstances", launch), launched)

        self.server.stop()
        self.rewrite(rotated + self.text)
        self.server.start()
        self.assertReplay(*self.old)
        self.assertReplay(*new)


if __name__ == "__main__":
    unittest.main()
