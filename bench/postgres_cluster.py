"""PostgreSQL as processes: a primary, and if wanted a synchronous standby."""

import os
import pathlib
import pwd
import secrets
import signal
import subprocess
from typing import Optional

from peer import spawn, wait_until

USER = "bench"
# For a service's own database on this machine. The settings that decide durability have their default values.
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # The tables stay in memory, and the log's size forces no checkpoint.
    "shared_buffers": "2GB",
    "max_wal_size": "8GB",
    "wal_buffers": "64MB",
    "checkpoint_timeout": "15min",
    # No replicas.
    "wal_level": "minimal",
    "max_wal_senders": 0,
    "jit": "off",
    "max_connections": 100,
    # Only over the socket.
    "listen_addresses": "",
}
REPLICATED = {**SETTINGS, "wal_level": "replica", "max_wal_senders": 4, "max_connections": 200,
              "max_locks_per_transaction": 256}


def programs() -> Optional[pathlib.Path]:
    """The directory of the newest installed PostgreSQL's programs, which Debian does not put into PATH."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def unavailable() -> Optional[str]:
    """Why PostgreSQL cannot run here; None if it can."""
    if programs() is None:
        return "PostgreSQL is not installed"
    try:
        _account()
    except KeyError:
        return "PostgreSQL does not run as root, and there is no account `postgres`"
    return None


def run_program(program: str, *arguments, check=True) -> str:
    """The output of a PostgreSQL program; with `check`, a RuntimeError if it fails."""
    ended = subprocess.run(["setpriv", *_privileges(), "--", programs() / program, *map(str, arguments)], cwd="/",
                           stdin=subprocess.DEVNULL, capture_output=True, text=True)
    if check and ended.returncode != 0:
        raise RuntimeError(f"{program} failed: {ended.stderr}")
    return ended.stdout.strip()


def psql(directory: pathlib.Path, sql: str, database: str = "postgres", check=True) -> str:
    """What a statement returns, from the server with its socket in the directory."""
    return run_program("psql", "-h", directory, "-U", USER, "-d", database, "-qtAX", "-c", sql, check=check)


def start_server(directory: pathlib.Path, settings: dict) -> subprocess.Popen:
    """Starts a server with its socket and data in the directory, on the data that is there or on new. Returns when it
    answers."""
    data = directory / "data"
    if not data.exists():
        make_directory(directory)
        run_program("initdb", "--pgdata", data, "--auth=trust", f"--username={USER}", "--encoding=UTF8", "--locale=C",
                    "--no-sync")
    log = directory.with_suffix(".log")
    words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
    process = spawn([programs() / "postgres", "-D", data, "-k", directory, *words], log, _privileges(), cwd="/")
    wait_until(lambda: psql(directory, "SELECT 1", check=False) == "1", process, log)
    return process


def make_directory(directory: pathlib.Path) -> None:
    """A directory that PostgreSQL's account can use."""
    directory.mkdir()
    if account := _account():
        # The account must be able to enter the directory.
        directory.parent.chmod(0o711)
        os.chown(directory, account.pw_uid, account.pw_gid)


def _account() -> Optional[pwd.struct_passwd]:
    """The user for PostgreSQL, which refuses to run as root. None if this process is not root."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


def _privileges() -> list:
    account = _account()
    return [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"] if account else []


class Cluster:
    """A primary, and if wanted a standby for which each commit waits. `pids` are their processes."""

    def __init__(self, scratch: pathlib.Path, with_standby: bool):
        self._scratch = scratch
        self._primary = scratch / "primary"
        self._processes = [start_server(self._primary, REPLICATED)]
        if with_standby:
            try:
                self._add_standby()
            except BaseException:
                self.stop()
                raise

    @property
    def pids(self) -> list:
        return [process.pid for process in self._processes]

    def new_database(self) -> str:
        """The name of an empty database."""
        name = f"bench_{secrets.token_hex(4)}"
        psql(self._primary, f"CREATE DATABASE {name}")
        return name

    def psql(self, sql: str, database: str) -> str:
        return psql(self._primary, sql, database)

    def conninfo(self, database: str) -> str:
        return f"host={self._primary} user={USER} dbname={database}"

    def hapax_flags(self, scratch: pathlib.Path) -> list:
        """The flags of hapaxd for a database of its own. `scratch` gets a file."""
        file = scratch / "conninfo"
        file.touch(mode=0o600)
        file.write_text(self.conninfo(self.new_database()) + "\n")
        return ["--store=postgres", f"--postgres_conninfo_file={file}"]

    def stop(self) -> None:
        for process in reversed(self._processes):
            process.send_signal(signal.SIGQUIT)
            process.wait()

    def _add_standby(self) -> None:
        standby = self._scratch / "standby"
        make_directory(standby)
        run_program("pg_basebackup", "-h", self._primary, "-U", USER, "-D", standby / "data", "-R", "-c", "fast",
                    "--no-sync")
        self._processes.append(start_server(standby, REPLICATED))
        psql(self._primary, "ALTER SYSTEM SET synchronous_standby_names = '*'")
        psql(self._primary, "SELECT pg_reload_conf()")
        wait_until(lambda: psql(self._primary, "SELECT sync_state FROM pg_stat_replication") == "sync",
                   self._processes[-1], standby.with_suffix(".log"))
