"""A data directory that an earlier version wrote (make_golden.py): today's server answers from it as that one did."""

import base64
import json
import pathlib
import tarfile
import unittest

from case import ContractCase, new_token, run
from client import Client
from harness import Server

GOLDEN = pathlib.Path(__file__).resolve().parent / "golden"
TENANT = "golden"


class GoldenTest(ContractCase):
    def open(self, archive: pathlib.Path) -> None:
        """A server on a copy of the directory."""
        self.server = Server()
        self.addCleanup(self.server.close)
        with tarfile.open(archive) as files:
            files.extractall(self.server.dir)
        self.calls = json.loads((self.server.dir / "calls.json").read_text())
        self.server.start()

    def assertAnsweredAsThen(self) -> None:
        client = Client(self.server, TENANT)
        self.addCleanup(client.close)
        for call in self.calls:
            with self.subTest(method=call["method"], kind=call["kind"]):
                then = base64.b64decode(call["reply"])
                reply = client.call(call["method"], base64.b64decode(call["request"]),
                                    metadata=tuple(map(tuple, call["metadata"])))
                if call["kind"] == "verbatim":
                    self.assertOutcome(reply, "replayed")
                    self.assertEqual(reply.raw, then)
                elif call["kind"] == "operation":
                    self.assertOutcome(reply, "replayed")
                    self.assertEqual(reply.parsed.name, type(reply.parsed).FromString(then).name)
                    self.assertTrue(reply.parsed.done)
                elif call["kind"] == "list":
                    self.assertEqual(reply.parsed, type(reply.parsed).FromString(then))
                else:
                    self.assertRefused(reply, f"CLIENT_TOKEN_{call['kind'].upper()}")

    def test_C9_C22_every_earlier_format_is_read(self):
        archives = sorted(GOLDEN.glob("data_v*.tar.gz"))
        self.assertTrue(archives)
        for archive in archives:
            with self.subTest(archive=archive.name):
                self.open(archive)
                self.assertAnsweredAsThen()
                # And written: what is new is kept beside what was there.
                client = Client(self.server, "another-tenant")
                self.addCleanup(client.close)
                request = run(new_token())
                first = self.assertOutcome(client.call("RunInstances", request), "executed")
                self.server.kill()
                self.server.start()
                client = Client(self.server, "another-tenant")
                self.addCleanup(client.close)
                self.assertReplays(client.call("RunInstances", request), first)
                self.assertAnsweredAsThen()


if __name__ == "__main__":
    unittest.main()
