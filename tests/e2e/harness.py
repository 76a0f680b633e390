"""hapaxd as a process: started on a data directory of its own, stopped, killed, started again."""

import os
import pathlib
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

HAPAXD = os.environ.get("HAPAXD") or sys.exit("HAPAXD: set it to the path of the hapaxd to test")
HTTP = re.compile(r"hapaxd: HTTP on (127\.0\.0\.1:[1-9][0-9]*)")
LISTENING = re.compile(r"\w+: listening on (127\.0\.0\.1:[1-9][0-9]*)")
START_TIMEOUT_S = 60
# How long a server that must not start may take to find that out.
REFUSAL_TIMEOUT_S = 20
STOP_TIMEOUT_S = 30


def command(*flags: str, program: str = HAPAXD) -> list:
    """The command line of hapaxd; the process dies with this one, however this one ends."""
    return ["setpriv", "--pdeathsig", "KILL", program, *flags]


def refused_start(*flags: str, environment=None) -> str:
    """What hapaxd writes to stderr when it does not start with these flags: that it does, or dies of a signal, is an
    error. `environment` is besides this process's own."""
    ended = subprocess.run(command(*flags), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=REFUSAL_TIMEOUT_S, env={**os.environ, **(environment or {})})
    if ended.returncode <= 0 or LISTENING.search(ended.stdout):
        raise AssertionError(f"hapaxd {' '.join(flags)}: exit code {ended.returncode}, stderr:\n{ended.stderr}")
    return ended.stderr


class Server:
    """One hapaxd after the other on the same data directory, each on a free port of 127.0.0.1.

    `address` is where it listens; `starts` counts the processes so far. Start it on the main thread: it is killed when
    the thread that started it ends."""

    def __init__(self, *flags: str, program: str = HAPAXD):
        self.program = program
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hapax-e2e-"))
        self.data_dir = self.dir / "data"
        self.flags = flags
        self.environment = {}  # Besides this process's own.
        self.address = None
        self.starts = 0
        self.stdout = []  # Every line that every process so far wrote there.
        self._process = None
        self._stderr = self.dir / "stderr"

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def http_address(self) -> str:
        """Where it listens for HTTP, with --http_address."""
        return next(match[1] for match in map(HTTP.fullmatch, map(str.rstrip, reversed(self.stdout))) if match)

    @property
    def stderr(self) -> str:
        """All that every process so far wrote to stderr."""
        return self._stderr.read_text(errors="replace") if self._stderr.exists() else ""

    @property
    def seal_key_file(self) -> pathlib.Path:
        """Where hapaxd puts it when it is not told otherwise."""
        return self.dir / "data.seal_keys"

    def write(self, name: str, text: str) -> str:
        """Writes a file beside the data directory and returns its path."""
        path = self.dir / name
        path.write_text(text)
        return str(path)

    @property
    def _all_flags(self) -> tuple:
        return ("--listen_address=127.0.0.1:0", f"--data_dir={self.data_dir}", *self.flags)

    def refused_start(self) -> str:
        """Starts it where it must not start, and returns what that attempt wrote to stderr."""
        return refused_start(*self._all_flags, environment=self.environment)

    def start(self) -> "Server":
        with open(self._stderr, "ab") as stderr:
            self._process = subprocess.Popen(
                command(*self._all_flags, program=self.program), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr, text=True,
                env={**os.environ, **self.environment})
        found = queue.Queue()
        threading.Thread(target=_drain, args=(self._process.stdout, self.stdout, found), daemon=True).start()
        try:
            address = found.get(timeout=START_TIMEOUT_S)
        except queue.Empty:
            address = None
        if address is None:
            self.kill()
            raise AssertionError(f"hapaxd {' '.join(self._all_flags)} did not start, stderr:\n{self.stderr}")
        self.address = address
        self.starts += 1
        return self

    def stop(self) -> None:
        """SIGTERM. Anything but exit code 0 in time is an error, and so is a server that was gone already."""
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"hapaxd runs on {STOP_TIMEOUT_S} s after SIGTERM, stderr:\n{self.stderr}") from None
        self._process = None
        if code != 0:
            raise AssertionError(f"hapaxd stopped with exit code {code}, stderr:\n{self.stderr}")

    def await_end(self) -> int:
        """Waits until it ends by itself, and returns its exit code."""
        try:
            code = self._process.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"hapaxd does not end within {STOP_TIMEOUT_S} s, stderr:\n{self.stderr}") from None
        self._process = None
        return code

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL. A server that was gone already is an error: it died by itself."""
        code = self._process.poll()
        self._process.kill()
        self._process.wait()
        self._process = None
        if code is not None:
            raise AssertionError(f"hapaxd ended by itself with exit code {code}, stderr:\n{self.stderr}")

    def close(self) -> None:
        """Stops what still runs, as `stop` does: so sanitizers can tell of leaks. Removes the directory."""
        try:
            if self._process is not None:
                self.stop()
        finally:
            shutil.rmtree(self.dir, ignore_errors=True)


def _drain(stdout, lines: list, found: queue.Queue) -> None:
    """Reads a server's stdout to its end into `lines`; `found` gets the address, then None when the output ends."""
    with stdout:
        for line in stdout:
            lines.append(line)
            match = LISTENING.fullmatch(line.rstrip("\n"))
            if match:
                found.put(match[1])
    found.put(None)
