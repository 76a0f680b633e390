"""Bytes on the disk that are not what was written (C18): what they concern is refused, and never executed again."""

import pathlib
import subprocess
import unittest

from case import ContractCase, new_token, pages, run
from client import Client
from harness import Server, command

TOKENS = 20
# Of one call: its reply is longer than a block of a table, so that every token has blocks of its own.
INSTANCES = 30
REFUSAL_TIMEOUT_S = 20


def flip(file: pathlib.Path, position: int) -> None:
    with open(file, "r+b") as stream:
        stream.seek(position)
        byte = stream.read(1)[0]
        stream.seek(position)
        stream.write(bytes([byte ^ 1]))


class DamageTest(ContractCase):
    def setUp(self):
        self.server = Server()
        self.addCleanup(self.server.close)
        self.server.start()
        self.client = Client(self.server, "tenant")
        self.addCleanup(self.client.close)
        self.firsts = {}
        for _ in range(TOKENS):
            token = new_token()
            self.firsts[token] = self.assertOutcome(self.call(token), "executed")

    def call(self, token: str):
        return self.client.call("RunInstances", run(token, min_count=INSTANCES))

    def launched(self) -> set:
        return {i.instance_id for i in pages(self.client, "DescribeInstances", "instances", page_size=1000)}

    def files(self, suffix: str, part: bytes) -> list:
        """Data files with these bytes in them."""
        return [file for file in self.server.data_dir.glob("*" + suffix) if part in file.read_bytes()]

    def assertDoesNotStart(self, *names: str) -> None:
        ended = subprocess.run(command("--listen_address=127.0.0.1:0", f"--data_dir={self.server.data_dir}"),
                               stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=REFUSAL_TIMEOUT_S)
        self.assertGreater(ended.returncode, 0, ended.stderr)  # Below 0 it was killed by a signal.
        self.assertNotIn("listening on", ended.stdout)
        for name in ("--data_dir", str(self.server.data_dir), *names):
            self.assertIn(name, ended.stderr)

    def assertAllReplay(self, but=()) -> None:
        for token, first in self.firsts.items():
            if token not in but:
                self.assertReplays(self.call(token), first)

    def test_C18_a_damaged_block_of_a_table_concerns_its_token_only(self):
        for _ in range(2):  # A start makes tables of what the log holds.
            self.server.stop()
            self.server.start()
        instances = self.launched()
        self.server.stop()
        damaged = sorted(self.firsts)[TOKENS // 2]
        # "tokens" is the value of the property whose name ends so: other tables have the token in them, too.
        [table] = set(self.files(".sst", damaged.encode())) & set(self.files(".sst", b"nametokens"))
        flip(table, table.read_bytes().index(damaged.encode()))
        for end in (self.server.kill, self.server.stop):
            self.server.start()
            self.assertAllReplay(but=[damaged])
            for _ in range(2):
                self.assertRefused(self.call(damaged), "TOKEN_RECORD_CORRUPT")
            self.assertEqual(self.launched(), instances)
            fresh = new_token()
            self.firsts[fresh] = self.assertOutcome(self.call(fresh), "executed")
            instances |= {i.instance_id for i in self.firsts[fresh].parsed.instances}
            end()

    def test_C18_a_log_that_is_damaged_in_the_middle_stops_the_start(self):
        self.server.kill()
        token = list(self.firsts)[TOKENS // 2].encode()
        [log] = self.files(".log", token)
        position = log.read_bytes().index(token)
        flip(log, position)
        self.assertDoesNotStart("Corruption")
        flip(log, position)
        self.server.start()
        self.assertAllReplay()
        self.server.stop()

    def test_C18_a_directory_whose_current_file_is_missing_stops_the_start(self):
        self.server.stop()
        current = self.server.data_dir / "CURRENT"
        current.rename(self.server.dir / "CURRENT")
        self.assertDoesNotStart("CURRENT is missing")
        self.assertFalse(current.exists())
        (self.server.dir / "CURRENT").rename(current)
        self.server.start()
        self.assertAllReplay()
        self.server.stop()


if __name__ == "__main__":
    unittest.main()
