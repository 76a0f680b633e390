"""What a principal may do: read, write or admin, by the role of its API key."""

import re
import unittest

from api_keys import line_of, x_api_key
from case import EXECUTED, ServerCase, get_token, keypair, list_tokens, new_token, run
from client import ADMIN, TOKENS
from harness import Server
from methods import METHODS, OPEN_SERVICES, SERVICES, TRANSLATED_SERVICES, reflected_services, required_role
from protos import tokens_pb2
from reasons import ROOT

RANKS = {"read": 0, "write": 1, "admin": 2}
UNDECODABLE = b"\xff\xff\xff"


class RolesTest(ServerCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        keys = cls.server.write("keys", "".join(line_of("team", role, role) for role in RANKS))
        cls.server.flags = ("--auth=api_key", f"--api_keys_file={keys}",
                            f"--backup_dir={cls.server.dir / 'backups'}")
        cls.server.start()

    def setUp(self):
        self.reader, self.writer, self.admin = (self.client_of(None, metadata=x_api_key(role)) for role in RANKS)

    def test_every_method_asks_for_the_role_that_its_declaration_implies(self):
        self.assertEqual(reflected_services(self.server.address) - OPEN_SERVICES, set(SERVICES) | TRANSLATED_SERVICES)
        for path in METHODS:
            for role, client in zip(RANKS, (self.reader, self.writer, self.admin)):
                with self.subTest(method=path, role=role):
                    reply = client.call(path, b"")
                    if RANKS[role] < RANKS[required_role(path)]:
                        self.assertRefused(reply, "PERMISSION_DENIED", says=[path[1:], f"role {role}"])
                    else:
                        self.assertNotEqual(reply.reason, "PERMISSION_DENIED", reply)

    def test_who_may_not_call_changes_nothing_and_takes_no_token(self):
        token = new_token()
        self.assertRefused(self.reader.call("RunInstances", run(token)), "PERMISSION_DENIED")
        self.assertRefused(self.reader.call(TOKENS + "AbandonToken", tokens_pb2.AbandonTokenRequest(client_token=token)),
                           "PERMISSION_DENIED")
        self.assertOutcome(self.writer.call("RunInstances", run(token)), "executed")

    def test_who_is_no_admin_is_told_nothing_of_backups_and_makes_none(self):
        made = self.admin.call(ADMIN + "CreateBackup", b"").parsed.backup
        for client in (self.reader, self.writer):
            for method in ("CreateBackup", "ListBackups", "GetStatus", "RetryWork"):
                self.assertRefused(client.call(ADMIN + method, b""), "PERMISSION_DENIED")
        listed = self.admin.call(ADMIN + "ListBackups", b"").parsed.backups
        self.assertEqual(listed[-1].backup_id, made.backup_id)

    def test_C25_who_may_only_read_is_never_shown_a_secret_that_was_told_to_a_writer(self):
        request = keypair(new_token(), "pair")
        first = self.assertOutcome(self.writer.call("CreateKeypair", request), "executed")
        self.assertRefused(self.reader.call("CreateKeypair", request), "PERMISSION_DENIED")
        self.assertRefused(get_token(self.reader, request.client_token), "PERMISSION_DENIED")
        (listed,) = [token for token in list_tokens(self.reader) if token.client_token == request.client_token]
        self.assertEqual((listed.state, listed.reply), (EXECUTED, b""))
        self.assertEqual([pair.key_name for pair in self.key_pairs(self.reader)], ["pair"])
        self.assertEqual(get_token(self.writer, request.client_token).parsed.token.reply, first.raw)

    def test_C21_decoding_and_the_tokens_form_come_before_the_role_and_that_before_the_look_up(self):
        token = new_token()
        self.assertOutcome(self.writer.call("RunInstances", run(token)), "executed")
        self.assertRefused(self.reader.call("RunInstances", UNDECODABLE), "INVALID_PARAMETER")
        self.assertRefused(self.reader.call("RunInstances", run("two words")), "INVALID_CLIENT_TOKEN")
        for request in (run(token), run(token, min_count=2), run(new_token(), image="ami-none")):
            self.assertRefused(self.reader.call("RunInstances", request), "PERMISSION_DENIED")

    def test_the_table_in_docs_access_has_every_method(self):
        rows = re.findall(r"^\| `(\w+)` \| (.*) \|$", (ROOT / "docs" / "access.md").read_text(), re.MULTILINE)
        listed = {method: role for role, methods in rows if role in RANKS
                  for method in re.findall(r"`(\w+)`", methods)}
        self.assertEqual(listed, {path.rsplit("/", 1)[1]: required_role(path) for path in METHODS})


if __name__ == "__main__":
    unittest.main()
