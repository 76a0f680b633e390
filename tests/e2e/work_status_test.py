"""What an operator sees of a server's work, and does about it: hapaxctl admin status and retry-work."""

import re
import unittest

from case import new_token, run
from ctl import REFUSED, CtlCase

KINDS = ["compute.boot", "compute.shut_down", "compute.start", "compute.stop"]


class WorkStatusTest(CtlCase):
    flags = ("--simulated_boot_latency=1h",)

    def status(self) -> dict:
        return self.ctl("admin status --output json").json

    def test_the_status_tells_of_version_start_and_work_by_kind(self):
        before = {kind["kind"]: int(kind["openCount"]) for kind in self.status()["workKinds"]}
        self.assertEqual(list(before), KINDS)
        self.client.call("RunInstances", run(new_token(), min_count=3))
        status = self.status()
        self.assertRegex(status["version"], r"^\d+\.\d+\.\d+$")
        self.assertRegex(status["startTime"], r"^\d{4}-\d\d-\d\dT.*Z$")
        self.assertEqual(status["damagedWorkRows"], 0)
        self.assertEqual(status["workPieces"], [])
        boot = status["workKinds"][0]
        self.assertEqual((int(boot["openCount"]), int(boot["runningCount"])), (before["compute.boot"] + 3,) * 2)
        self.assertEqual((boot["waitingCount"], boot["parkedCount"], boot["failureCount"]), ("0", "0", "0"))
        self.assertRegex(boot["oldestAge"], r"^\d+(\.\d+)?s$")

    def test_it_is_a_table_unless_another_output_is_asked_for(self):
        table = self.ctl("admin status").out
        self.assertRegex(table, r"(?m)^VERSION +\d")
        self.assertRegex(table, r"(?m)^KIND +OPEN_COUNT +RUNNING_COUNT +WAITING_COUNT +PARKED_COUNT +FAILURE_COUNT")
        for kind in KINDS:
            self.assertRegex(table, rf"(?m)^{re.escape(kind)} +\d+ ")
        self.assertEqual(self.ctl("admin status --query workKinds[].kind").json, KINDS)

    def test_parked_work_is_retried_by_kind_or_all_of_it(self):
        for line in ("admin retry-work", "admin retry-work --kind compute.boot"):
            self.assertEqual(self.ctl(line).json, {"retriedCount": "0"})
        self.assertFails(self.run_ctl("admin retry-work --kind compute.unknown"), REFUSED,
                         "INVALID_PARAMETER", "compute.boot, compute.shut_down")


if __name__ == "__main__":
    unittest.main()
