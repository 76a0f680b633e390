"""hapaxctl admin inspect: the rows of a data directory that no server has open."""

import unittest

from case import new_token, run
from client import Client
from ctl import USAGE, CtlCase


class InspectTest(CtlCase):
    def inspect(self, *args: str):
        return self.run_ctl("admin", "inspect", "--data-dir", str(self.server.data_dir), *args)

    def test_rows_are_listed_and_one_is_dropped_on_request(self):
        client = Client(self.server, self.tenant)
        self.addCleanup(client.close)
        token = new_token()
        first = self.assertOutcome(client.call("RunInstances", run(token)), "executed")
        self.assertFails(self.inspect(), USAGE, str(self.server.data_dir), "in use")
        self.server.stop()

        whole = self.inspect("--max-rows", "1000")
        self.assertEqual(whole.code, 0, whole)
        self.assertEqual(whole.json["damagedRowCount"], "0")
        self.assertEqual({row["condition"] for row in whole.json["rows"]}, {"sound"})
        tokens = [row for row in self.inspect("--table", "tokens").json["rows"] if row["elements"][-1] == token]
        self.assertEqual(len(tokens), 1, tokens)
        self.assertEqual(tokens[0]["elements"][0], self.tenant)
        self.assertEqual(tokens[0]["value"]["method"], "hapax.compute.v1.Compute/RunInstances")
        self.assertEqual(tokens[0]["value"]["reply"], "")

        self.assertFails(self.inspect("--drop", tokens[0]["key"]), USAGE, "--table")
        self.assertFails(self.inspect("--table", "tokens", "--drop", "ff"), USAGE, "no such row")
        dropped = self.inspect("--table", "tokens", "--drop", tokens[0]["key"])
        self.assertEqual(dropped.code, 0, dropped)
        self.assertIn("executes AGAIN", dropped.err)
        self.server.start()
        client = Client(self.server, self.tenant)
        self.addCleanup(client.close)
        second = self.assertOutcome(client.call("RunInstances", run(token)), "executed")
        self.assertNotEqual(second.raw, first.raw)


if __name__ == "__main__":
    unittest.main()
