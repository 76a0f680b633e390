"""A round against several servers on one PostgreSQL, which any process of may die or pause at any time: of a single one, or
of a primary with a synchronous standby that pg_auto_failover promotes."""

from auto_failover import AutoFailover
from postgres import Postgres
from postgres_network import ProxiedPostgres
from shared_round import SharedRound
from shared_servers import SharedServers

# Longer than the monitor waits for a primary. So a standby is promoted, and the old primary wakes up after that.
LONG_PAUSE_S = 8
STARTS = 6


class PostgresServers(SharedServers):
    """On a single PostgreSQL."""

    @staticmethod
    def _start_store(seed: int) -> tuple:
        database = Postgres().start()
        return database, ProxiedPostgres([database], "postgres", seed)


class FailoverServers(SharedServers):
    """On a primary with a standby. A server that finds no primary for long ends, and is started again, as a supervisor
    does."""

    def start_one(self, i: int) -> None:
        for _ in range(STARTS):
            already = len(self.servers[i].stderr)
            try:
                return super().start_one(i)
            except AssertionError:
                if "--postgres_conninfo_file" not in self.servers[i].stderr[already:]:
                    raise
        raise AssertionError(f"no primary in {STARTS} starts")

    @staticmethod
    def _start_store(seed: int) -> tuple:
        database = AutoFailover().start()
        return database, ProxiedPostgres(database.nodes, "hapax", seed)


class PostgresRound(SharedRound):
    def _store_kinds(self) -> list:
        return [self._kill_database, self._pause_database]

    def _kill_database(self) -> None:
        self.faults["database killed"] += 1
        self._server.etcd.kill()
        self._server.etcd.start()
        self._await_calls()

    def _pause_database(self) -> None:
        self._pause("database paused", self._server.etcd)


class FailoverRound(SharedRound):
    """Each break is mended once the primary has a standby again: without one, a second loss would be of the data."""

    def _store_kinds(self) -> list:
        return [self._kill_primary, self._kill_standby, self._pause_primary, self._pause_primary_for_long,
                self._kill_monitor]

    def _break(self, up) -> None:
        # While the primary goes on alone, what it acknowledges is on one machine, and its loss loses that.
        self._server.etcd.await_standby()
        super()._break(up)

    def evidence(self) -> dict:
        return {"monitor_events": self._server.etcd.events()}

    def _standby(self):
        primary = self._server.etcd.primary()
        return next(node for node in self._server.etcd.nodes if node is not primary)

    def _kill_primary(self) -> None:
        self._kill("primary killed", self._server.etcd.primary())

    def _kill_standby(self) -> None:
        self._kill("standby killed", self._standby())

    def _kill(self, fault: str, node) -> None:
        self.faults[fault] += 1
        node.kill()
        self._await_calls()
        node.start()
        self._server.etcd.await_standby()

    def _pause_primary(self) -> None:
        self._pause("primary paused", self._server.etcd.primary())
        self._server.etcd.await_standby()

    def _pause_primary_for_long(self) -> None:
        self._pause("primary paused until another was promoted", self._server.etcd.primary(), LONG_PAUSE_S)
        self._await_calls()
        self._server.etcd.await_standby()

    def _kill_monitor(self) -> None:
        self.faults["monitor killed"] += 1
        monitor = self._server.etcd.monitor
        monitor.kill()
        self._await_calls()
        monitor.start()
        self._server.etcd.await_standby()
