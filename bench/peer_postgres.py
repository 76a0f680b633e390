"""PostgreSQL: record and effect in one transaction."""

import pathlib
import signal
import subprocess
from typing import Optional

import postgres_cluster
from peer import Peer

SCHEMA = """
CREATE TABLE IF NOT EXISTS tokens (
  token text PRIMARY KEY, reply bytea NOT NULL, created_at timestamptz NOT NULL DEFAULT now());
CREATE TABLE IF NOT EXISTS postings (id text PRIMARY KEY, data bytea NOT NULL);
CREATE TABLE IF NOT EXISTS instances (id text PRIMARY KEY, client_token text NOT NULL, data bytea NOT NULL);
"""


class Postgres(Peer):
    name = "postgres"
    facade_program = "bench_postgres"
    stop_signal = signal.SIGINT  # A fast shutdown, which does not wait for connections.
    schema = SCHEMA
    # The flags of the service that choose the rows of a launch.
    launch_flags = ()

    def unavailable(self) -> Optional[str]:
        return postgres_cluster.unavailable() or super().unavailable()

    def version(self) -> str:
        return "PostgreSQL " + postgres_cluster.run_program("postgres", "--version").split()[2]

    def start_database(self, scratch: pathlib.Path) -> subprocess.Popen:
        self._directory = scratch / "postgres"
        process = postgres_cluster.start_server(self._directory, postgres_cluster.SETTINGS)
        self._psql(self.schema)
        return process

    def facade_flags(self) -> list:
        return [f"--conninfo=host={self._directory} user={postgres_cluster.USER} dbname=postgres", *self.launch_flags]

    def effects(self) -> int:
        return int(self._psql(f"SELECT count(*) FROM {self.effect_kind}s"))

    def _psql(self, sql: str) -> str:
        return postgres_cluster.psql(self._directory, sql)


class PostgresSameRows(Postgres):
    """The same, with the rows that Hapax keeps of a launch: open work, the room in the zone, the count of the tenant.
    It also boots the instances."""

    name = "postgres_same_rows"
    mutation = "launch"
    launch_flags = ("--whole_launch",)
    schema = SCHEMA + """
ALTER TABLE instances ADD COLUMN IF NOT EXISTS state text NOT NULL DEFAULT 'pending';
CREATE TABLE IF NOT EXISTS work (
  id text NOT NULL, due timestamptz NOT NULL DEFAULT now() + interval '0.5 s', PRIMARY KEY (due, id));
CREATE TABLE IF NOT EXISTS zones (name text PRIMARY KEY, used bigint NOT NULL) WITH (fillfactor = 50);
CREATE TABLE IF NOT EXISTS tenants (name text PRIMARY KEY, instances bigint NOT NULL) WITH (fillfactor = 50);
"""

    def counts(self) -> tuple:
        """Launches as the zone's row and the tenant's count them."""
        return tuple(int(self._psql(f"SELECT sum({column}) FROM {table}"))
                     for table, column in (("zones", "used"), ("tenants", "instances")))

    def booted(self) -> tuple:
        """How many instances run, and how many boots are due."""
        return int(self._psql("SELECT count(*) FROM instances WHERE state = 'running'")), int(
            self._psql("SELECT count(*) FROM work"))
