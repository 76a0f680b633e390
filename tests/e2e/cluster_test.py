"""scripts/cluster as its users have it: three servers, three members, and a retry after a server and the leader died."""

import os
import pathlib
import re
import subprocess
import threading
import unittest

from case import new_token

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BUILD = os.environ["HAPAX_BUILD_DIR"]
TIMEOUT_S = 90


class ClusterTest(unittest.TestCase):
    def setUp(self):
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", ROOT / "scripts/cluster"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True, env={**os.environ, "HAPAX_BUILD": BUILD})
        watchdog = threading.Timer(TIMEOUT_S, self.process.kill)
        watchdog.start()
        self.addCleanup(self.process.stdout.close)
        self.addCleanup(self.process.kill)
        self.addCleanup(watchdog.cancel)
        text = self.read_until("`help` lists the commands.")
        self.endpoints = re.search(r"export HAPAX_ENDPOINT=(\S+)", text)[1]
        self.directory = pathlib.Path(re.search(r"are in (\S+)\. ", text)[1])

    def read_until(self, part: str) -> str:
        text = ""
        for line in self.process.stdout:
            text += line
            if part in line:
                return text
        raise AssertionError(f"it ended without {part!r}: {text}")

    def command(self, line: str, answer: str) -> str:
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        return self.read_until(answer)

    def ctl(self, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run([os.environ["HAPAXCTL"], *arguments], stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, timeout=60, env={**os.environ, "HAPAX_ENDPOINT": self.endpoints}, check=True)

    def test_a_launch_is_replayed_after_a_server_and_the_leader_were_killed(self):
        launch = ("run-instances", "--image-id", "ami-b232d0db", "--client-token", new_token())
        first = self.ctl(*launch)
        self.assertIn("executed", first.stderr)
        self.command("kill server-1", "server-1: ended with -9")
        self.assertRegex(self.command("kill leader", "ended with -9"), r"member-[123]: ended")
        second = self.ctl(*launch)
        self.assertIn("replayed", second.stderr)
        self.assertEqual(second.stdout, first.stdout)
        self.assertEqual(self.ctl("describe-instances").stdout.count('"instanceId"'), 1)
        self.command("start server-1", "server-1: runs")
        self.command("kill nobody", 'no process "nobody": leader, or one of member-1')
        self.command("status", "server-3")
        self.process.stdin.write("quit\n")
        self.process.stdin.close()
        self.assertEqual(self.process.wait(TIMEOUT_S), 0)
        self.assertFalse(self.directory.exists())


if __name__ == "__main__":
    unittest.main()
