"""Servers as processes: start, address from their output, CPU time and memory from /proc, stop."""

import os
import pathlib
import queue
import re
import signal
import subprocess
import threading

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
HTTP = re.compile(r"HTTP on (\S+:[1-9][0-9]*)")
LISTENING = re.compile(r"listening on (\S+:[1-9][0-9]*)")
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 120


def _stat(pid: int) -> list:
    """The fields of /proc/PID/stat after the command's name; none if the process is gone."""
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def tree(pids) -> set:
    """These processes and all their descendants."""
    parents = {}
    for entry in os.listdir("/proc"):
        if entry.isdigit() and (fields := _stat(int(entry))):
            parents[int(entry)] = int(fields[1])
    found = set()
    new = set(pids)
    while new:
        found |= new
        new = {pid for pid, parent in parents.items() if parent in found} - found
    return found


def cpu_seconds(pids) -> float:
    """User and system time so far of these processes and all their descendants, including those that have been
    reaped."""
    ticks = 0
    for pid in tree(pids):
        if fields := _stat(pid):
            ticks += sum(int(field) for field in fields[11:15])
    return ticks / TICKS_PER_SECOND


def rss_bytes(pids) -> int:
    """Resident memory of these processes and all their descendants; shared pages count for each."""
    return sum(int(fields[21]) * PAGE_BYTES for pid in tree(pids) if (fields := _stat(pid)))


def memory_bytes(pid: int) -> dict:
    """Resident memory of one process: `now`, and its `peak`."""
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return {name: int(re.search(rf"^{field}:\s+(\d+) kB", status, re.MULTILINE)[1]) * 1024
            for name, field in (("now", "VmRSS"), ("peak", "VmHWM"))}


class ServerProcess:
    """A server that prints `listening on HOST:PORT` to stdout. It dies with this process, however that ends."""

    def __init__(self, *command, stderr: pathlib.Path):
        """Returns when it listens. Otherwise raises a RuntimeError with its stderr."""
        with open(stderr, "ab") as log:
            self._process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *map(str, command)],
                                             stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log, text=True)
        self.pid = self._process.pid
        self.http_address = None  # With --http_address; it prints that before the other.
        found = queue.Queue()
        threading.Thread(target=self._drain, args=(found,), daemon=True).start()
        try:
            self.address = found.get(timeout=START_TIMEOUT_S)
        except queue.Empty:
            self.address = None
        if self.address is None:
            self.kill()
            raise RuntimeError(f"{command[0]} did not start: {stderr.read_text(errors='replace')[-2000:]}")

    def stop(self) -> None:
        """Sends SIGTERM; raises an error if the server does not end with exit code 0 in time."""
        self._process.send_signal(signal.SIGTERM)
        try:
            code = self._process.wait(timeout=STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise
        if code != 0:
            raise RuntimeError(f"{self._process.args[3]} ended with exit code {code}")

    def kill(self) -> None:
        """Sends SIGKILL; does nothing if it is already gone."""
        self._process.kill()
        self._process.wait()

    def _drain(self, found: queue.Queue) -> None:
        """Reads all of the output. `found` gets the address, or None when the output ends."""
        with self._process.stdout as stdout:
            for line in stdout:
                if match := HTTP.search(line):
                    self.http_address = match[1]
                if match := LISTENING.search(line):
                    found.put(match[1])
        found.put(None)
