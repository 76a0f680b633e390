"""Key pairs that OpenSSH accepts, made once."""

import pathlib
import subprocess
import tempfile
import unittest

from case import ServerCase, keypair, new_token, run
from protos import resources_pb2

KINDS = ((resources_pb2.KEY_TYPE_ED25519, "ssh-ed25519", "(ED25519)", "256"),
         (resources_pb2.KEY_TYPE_RSA, "ssh-rsa", "(RSA)", "2048"))


def ssh_keygen(*arguments: str) -> str:
    ended = subprocess.run(
        ["ssh-keygen", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
    if ended.returncode != 0:
        raise AssertionError(f"ssh-keygen {' '.join(arguments)}: {ended.stderr}")
    return ended.stdout


class KeypairTest(ServerCase):
    def test_C9_ssh_keygen_takes_the_material_and_a_retry_brings_the_same(self):
        for key_type, algorithm, label, bits in KINDS:
            with self.subTest(algorithm):
                request = keypair(new_token(), f"a key for {algorithm}", key_type=key_type)
                first = self.assertOutcome(self.client.call("CreateKeypair", request), "executed")
                self.assertReplays(self.client.call("CreateKeypair", request), first)
                made = first.parsed
                self.assertRegex(made.key_pair_id, "^key-[0-9a-f]{17}$")
                self.assertEqual(made.key_name, request.key_name)

                public = self.public_key(made.key_material)
                self.assertEqual(public.split()[0], algorithm)
                fingerprint = self.fingerprint(public).split()
                self.assertEqual((fingerprint[0], fingerprint[1], fingerprint[-1]), (bits, made.key_fingerprint, label))

                (listed,) = [pair for pair in self.key_pairs() if pair.key_name == request.key_name]
                self.assertEqual(listed.public_key.split()[:2], public.split()[:2])
                self.assertEqual((listed.key_pair_id, listed.key_fingerprint, listed.key_type, listed.region),
                                 (made.key_pair_id, made.key_fingerprint, key_type, "us-east-1"))

    def public_key(self, material: str) -> str:
        """What `ssh-keygen -y` makes of a private key."""
        with tempfile.TemporaryDirectory(prefix="hapax-e2e-key-") as directory:
            private = pathlib.Path(directory, "key")
            private.touch(mode=0o600)
            private.write_text(material)
            return ssh_keygen("-y", "-P", "", "-f", str(private))

    def fingerprint(self, public: str) -> str:
        """What `ssh-keygen -l` prints of a public key: bits, fingerprint, comment, type."""
        with tempfile.NamedTemporaryFile("w", prefix="hapax-e2e-key-", suffix=".pub") as file:
            file.write(public)
            file.flush()
            return ssh_keygen("-l", "-f", file.name)

    def test_C12_a_name_is_taken_once_in_a_region(self):
        first = self.assertOutcome(self.client.call("CreateKeypair", keypair(new_token())), "executed").parsed
        token = new_token()
        for attempt in (keypair(token), keypair()):
            self.assertRefused(self.client.call("CreateKeypair", attempt), "KEYPAIR_ALREADY_EXISTS", "key_name")
        elsewhere = self.client.call("CreateKeypair", keypair(token, region="eu-west-1"))
        self.assertNotEqual(self.assertOutcome(elsewhere, "executed").parsed.key_fingerprint, first.key_fingerprint)
        self.assertOutcome(self.client.call("CreateKeypair", keypair(token, "another")), "executed")
        self.assertEqual(sorted((pair.region, pair.key_name) for pair in self.key_pairs()),
                         [("eu-west-1", "pair"), ("us-east-1", "another"), ("us-east-1", "pair")])

    def test_a_launch_takes_a_pair_of_its_tenant_and_region(self):
        self.assertRefused(self.client.call("RunInstances", run(key_name="pair")), "KEYPAIR_NOT_FOUND", "key_name")
        self.assertOutcome(self.client.call("CreateKeypair", keypair(new_token())), "executed")
        launched = self.assertOutcome(self.client.call("RunInstances", run(new_token(), key_name="pair")), "executed")
        self.assertEqual(launched.parsed.instances[0].key_name, "pair")
        abroad = run(new_token(), key_name="pair", region="eu-west-1")
        self.assertRefused(self.client.call("RunInstances", abroad), "KEYPAIR_NOT_FOUND", "key_name")
        other = self.client_of("other-" + self.tenant[:50])
        self.assertRefused(other.call("RunInstances", run(key_name="pair")), "KEYPAIR_NOT_FOUND", "key_name")
        self.assertEqual(len(self.instances()), 1)


if __name__ == "__main__":
    unittest.main()
