"""`hapaxctl admin new-api-key` makes keys that a server takes, and never the same one twice."""

import pathlib
import signal
import unittest

from api_keys import line_of
from case import IMAGE, eventually
from ctl import REFUSED, USAGE, CtlCase
from harness import Server

RUN = f"run-instances --image-id {IMAGE}"


class NewApiKeyTest(CtlCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.addClassCleanup(cls.server.close)
        cls.keys = pathlib.Path(cls.server.write("keys", line_of("first", "first")))
        cls.server.flags = ("--auth=api_key", f"--api_keys_file={cls.keys}")
        cls.server.start()

    def make(self, words: str) -> str:
        """Has a key made, adds its line to the server's file, and returns the key."""
        made = self.ctl(f"admin new-api-key {words}").json
        self.assertNotIn(made["apiKey"], made["line"])
        self.assertNotIn(made["apiKey"].split("_")[2], made["line"])
        with self.keys.open("a") as keys:
            keys.write(made["line"] + "\n")
        return made["apiKey"]

    def test_a_new_key_is_taken_and_has_its_role(self):
        writer, reader, other = self.make("team-a"), self.make("team-a --role read"), self.make("team.b --role admin")
        self.assertEqual(len({writer, reader, other}), 3)
        self.assertFails(self.run_ctl(RUN, env={"HAPAX_API_KEY": writer}), REFUSED, "UNAUTHENTICATED")
        self.server.signal(signal.SIGHUP)
        eventually(lambda: "reload: done" in self.server.stderr, "the reload")
        self.assertEqual(self.ctl(RUN, env={"HAPAX_API_KEY": writer}).json["ownerId"], "team-a")
        self.assertEqual(len(self.ctl("describe-instances", env={"HAPAX_API_KEY": reader}).json["instances"]), 1)
        self.assertFails(self.run_ctl(RUN, env={"HAPAX_API_KEY": reader}), REFUSED, "PERMISSION_DENIED")
        self.assertEqual(self.ctl(RUN, env={"HAPAX_API_KEY": other}).json["ownerId"], "team.b")
        for key in (writer, reader, other):
            self.assertNotIn(key.split("_")[2], self.server.stderr)

    def test_1_a_tenant_or_role_that_cannot_be_is_refused(self):
        for words in ("", "a/b", "t" * 65, "team --role owner"):
            self.assertFails(self.run_ctl(f"admin new-api-key {words}"), USAGE)


if __name__ == "__main__":
    unittest.main()
