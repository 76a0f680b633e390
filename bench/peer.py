"""The common part of the peers: a database as a process, and the gRPC service in front of it."""

import os
import pathlib
import signal
import socket
import subprocess
import time
from typing import Callable, Optional

from processes import ServerProcess, tree
from systems import Running, System

START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 60
POLL_S = 0.02


def free_port() -> int:
    """A port of 127.0.0.1 that was free a moment ago, for servers that cannot choose one themselves."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def wait_until(ready: Callable[[], bool], process: subprocess.Popen, log: pathlib.Path) -> None:
    """Returns when it is ready. If it ends or takes too long, it is killed, and a RuntimeError has the end of its
    log."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            process.wait()
            raise RuntimeError(f"{process.args[0]} did not start: {log.read_text(errors='replace')[-2000:]}")
        time.sleep(POLL_S)


def spawn(command, log: pathlib.Path, privileges=(), **arguments) -> subprocess.Popen:
    """A process that dies with this one, with its output in `log`. `privileges` are options of setpriv(1)."""
    with open(log, "ab") as output:
        return subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *privileges, "--", *map(str, command)],
                                stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT, **arguments)


class Peer(System):
    """A database, and a service in front of it that stores tokens and effects there."""

    figures = ("first_execution", "replay")
    protocol = "grpc"
    # As in Running.
    mutation = "post"
    # The service's program in the build directory.
    facade_program: str
    # Whether a call may be refused while another with its token is running.
    refuses_duplicates_at_once = False
    # Whether acknowledged calls must survive a SIGKILL of all processes.
    survives_kill = True
    # The signal for a clean stop of the database.
    stop_signal = signal.SIGTERM

    def __init__(self, build: pathlib.Path):
        self._build = build
        self._database: Optional[subprocess.Popen] = None
        self._service: Optional[ServerProcess] = None
        self._scratch: Optional[pathlib.Path] = None

    def unavailable(self) -> Optional[str]:
        if not (self._build / self.facade_program).exists():
            return f"{self.facade_program} is not built: its client library is missing"
        return None

    def start(self, scratch: pathlib.Path) -> Running:
        """Also starts on the data of an earlier start."""
        self._scratch = scratch
        self._database = self.start_database(scratch)
        self._service = self.start_service(scratch)
        return Running(self.target(), self.protocol, [self._service.pid, self._database.pid], self.mutation)

    def stop(self) -> None:
        service, self._service = self._service, None
        database, self._database = self._database, None
        try:
            if service is not None:
                service.stop()
        finally:
            if database is not None:
                _end(database, self.stop_signal)

    def restart_after_kill(self) -> Running:
        """Kills the service and all processes of the database with SIGKILL, then starts both on the remaining data."""
        self._service.kill()
        for pid in tree([self._database.pid]):
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self._database.wait()
        return self.start(self._scratch)

    def start_database(self, scratch: pathlib.Path) -> subprocess.Popen:
        """Returns when the database answers."""
        raise NotImplementedError

    def start_service(self, scratch: pathlib.Path) -> ServerProcess:
        """Returns when it listens."""
        return ServerProcess(self._build / self.facade_program, *self.facade_flags(),
                             stderr=scratch / f"{self.facade_program}.log")

    def facade_flags(self) -> list:
        """The flags that tell the service where the database is."""
        raise NotImplementedError

    def target(self) -> str:
        """The target for clients, as in Running."""
        return self._service.address

    def effects(self) -> int:
        """The number of rows of effects in the database."""
        raise NotImplementedError

    @property
    def effect_kind(self) -> str:
        return "posting" if self.mutation == "post" else "instance"


def _end(process: subprocess.Popen, stop_signal) -> None:
    process.send_signal(stop_signal)
    try:
        process.wait(timeout=STOP_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        raise
