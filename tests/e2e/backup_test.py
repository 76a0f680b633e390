"""Backups: taken under load, restored, and held to what was acknowledged before (C9, C14); and every way in which one is
refused.

HAPAX_SEED sets the random numbers."""

import os
import random
import unittest

from case import EXECUTED, FREE, get_token, keypair, new_token, pages
from client import Client
from crash_test import CrashCase, Ledger
from ctl import REFUSED, USAGE, CtlCase
from harness import refused_start
from protos import compute_pb2

SEED = int(os.environ.get("HAPAX_SEED") or random.SystemRandom().randrange(2**32))
# Answers before the backup, and after it.
ANSWERS = 200


class BackupCase(CrashCase):
    """A server that makes backups, and hapaxctl to tell it to."""
    tenant = "operator"
    environment = CtlCase.environment
    run_ctl = CtlCase.run_ctl
    ctl = CtlCase.ctl
    assertFails = CtlCase.assertFails

    def setUp(self):
        super().setUp()
        self.backup_dir = self.server.dir / "backups"
        self.restored = self.server.dir / "restored"
        self.server.flags += (f"--backup_dir={self.backup_dir}",)

    def restore(self, *more: str) -> list:
        return ["admin", "restore", "--backup-dir", str(self.backup_dir), "--data-dir", str(self.restored), *more]

    def start_restored(self) -> None:
        """Another server, on what was restored, with the keys of the first."""
        self.server.flags += (f"--seal_key_file={self.server.seal_key_file}",)
        self.server.data_dir = self.restored
        self.server.start()

    def client(self, tenant: str) -> Client:
        client = Client(self.server, tenant)
        self.addCleanup(client.close)
        return client


class BackupUnderLoadTest(BackupCase):
    def assertEffectsMatchRecords(self, ledger: Ledger) -> int:
        """What was not acknowledged before the backup is in it with record and effect, or not at all. Returns how much
        is not."""
        client = self.client(ledger.tenant)
        launched = {i.instance_id: i.client_token for i in pages(client, "DescribeInstances", "instances",
                                                                 page_size=1000)}
        pairs = {pair.key_name for pair in pages(client, "DescribeKeypairs", "key_pairs")}
        expected_launched, expected_pairs, free = {}, set(), 0
        for token, (method, request) in ledger.requests.items():
            zone = method == "RunInstances" and compute_pb2.RunInstancesRequest.FromString(request).placement.availability_zone or ""
            told = get_token(client, token, zone=zone).parsed.token
            if told.state == FREE:
                free += 1
                continue
            self.assertEqual(told.state, EXECUTED)
            reply = client.call(method, request)
            self.assertOutcome(reply, "replayed")
            self.assertEqual(reply.raw, told.reply)
            if method == "RunInstances":
                expected_launched |= {i.instance_id: token for i in reply.parsed.instances}
            else:
                expected_pairs.add(reply.parsed.key_name)
        self.assertEqual(launched, expected_launched)
        self.assertEqual(pairs, expected_pairs)
        return free

    def test_C14_a_backup_under_load_has_everything_acknowledged_before_it_and_nothing_by_half(self):
        print(f"HAPAX_SEED={SEED}", flush=True)
        self.server.start()
        ledger = Ledger("tenant")
        acknowledged = {}

        def back_up():
            acknowledged.update(ledger.firsts)
            self.ctl("admin backup")
            for _ in range(ANSWERS):
                self.assertTrue(ledger.acknowledged.acquire(timeout=30))
            self.server.kill()

        self.load(ledger, random.Random(SEED), ANSWERS, back_up)
        self.assertEqual(ledger.wrong, [])
        self.ctl(*self.restore())
        self.start_restored()
        self.assertGreater(self.assertEffectsMatchRecords(ledger), 0, "nothing came after the backup")
        self.send_again(ledger, acknowledged)
        # What came later is unknown there: it is executed anew, once.
        ledger.firsts = acknowledged
        self.send_again(ledger, ledger.requests)
        self.assertOneEffectEach()
        self.assertAllComeUp()


