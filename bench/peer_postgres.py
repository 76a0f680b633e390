"""PostgreSQL: record and effect in one transaction."""

import os
import pathlib
import pwd
import signal
import subprocess
from typing import Optional

from peer import Peer, spawn, wait_until

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

SCHEMA = """
CREATE TABLE IF NOT EXISTS tokens (
  token text PRIMARY KEY, reply bytea NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS instances (id text PRIMARY KEY, client_token text NOT NULL, data bytea NOT NULL);
"""


def _programs() -> Optional[pathlib.Path]:
    """The directory of the newest installed PostgreSQL's programs, which Debian does not put into PATH."""
    found = sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/postgres"), key=lambda path: int(path.parts[-3]))
    return found[-1].parent if found else None


def _account() -> Optional[pwd.struct_passwd]:
    """The user for PostgreSQL, which refuses to run as root. None if this process is not root."""
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


class Postgres(Peer):
    name = "postgres"
    facade_program = "bench_postgres"
    stop_signal = signal.SIGINT  # A fast shutdown, which does not wait for connections.
    schema = SCHEMA

    def unavailable(self) -> Optional[str]:
        if _programs() is None:
            return "PostgreSQL is not installed"
        try:
            _account()
        except KeyError:
            return "PostgreSQL does not run as root, and there is no account `postgres`"
        return super().unavailable()

    def version(self) -> str:
        return "PostgreSQL " + self._run("postgres", "--version").split()[2]

    def start_database(self, scratch: pathlib.Path) -> subprocess.Popen:
        self._directory = scratch / "postgres"
        if not self._directory.exists():
            self._directory.mkdir()
            if account := _account():
                # The account must be able to enter the directory.
                scratch.chmod(0o711)
                os.chown(self._directory, account.pw_uid, account.pw_gid)
            self._run("initdb", "--pgdata", self._data, "--auth=trust", "--username=bench", "--encoding=UTF8", "--locale=C")
        log = scratch / "postgres.log"
        settings = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
        process = spawn([_programs() / "postgres", "-D", self._data, "-k", self._directory, *settings], log,
                        self._privileges(), cwd="/")
        wait_until(lambda: self._psql("SELECT 1", check=False) == "1", process, log)
        self._psql(self.schema)
        return process

    def facade_flags(self) -> list:
        return [f"--conninfo=host={self._directory} user=bench dbname=postgres"]

    def effects(self) -> int:
        return int(self._psql("SELECT count(*) FROM instances"))

    @property
    def _data(self) -> pathlib.Path:
        return self._directory / "data"

    def _psql(self, sql: str, check=True) -> str:
        return self._run("psql", "-h", self._directory, "-U", "bench", "-d", "postgres", "-qtAX", "-c", sql, check=check)

    def _run(self, program: str, *arguments, check=True) -> str:
        """The output of a PostgreSQL program; with `check`, a RuntimeError if it fails."""
        ended = subprocess.run(["setpriv", *self._privileges(), "--", _programs() / program, *arguments], cwd="/",
                               stdin=subprocess.DEVNULL, capture_output=True, text=True)
        if check and ended.returncode != 0:
            raise RuntimeError(f"{program} failed: {ended.stderr}")
        return ended.stdout.strip()

    @staticmethod
    def _privileges() -> list:
        account = _account()
        return [f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups"] if account else []


class PostgresSameRows(Postgres):
    """The same, with the rows that Hapax keeps of a launch: open work, the room in the zone, the count of the tenant.
    It also boots the instances."""

    name = "postgres_same_rows"
    schema = SCHEMA + """
ALTER TABLE instances ADD COLUMN IF NOT EXISTS state text NOT NULL DEFAULT 'pending';
CREATE TABLE IF NOT EXISTS work (
  id text NOT NULL, due timestamptz NOT NULL DEFAULT now() + interval '0.5 s', PRIMARY KEY (due, id));
CREATE TABLE IF NOT EXISTS zones (name text PRIMARY KEY, used bigint NOT NULL) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS tenants (name text PRIMARY KEY, instances bigint NOT NULL) WITH (fillfactor = 50);
"""

    def facade_flags(self) -> list:
        return [*super().facade_flags(), "--whole_launch"]

    def counts(self) -> tuple:
        """Launches as the zone's row and the tenant's count them."""
        return tuple(int(self._psql(f"SELECT sum({column}) FROM {table}"))
                     for table, column in (("zones", "used"), ("tenants", "instances")))

    def booted(self) -> tuple:
        """How many instances run, and how many boots are due."""
        return int(self._psql("SELECT count(*) FROM instances WHERE state = 'running'")), int(
            self._psql("SELECT count(*) FROM work"))
