"""TLS and --auth=mtls: who listens in sees nothing, and a client certificate says who is calling (C4)."""

import pathlib
import shutil
import unittest

from api_keys import bearer, line_of
from case import ServerCase, eventually, new_token, run
from certificates import WEAK_KEY, Authority, tls_flags
from ctl import REFUSED, CtlCase
from grpc import StatusCode
from harness import Server, refused_start

RUN = "run-instances --image-id ami-b232d0db"
CALLER = "spiffe://example.org/tenant/"


class TlsCase(CtlCase):
    """A server with a certificate of `cls.ca`."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.ca = Authority(cls.server.dir, "ca")
        cls.stranger = Authority(cls.server.dir, "stranger")
        cls.server.flags = cls.make_flags()
        cls.server.start()

    def assertNoConnection(self, client) -> None:
        reply = client.call("DescribeInstances", b"")
        self.assertEqual((reply.code, reply.reason), (StatusCode.UNAVAILABLE, None), reply)

    def tls_client(self, own=None, ca=None, metadata=()):
        return self.client_of(None, metadata=metadata, credentials=(ca or self.ca).credentials(own))

    def ctl_env(self, own=None, ca=None) -> dict:
        files = {"HAPAX_TLS": "1", "HAPAX_TLS_CA_FILE": str((ca or self.ca).cert)}
        return files if own is None else {
            **files, "HAPAX_TLS_CERT_FILE": str(own.cert), "HAPAX_TLS_KEY_FILE": str(own.key)}


class TlsTest(TlsCase):
    """With API keys; clients show no certificate."""

    @classmethod
    def make_flags(cls) -> tuple:
        keys = cls.server.write("keys", line_of("alice", "one"))
        return ("--auth=api_key", f"--api_keys_file={keys}", *tls_flags(cls.ca.issue_server()))

    def test_a_client_that_trusts_the_authority_calls(self):
        client, token = self.tls_client(metadata=bearer("one")), new_token()
        first = self.assertOutcome(client.call("RunInstances", run(token)), "executed")
        again = self.tls_client(metadata=bearer("one"))
        self.assertReplays(again.call("RunInstances", run(token)), first)

    def test_without_tls_or_with_another_authority_there_is_no_connection(self):
        self.assertNoConnection(self.client_of(None, metadata=bearer("one")))
        self.assertNoConnection(self.tls_client(ca=self.stranger, metadata=bearer("one")))

    def test_hapaxctl_calls_with_tls(self):
        env = {**self.ctl_env(), "HAPAX_API_KEY": bearer("one")[0][1].removeprefix("Bearer ")}
        self.assertEqual(self.ctl(RUN, outcome="executed", env=env).json["ownerId"], "alice")
        refused = self.run_ctl("describe-instances", "--timeout", "2s", env={**env, **self.ctl_env(ca=self.stranger)})
        self.assertNotEqual(refused.code, 0, refused)


class MtlsTest(TlsCase):
    @classmethod
    def make_flags(cls) -> tuple:
        return ("--auth=mtls", *tls_flags(cls.ca.issue_server(), cls.ca))

    def setUp(self):
        super().setUp()
        self.name = self.tenant.replace("_", "-")[-40:]

    def issue(self, subject="/CN=ignored", names="", ca=None, **more):
        return (ca or self.ca).issue(self.name, subject, names, **more)

    def test_C4_a_spiffe_id_names_the_tenant_whatever_else_is_claimed(self):
        client = self.client_of("mallory", credentials=self.ca.credentials(self.issue(names=f"URI:{CALLER}alice")))
        reply = self.assertOutcome(client.call("RunInstances", run(new_token())), "executed")
        self.assertEqual(reply.parsed.owner_id, "alice")

    def test_C4_another_certificate_of_the_tenant_has_its_tokens_and_another_tenant_has_not(self):
        token = new_token()
        first = self.tls_client(self.issue(names=f"URI:{CALLER}alice")).call("RunInstances", run(token))
        self.assertOutcome(first, "executed")
        for subject, names in (("/CN=x", f"DNS:host,URI:{CALLER}alice/role/write,URI:https://example.org/x"),
                               ("/O=org/CN=alice", ""), ("/CN=alice", "DNS:bob,URI:urn:x")):
            self.assertReplays(self.tls_client(self.issue(subject, names)).call("RunInstances", run(token)), first)
        other = self.tls_client(self.issue("/CN=bob")).call("RunInstances", run(token))
        self.assertEqual(self.assertOutcome(other, "executed").parsed.owner_id, "bob")

    def test_the_role_is_that_of_the_spiffe_id(self):
        reader = self.tls_client(self.issue(names=f"URI:{CALLER}alice/role/read"))
        self.assertTrue(reader.call("DescribeInstances", b"").ok)
        self.assertRefused(reader.call("RunInstances", run(new_token())), "PERMISSION_DENIED")
        admin = self.tls_client(self.issue(names=f"URI:{CALLER}alice/role/admin"))
        self.assertOutcome(admin.call("RunInstances", run(new_token())), "executed")

    def test_a_certificate_that_names_no_principal_is_refused_with_the_rule(self):
        for subject, names, says in (
                ("/CN=alice", f"URI:{CALLER}", "SPIFFE ID must be"),
                ("/CN=alice", f"URI:{CALLER}a%6Cice", "SPIFFE ID must be"),
                ("/CN=alice", f"URI:{CALLER}alice/role/owner", "SPIFFE ID must be"),
                ("/CN=alice", "URI:spiffe://example.org/ns/default", "SPIFFE ID must be"),
                ("/CN=alice", f"URI:{CALLER}alice,URI:{CALLER}bob", "more than one SPIFFE ID"),
                ("/CN=al ice", "", "common name"), ("/O=alice", "", "common name"), ("/O=alice", "DNS:alice", "common name")):
            with self.subTest(subject=subject, names=names):
                reply = self.tls_client(self.issue(subject, names)).call("RunInstances", run(new_token()))
                self.assertRefused(reply, "UNAUTHENTICATED", says=[says])

    def test_C4_of_several_common_names_the_first_is_the_tenant(self):
        reply = self.tls_client(self.issue("/CN=alice/CN=bob")).call("RunInstances", run(new_token()))
        self.assertEqual(self.assertOutcome(reply, "executed").parsed.owner_id, "alice")

    def test_no_certificate_or_one_of_another_authority_or_one_that_expired_gets_no_connection(self):
        self.assertNoConnection(self.tls_client())
        alice = f"URI:{CALLER}alice"
        self.assertNoConnection(self.tls_client(self.issue(names=alice, ca=self.stranger)))
        self.assertNoConnection(self.tls_client(self.issue(names=alice, days=-1)))
        self.assertNoConnection(self.client_of("alice"))

    def test_hapaxctl_calls_with_its_certificate(self):
        own = self.issue(names=f"URI:{CALLER}carol")
        token = new_token()
        for outcome in ("executed", "replayed"):
            reply = self.ctl(*RUN.split(), "--client-token", token, outcome=outcome, env=self.ctl_env(own)).json
            self.assertEqual(reply["ownerId"], "carol")
        reader = self.issue(names=f"URI:{CALLER}carol/role/read")
        self.assertFails(self.run_ctl(RUN + f" --client-token {token}", env=self.ctl_env(reader)), REFUSED,
                         "PERMISSION_DENIED")
        refused = self.run_ctl("describe-instances", "--timeout", "2s", env=self.ctl_env())
        self.assertNotEqual(refused.code, 0, refused)

    def test_refused_handshakes_and_callers_leave_no_key_in_the_log(self):
        own = self.issue(names=f"URI:{CALLER}")
        self.assertFalse(self.tls_client(own).call("RunInstances", run(new_token())).ok)
        self.assertNoConnection(self.tls_client())
        eventually(lambda: '"result":"UNAUTHENTICATED"' in self.server.stderr, "the refusal")
        secrets = own.key_lines() + self.ca.key_lines() + [
            line for file in self.server.dir.glob("server.key") for line in file.read_text().splitlines()[1:-1]]
        self.assertEqual([line for line in secrets if line in self.server.stderr], [])


class TlsFlagsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()  # Never started: its directory.
        cls.addClassCleanup(cls.server.close)
        cls.ca = Authority(cls.server.dir, "ca")
        cls.sound, cls.other = cls.ca.issue_server(), cls.ca.issue_server("other")

    def assertRefusedStart(self, flags, *names) -> None:
        with self.subTest(flags=flags):
            stderr = refused_start("--listen_address=127.0.0.1:0", f"--data_dir={self.server.data_dir}", *flags)
            for name in names:
                self.assertIn(str(name), stderr)
            for line in self.sound.key_lines():
                self.assertNotIn(line, stderr)
            self.assertFalse(self.server.data_dir.exists())

    def copy(self, path: pathlib.Path, name: str, mode: int = 0o600) -> pathlib.Path:
        copied = self.server.dir / name
        shutil.copyfile(path, copied)
        copied.chmod(mode)
        return copied

    def test_files_that_cannot_be_used_stop_the_start_and_the_flag_is_named(self):
        cert, key = f"--tls_cert_file={self.sound.cert}", f"--tls_key_file={self.sound.key}"
        ca = f"--tls_client_ca_file={self.ca.cert}"
        text, empty = self.server.write("text", "no certificate\n"), self.server.write("empty", "")
        broken = self.server.write("broken", self.sound.cert.read_text() + "-----BEGIN CERTIFICATE-----\nAAAA\n")
        pathlib.Path(text).chmod(0o600)
        for flags, *names in (
                ((cert,), "--tls_key_file=", "is required"), ((key,), "--tls_cert_file=", "is required"),
                ((ca,), "--tls_cert_file=", "is required"),
                ((f"--tls_cert_file={self.server.dir}/none", key), "--tls_cert_file=", "none", "No such file"),
                ((f"--tls_cert_file={self.server.dir}", key), "--tls_cert_file=", "no regular file"),
                ((f"--tls_cert_file={text}", key), "--tls_cert_file=", "no PEM certificate"),
                ((f"--tls_cert_file={empty}", key), "--tls_cert_file=", "is empty"),
                ((f"--tls_cert_file={broken}", key), "--tls_cert_file=", "not well-formed"),
                ((f"--tls_cert_file={self.sound.key}", key), "--tls_cert_file=", "no PEM certificate"),
                ((cert, f"--tls_key_file={text}"), "--tls_key_file=", "no PEM private key"),
                ((cert, f"--tls_key_file={self.other.key}"), "--tls_key_file=", self.other.key, self.sound.cert),
                ((cert, key, f"--tls_client_ca_file={text}"), "--tls_client_ca_file=", "no PEM certificate"),
                ((cert, key, "--auth=mtls"), "--tls_client_ca_file=", "required with --auth=mtls"),
                (("--auth=mtls",), "--tls_client_ca_file=", "required with --auth=mtls"),
                ((cert, key, ca, "--auth=mtls", f"--api_keys_file={text}"), "--api_keys_file=", "--auth=api_key")):
            self.assertRefusedStart(flags, *names)

    def test_what_parses_and_no_handshake_works_with_stops_the_start(self):
        weak = self.ca.issue_server("weak", new_key=WEAK_KEY)
        self.assertRefusedStart(tls_flags(weak), f"--tls_cert_file={weak.cert}", "1024 bits", "ee key too small")
        chain = self.server.write("chain", self.ca.cert.read_text() + self.sound.cert.read_text())
        self.assertRefusedStart((f"--tls_cert_file={chain}", f"--tls_key_file={self.sound.key}"), "--tls_key_file=",
                                "must come first")

    def test_a_key_that_others_may_read_is_refused(self):
        for mode in (0o644, 0o640, 0o604, 0o620, 0o660):
            key = self.copy(self.sound.key, "loose.key", mode)
            self.assertRefusedStart((f"--tls_cert_file={self.sound.cert}", f"--tls_key_file={key}"), "--tls_key_file=",
                                    key, "chmod 600")
        cert = self.copy(self.sound.cert, "loose.pem", 0o666)
        self.assertRefusedStart((f"--tls_cert_file={cert}", f"--tls_key_file={self.sound.key}"), "--tls_cert_file=",
                                "written by others")


if __name__ == "__main__":
    unittest.main()