class BackupTest(BackupCase):
    def test_backups_are_listed_and_each_can_be_restored(self):
        self.server.start()
        client = self.client("tenant")
        requests, replies = [], []
        for number in range(3):
            requests.append(keypair(new_token(), f"pair-{number}"))
            replies.append(self.assertOutcome(client.call("CreateKeypair", requests[-1]), "executed"))
            if number < 2:
                made = self.ctl("admin backup", outcome="").json["backup"]
                self.assertEqual(made["backupId"], number + 1)
        listed = self.ctl("admin list-backups").json["backups"]
        self.assertEqual([backup["backupId"] for backup in listed], [1, 2])
        self.assertEqual(listed[1], made)
        self.server.stop()
        self.assertEqual(self.ctl(*self.restore("--backup-id", "1")).json["backupId"], 1)
        self.start_restored()
        client = self.client("tenant")
        self.assertReplays(client.call("CreateKeypair", requests[0]), replies[0])
        self.assertEqual(get_token(client, requests[1].client_token).parsed.token.state, FREE)
        # The restored directory is backed up in its turn.
        self.assertEqual(self.ctl("admin backup").json["backup"]["backupId"], 3)

    def test_C25_without_the_keys_of_then_a_restored_directory_is_refused(self):
        self.server.start()
        self.client("tenant").call("CreateKeypair", keypair(new_token(), "pair"))
        self.ctl("admin backup")
        self.ctl(*self.restore())
        for path in self.backup_dir.rglob("*"):
            self.assertNotIn("seal_keys", path.name)
        self.assertIn("--seal_key_file", refused_start("--listen_address=127.0.0.1:0", f"--data_dir={self.restored}"))

    def test_C18_a_damaged_backup_is_not_restored(self):
        self.server.start()
        self.client("tenant").call("CreateKeypair", keypair(new_token(), "pair"))
        self.ctl("admin backup")
        log = next(path for path in self.backup_dir.rglob("*.log") if path.stat().st_size > 0)
        damaged = bytearray(log.read_bytes())
        damaged[len(damaged) // 2] ^= 1
        log.write_bytes(damaged)
        self.assertFails(self.run_ctl(*self.restore()), USAGE, "backup 1", str(self.backup_dir), "is damaged")
        self.assertFalse(self.restored.exists())
        log.unlink()
        self.assertEqual(self.ctl("admin list-backups").json["backups"], [{"backupId": 1, "sizeBytes": "0", "damaged": True}])
        self.assertFails(self.run_ctl(*self.restore()), USAGE, "is damaged")

    def test_a_directory_that_is_used_is_not_restored_into(self):
        self.server.start()
        self.ctl("admin backup")
        self.restored = self.server.data_dir
        self.assertFails(self.run_ctl(*self.restore()), USAGE, str(self.restored), "is in use, or is not empty")

    def test_what_an_earlier_restore_left_is_deleted_only_when_asked_to(self):
        self.server.start()
        self.ctl("admin backup")
        unfinished = self.restored.with_name(self.restored.name + ".restoring")
        unfinished.mkdir()
        (unfinished / "file").write_text("kept")
        self.assertFails(self.run_ctl(*self.restore()), USAGE, str(unfinished), "--remove-unfinished")
        self.assertEqual((unfinished / "file").read_text(), "kept")
        self.ctl(*self.restore("--remove-unfinished"))
        self.assertFalse(unfinished.exists())
        self.start_restored()

    def test_where_there_is_no_backup_that_is_said(self):
        self.server.start()
        self.assertEqual(self.ctl("admin list-backups").json["backups"], [])
        self.assertFails(self.run_ctl(*self.restore()), USAGE, str(self.backup_dir), "has no backup")

    def test_without_a_directory_for_them_backups_are_refused(self):
        self.server.flags = ()
        self.server.start()
        for verb in ("backup", "list-backups"):
            self.assertFails(self.run_ctl("admin", verb), REFUSED, "PERMISSION_DENIED", "--backup_dir")

    def test_a_directory_that_cannot_be_made_is_named(self):
        self.server.write("file", "not a directory")
        self.server.flags = (f"--backup_dir={self.server.dir}/file/backups",)
        self.server.start()
        ended = self.run_ctl("admin backup", env={"HAPAX_TIMEOUT": "1s"})
        self.assertNotEqual(ended.code, 0)
        self.assertIn("file/backups", ended.err)

    def test_the_directory_is_outside_of_the_data(self):
        for inside in (self.server.data_dir, self.server.data_dir / "backups", self.server.dir / "data/../data/b"):
            self.server.flags = (f"--backup_dir={inside}",)
            self.assertIn("--backup_dir", self.server.refused_start())


if __name__ == "__main__":
    unittest.main()
