"""A PostgreSQL as a process, in place of a cluster of etcd."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

from harness import START_TIMEOUT_S
from ports import free_port

# As root it runs as its own user, since it refuses to run as root.
AS_USER = ["--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []


def program(name: str) -> str:
    """Debian has a directory for each release, and none of them is on the path."""
    return str(max(pathlib.Path("/usr/lib/postgresql").glob(f"*/bin/{name}")))


def pids() -> list:
    """Of all processes."""
    return [int(entry.name) for entry in pathlib.Path("/proc").iterdir() if entry.name.isdigit()]


def cwd_of(pid: int) -> str:
    """Where the process runs: PostgreSQL's do so in their data directory. Empty if it has ended."""
    try:
        return os.readlink(f"/proc/{pid}/cwd")
    except OSError:
        return ""


def descendants(pid: int) -> list:
    """The process and all below it."""
    children = {}
    for one in pids():
        try:
            parent = int(pathlib.Path(f"/proc/{one}/stat").read_text().rsplit(")", 1)[1].split()[1])
        except (FileNotFoundError, ProcessLookupError):
            continue
        children.setdefault(parent, []).append(one)
    found = [pid]
    for one in found:
        found.extend(children.get(one, ()))
    return found


def signal_all(pid: int, number: int) -> None:
    """To the process first, so that it starts no others."""
    for one in descendants(pid):
        try:
            os.kill(one, number)
        except ProcessLookupError:
            pass


class Postgres:
    """A server on 127.0.0.1, with its data in a directory of its own. Start it on the main thread: it is killed when
    the thread that started it ends."""

    store = "postgres"
    place = "the database"

    def __init__(self, source: "Postgres" = None):
        """Of its own, or a standby of `source`, which runs."""
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hapax-postgres-"))
        self._port = free_port()
        self._log = self.dir / "log"
        self._process = None
        if AS_USER:
            os.chown(self.dir, pwd.getpwnam("postgres").pw_uid, -1)
        data = f"--pgdata={self.dir / 'data'}"
        make = [program("initdb"), data, "--username=postgres", "--auth=trust", "--no-sync"] if source is None else [
            program("pg_basebackup"), data, "--write-recovery-conf", "--checkpoint=fast", "--no-sync",
            f"--dbname={source.conninfo}"]
        subprocess.run(["setpriv", *AS_USER, *make], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True)
        self.conninfo_file = self.dir / "conninfo"
        self.conninfo = f"host=127.0.0.1 port={self._port} user=postgres dbname=postgres"
        self.conninfo_file.write_text(self.conninfo + "\n")
        self.conninfo_file.chmod(0o600)
        os.chown(self.conninfo_file, os.geteuid(), -1)

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._port}"

    def flags(self, prefix: str) -> tuple:
        return (f"--postgres_conninfo_file={self.conninfo_file}", f"--postgres_schema={prefix.strip('/')}")

    def start(self) -> "Postgres":
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", *AS_USER, program("postgres"), "-D", str(self.dir / "data"),
                 "-p", str(self._port), "-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while subprocess.run([program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self._port)]).returncode != 0:
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise AssertionError(f"PostgreSQL did not start:\n{self._log.read_text()}")
            time.sleep(0.05)
        return self

    def sql(self, statement: str) -> str:
        run = subprocess.run([program("psql"), "-qAtX", "-v", "ON_ERROR_STOP=1", "-c", statement, self.conninfo],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if run.returncode != 0:
            raise AssertionError(run.stderr)
        return run.stdout.strip()

    def signal(self, number: int) -> None:
        """To all of its processes."""
        signal_all(self._process.pid, number)

    def kill(self) -> None:
        """As a crash does: all of its processes end."""
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait()
        self._process = None

    def close(self) -> None:
        if self._process is not None:
            self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)
