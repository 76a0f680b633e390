"""SIGTERM ends the process in time, whatever holds it up."""

import fcntl
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import types
import unittest

from case import run
from client import Client
from harness import LISTENING, STOP_TIMEOUT_S, command


class StopTest(unittest.TestCase):
    def test_a_reader_of_stderr_who_hangs_does_not_hold_up_the_end(self):
        folder = pathlib.Path(tempfile.mkdtemp(prefix="hapax-e2e-"))
        self.addCleanup(shutil.rmtree, folder)
        reader, writer = os.pipe()
        self.addCleanup(os.close, reader)
        fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
        process = subprocess.Popen(command("--listen_address=127.0.0.1:0", f"--data_dir={folder / 'data'}"),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=writer, text=True)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        address = LISTENING.fullmatch(process.stdout.readline().rstrip("\n"))[1]
        # Until the pipe is full, and the log of many calls waits for room in it.
        client = Client(types.SimpleNamespace(address=address, starts=1))
        self.addCleanup(client.close)
        for _ in range(200):
            client.call("DescribeInstances", b"")
        before = fcntl.fcntl(writer, fcntl.F_GETFL)
        os.set_blocking(writer, False)
        try:
            while os.write(writer, b"x" * 64):
                pass
        except BlockingIOError:
            pass
        fcntl.fcntl(writer, fcntl.F_SETFL, before)
        os.close(writer)
        self.assertTrue(client.call("RunInstances", run("token")).ok)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=STOP_TIMEOUT_S), 0)


if __name__ == "__main__":
    unittest.main()
