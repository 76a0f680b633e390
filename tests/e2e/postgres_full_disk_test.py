"""The disk of the tables is full, and then it is not (C18): calls that find no room are refused at once and leave nothing,
replays go on, and the same process executes the same tokens once there is space again."""

import os
import pwd
import time
import unittest

import small_disk
from case import OTHER_IMAGE, eventually
from etcd import SharedServer
from full_disk_test import CALLS_TO_FILL_UP, FullDiskCase
from postgres import AS_USER, Postgres

NOT_POSSIBLE = ""
DISK_MEGABYTES = 16
# Of a call that is refused. Callers wait for 10 s before they are told that the database does not answer.
AT_ONCE_S = 5
CALLS = 10


class PostgresFullDiskTest(FullDiskCase):
    def setUp(self):
        if NOT_POSSIBLE:
            self.skipTest(NOT_POSSIBLE)
        super().setUp()
        self.database = Postgres()
        self.addCleanup(self.database.close)
        disk = small_disk.SmallDisk(self.database.dir / "disk", DISK_MEGABYTES)
        self.addCleanup(disk.close)
        if AS_USER:
            os.chown(disk.path, pwd.getpwnam("postgres").pw_uid, -1)
        self.database.start()
        self.addCleanup(self.database.kill)  # So that nothing is on the disk when it is closed.
        # The write-ahead log is elsewhere: PostgreSQL ends if there is no room for it.
        self.database.sql(f"CREATE TABLESPACE small LOCATION '{disk.path}'")
        self.database.sql("ALTER DATABASE postgres SET default_tablespace = small")
        self.server = SharedServer(self.database, "server-1", "--simulated_boot_latency=100ms")
        self.addCleanup(self.server.close)
        self.begin(disk)

    def refused_once_it_is_full(self) -> str:
        """Fills the disk, and returns the first token whose call is refused."""
        self.disk.fill()
        for _ in range(CALLS_TO_FILL_UP):
            token = self.ledger.fresh(self.chance)
            if not self.ledger.attempt(self.client, token):
                return token
        raise AssertionError("the disk does not get full")

    def refused_among(self, calls: int) -> list:
        """Tokens of those calls that are refused: others find room in what was left."""
        tokens = [self.ledger.fresh(self.chance) for _ in range(calls)]
        return [token for token in tokens if not self.ledger.attempt(self.client, token)]

    def test_C18_calls_are_refused_at_once_replays_go_on_and_the_same_process_executes_once_there_is_space(self):
        self.execute(CALLS)
        pid = self.server.pid
        refused = [self.refused_once_it_is_full()]
        begun_s = time.monotonic()
        refused += self.refused_among(CALLS)
        self.assertLess(time.monotonic() - begun_s, AT_ONCE_S * CALLS)
        self.assertEqual(self.ledger.wrong, [])
        eventually(lambda: '"cause":"the disk of PostgreSQL is full' in self.server.stderr, "the server tells why")
        self.assert_replayed()
        other = self.launch_of_a_known_token()
        other.image_id = OTHER_IMAGE
        self.assertRefused(self.client.call("RunInstances", other), "IDEMPOTENT_PARAMETER_MISMATCH")
        self.assert_no_effect_of(refused)

        self.disk.free()
        self.execute_again(refused, ("executed",))
        self.execute(CALLS)
        self.assert_replayed()
        self.assertOneEffectEach()
        self.assertAllComeUp()
        self.assertEqual((self.server.pid, self.server.starts), (pid, 1))
        self.server.stop()


if __name__ == "__main__":
    NOT_POSSIBLE = small_disk.enter_own_namespace()
    unittest.main()
