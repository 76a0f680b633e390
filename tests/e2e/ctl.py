"""hapaxctl as a process: what a user types, and what comes back."""

import json
import os
import shlex
import socket
import subprocess
import sys

from case import ServerCase

HAPAXCTL = os.environ.get("HAPAXCTL") or sys.exit("HAPAXCTL: set it to the path of the hapaxctl to test")
TIMEOUT_S = 120

# hapaxctl --help has the table.
DONE, USAGE, REFUSED, TOKEN_USED_UP, NOT_NOW, OPEN = range(6)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Ended:
    """How a run ended."""

    def __init__(self, args, code: int, out: str, err: str):
        self.args = args
        self.code = code
        self.out = out
        self.err = err

    @property
    def json(self):
        """stdout, which must be one JSON document and nothing else."""
        return json.loads(self.out)

    def __str__(self) -> str:
        return f"hapaxctl {shlex.join(self.args)}: exit code {self.code}\n{self.out}{self.err}"


class CtlCase(ServerCase):
    """Runs hapaxctl against the class's server, as the test's tenant."""

    def environment(self, **more: str) -> dict:
        ours = {name: value for name, value in os.environ.items() if not name.startswith("HAPAX_")}
        return {**ours, "HAPAX_ENDPOINT": self.server.address, "HAPAX_TENANT": self.tenant,
                # No retry because a busy machine is slow: what is executed is said to be.
                "HAPAX_TIMEOUT": "100s", "HAPAX_ATTEMPT_TIMEOUT": "90s", **more}

    def run_ctl(self, *args: str, env=(), stdout=subprocess.PIPE) -> Ended:
        """`args`: words, or one command line as a user types it. `env`: variables besides."""
        words = shlex.split(args[0]) if len(args) == 1 else list(args)
        ended = subprocess.run([HAPAXCTL, *words], env=self.environment(**dict(env)), stdin=subprocess.DEVNULL,
                               stdout=stdout, stderr=subprocess.PIPE, text=True, timeout=TIMEOUT_S)
        return Ended(words, ended.returncode, ended.stdout or "", ended.stderr)

    def ctl(self, *args: str, outcome="", env=()) -> Ended:
        """A run that must succeed, and say this outcome."""
        ended = self.run_ctl(*args, env=env)
        self.assertEqual(ended.code, DONE, ended)
        self.assertIn(f": {outcome};" if outcome else "", ended.err, ended)
        return ended

    def assertFails(self, ended: Ended, code: int, *says: str) -> Ended:
        """Ended with this code, nothing on stdout, and each of `says` on stderr."""
        self.assertEqual(ended.code, code, ended)
        self.assertEqual(ended.out, "", ended)
        for part in says:
            self.assertIn(part, ended.err, ended)
        for line in ended.err.splitlines():
            self.assertTrue(line.startswith("hapaxctl: "), ended)
        return ended

    def start_ctl(self, *args: str, env=(), **streams) -> subprocess.Popen:
        """A run that goes on; it is killed with the test."""
        process = subprocess.Popen([HAPAXCTL, *args], env=self.environment(**dict(env)), stdin=subprocess.DEVNULL,
                                   **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams})
        self.addCleanup(_end, process)
        return process


def _end(process) -> None:
    process.kill()
    process.communicate()
