"""The disk is full, and then it is not (C18): calls are refused and leave nothing, replays go on, and the same process
executes the same tokens once there is space again; each has one effect, whatever dies in between (C14)."""

import random
import unittest

import small_disk
from case import OTHER_IMAGE, eventually, hosts, new_token, run
from client import Client
from crash_test import CrashCase, Ledger
from protos import compute_pb2

NOT_POSSIBLE = ""
DISK_MEGABYTES = 48
# More than fit into what was left of a block when the disk was filled.
CALLS_TO_FILL_UP = 200
REASON = "TOKEN_STORE_UNAVAILABLE"


class FullDiskCase(CrashCase):
    def begin(self, disk: small_disk.SmallDisk) -> None:
        """Starts the server, whose rows are on the disk."""
        self.disk = disk
        self.server.start()
        self.chance = random.Random(18)
        self.ledger = Ledger("tenant")
        self.ledgers.append(self.ledger)
        self.client = Client(self.server, self.ledger.tenant)
        self.addCleanup(self.client.close)

    def execute(self, calls: int) -> None:
        for _ in range(calls):
            self.assertTrue(self.ledger.attempt(self.client, self.ledger.fresh(self.chance), gone=()))
        self.assertEqual(self.ledger.wrong, [])

    def refused_from_now_on(self) -> list:
        """Fills the disk, and returns tokens whose calls are refused: the first of them wrote to it in vain."""
        self.disk.fill()
        for _ in range(CALLS_TO_FILL_UP):
            token = self.ledger.fresh(self.chance)
            if not self.ledger.attempt(self.client, token):
                refused = [token, *(self.ledger.fresh(self.chance) for _ in range(4))]
                self.assert_refused(refused)
                return refused
        raise AssertionError("the disk does not get full")

    def assert_refused(self, tokens) -> None:
        for token in tokens:
            self.assertRefused(self.client.call(*self.ledger.requests[token]), REASON)

    def assert_replayed(self) -> None:
        for token, first in self.ledger.firsts.items():
            self.assertReplays(self.client.call(*self.ledger.requests[token]), first)

    def assert_no_effect_of(self, refused) -> None:
        """What is there is what the replies tell of, so nothing of the refused calls."""
        requests = dict(self.ledger.requests)
        for token in refused:
            del self.ledger.requests[token]
        self.assertOneEffectEach()
        self.ledger.requests = requests

    def launch_of_a_known_token(self):
        return next(compute_pb2.RunInstancesRequest.FromString(request)
                    for token, (method, request) in self.ledger.requests.items()
                    if method == "RunInstances" and token in self.ledger.firsts)

    def execute_again(self, refused, outcomes) -> None:
        """The refused tokens succeed, as soon as the server has noticed the space."""
        def attempt(token: str):
            reply = self.client.call(*self.ledger.requests[token])
            if not reply.ok:
                self.assertRefused(reply, REASON)
            return reply.ok and reply

        for token in refused:
            reply = eventually(lambda: attempt(token), "a call is executed again")
            self.assertIn(reply.outcome, outcomes)
            self.ledger.firsts[token] = reply


class FullDiskTest(FullDiskCase):
    def setUp(self):
        if NOT_POSSIBLE:
            self.skipTest(NOT_POSSIBLE)
        super().setUp()
        self.server.data_dir = self.server.dir / "disk/data"
        disk = small_disk.SmallDisk(self.server.dir / "disk", DISK_MEGABYTES)
        self.addCleanup(disk.close)
        self.begin(disk)

    def test_C18_calls_are_refused_replays_go_on_and_the_same_process_executes_once_there_is_space(self):
        self.execute(10)
        pid = self.server.pid
        for _ in range(2):
            refused = self.refused_from_now_on()
            self.assert_replayed()
            other = self.launch_of_a_known_token()
            other.image_id = OTHER_IMAGE
            self.assertRefused(self.client.call("RunInstances", other), "IDEMPOTENT_PARAMETER_MISMATCH")
            self.assertRefused(self.client.call("AllocateHosts", hosts(new_token())), REASON)
            self.assertRefused(self.client.call("RunInstances", run()), REASON)  # Unprotected: it makes no difference.
            self.assert_no_effect_of(refused)
            self.assert_refused(refused)

            self.disk.free()
            self.execute_again(refused, ("executed",))
            self.assert_replayed()
            self.assertOneEffectEach()
            self.execute(5)
        self.assertEqual((self.server.pid, self.server.starts), (pid, 1))
        self.assertAllComeUp()
        self.assertIn("writes suspended", self.server.stderr)
        self.assertIn("writes resumed", self.server.stderr)

        self.server.kill()
        self.server.start()
        self.assert_replayed()
        self.assertOneEffectEach()
        self.server.stop()

    def test_C14_the_server_dies_while_the_disk_is_full(self):
        self.execute(10)
        refused = self.refused_from_now_on()
        self.server.kill()
        self.disk.free()
        self.server.start()
        self.execute_again(refused, ("executed", "replayed"))
        self.assert_replayed()
        self.assertOneEffectEach()
        self.assertAllComeUp()
        self.server.stop()

    def test_sigterm_while_the_disk_is_full(self):
        self.execute(3)
        refused = self.refused_from_now_on()
        self.server.stop()
        self.disk.free()
        self.server.start()
        self.execute_again(refused, ("executed", "replayed"))
        self.assertOneEffectEach()
        self.server.stop()


if __name__ == "__main__":
    NOT_POSSIBLE = small_disk.enter_own_namespace()
    unittest.main()
