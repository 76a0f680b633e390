"""PostgreSQL with a synchronous standby: two nodes and a monitor of pg_auto_failover, in place of one server."""

import os
import pathlib
import pwd
import shutil
import signal
import subprocess
import tempfile
import time

from ports import free_port
from postgres import AS_USER, cwd_of, pids, program, signal_all

START_TIMEOUT_S = 120
STOP_TIMEOUT_S = 30
# Of the monitor, in milliseconds: a node that does not answer is given up within some three seconds.
TIMES = {"health_check_period": 500, "health_check_timeout": 500, "health_check_max_retries": 2,
         "health_check_retry_delay": 200, "node_considered_unhealthy_timeout": 3000, "primary_demote_timeout": 2000,
         "startup_grace_period": 1000}


class Keeper:
    """A pg_autoctl, with the PostgreSQL that it runs."""

    def __init__(self, name: str, home: pathlib.Path, port: int):
        self.name = name
        self.port = port
        self.address = f"127.0.0.1:{port}"
        self._home = home
        self._process = None

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def state(self) -> str:
        return "runs" if self.runs else "ended"

    @property
    def is_created(self) -> bool:
        return (self._home / self.name / "PG_VERSION").exists()

    @property
    def _environment(self) -> dict:
        return {**os.environ, "PATH": f"{pathlib.Path(program('pg_ctl')).parent}:{os.environ['PATH']}",
                "HOME": str(self._home), "XDG_CONFIG_HOME": str(self._home / "config"),
                "XDG_DATA_HOME": str(self._home / "share"), "XDG_RUNTIME_DIR": str(self._home / "run")}

    def _command(self, *words: str) -> list:
        return ["setpriv", "--pdeathsig", "KILL", *AS_USER, "pg_autoctl", *words, "--pgdata", str(self._home / self.name)]

    def create(self, kind: str, *words: str) -> None:
        with open(self.log, "ab") as log:
            created = subprocess.run(
                self._command("create", kind, "--pgport", str(self.port), "--hostname", "127.0.0.1", "--auth", "trust",
                              "--no-ssl", *words),
                env=self._environment, cwd=self._home, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                timeout=START_TIMEOUT_S)
        if created.returncode != 0:
            raise AssertionError(f"pg_autoctl create {kind}:\n{self.log.read_text()}")

    def start(self) -> None:
        if self.runs:
            return
        with open(self.log, "ab") as log:
            self._process = subprocess.Popen(self._command("run"), env=self._environment, cwd=self._home,
                                             stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def kill(self) -> None:
        """As a power cut does: SIGKILL for all of its processes, the keeper first, so that it starts none again. One that
        was just born may be missed, and keep PostgreSQL from starting again."""
        self.signal(signal.SIGKILL)
        self._process.wait()
        while left := [pid for pid in pids() if cwd_of(pid) == str(self._home / self.name)]:
            for pid in left:
                signal_all(pid, signal.SIGKILL)
            time.sleep(0.01)
        self._process = None

    def signal(self, number: int) -> None:
        """To all of its processes."""
        signal_all(self._process.pid, number)

    def end(self, number: int) -> None:
        """By SIGTERM, which it waits for, or by SIGKILL."""
        if not self.runs:
            return
        if number == signal.SIGKILL:
            return self.kill()
        self._process.send_signal(number)
        try:
            self._process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            self.kill()

    @staticmethod
    def await_ready() -> None:
        """It goes on in its own time."""

    @property
    def log(self) -> pathlib.Path:
        return self._home / f"{self.name}.log"


class AutoFailover:
    """Start it on the main thread: it is killed when the thread that started it ends."""

    store = "postgres"
    place = "the database"

    def __init__(self, directory: pathlib.Path = None, ports=()):
        """In a directory of its own, which `close` removes, or in `directory`, with those of an earlier start if there
        are any. `ports`: of the monitor and the nodes."""
        self.dir = directory or pathlib.Path(tempfile.mkdtemp(prefix="hapax-failover-"))
        home = self.dir / "postgresql"
        (home / "run").mkdir(parents=True, exist_ok=True)
        if AS_USER:
            # The directory is to be reached by the user of PostgreSQL, and the rest of it to be read by nobody.
            self.dir.chmod(0o711)
            for path in (home, home / "run"):
                os.chown(path, pwd.getpwnam("postgres").pw_uid, -1)
        ports = ports or [free_port() for _ in range(3)]
        self.monitor = Keeper("monitor", home, ports[0])
        self.nodes = [Keeper(f"node-{i}", home, port) for i, port in enumerate(ports[1:], 1)]
        self.conninfo_file = self.dir / "conninfo"
        ports = ",".join(str(node.port) for node in self.nodes)
        self.conninfo_file.write_text(f"host=127.0.0.1,127.0.0.1 port={ports} user=postgres dbname=hapax "
                                      "target_session_attrs=read-write\n")
        self.conninfo_file.chmod(0o600)
        os.chown(self.conninfo_file, os.geteuid(), -1)

    def flags(self, prefix: str) -> tuple:
        return (f"--postgres_conninfo_file={self.conninfo_file}", f"--postgres_schema={prefix.strip('/')}")

    def start(self) -> "AutoFailover":
        """Until one node is the primary and the other its synchronous standby."""
        if not self.monitor.is_created:
            self.monitor.create("monitor")
            with open(self.dir / "postgresql/monitor/postgresql.conf", "a") as settings:
                settings.writelines(f"pgautofailover.{name} = {value}\n" for name, value in TIMES.items())
        self.monitor.start()
        where = f"postgres://autoctl_node@127.0.0.1:{self.monitor.port}/pg_auto_failover"
        for node in self.nodes:
            self.await_monitor()
            if not node.is_created:
                node.create("postgres", "--monitor", where, "--name", node.name, "--dbname", "hapax")
            node.start()
            self.primary()
        self.await_standby()
        return self

    def await_monitor(self) -> None:
        self._await(lambda: subprocess.run([program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.monitor.port)])
                    .returncode == 0, "the monitor")

    def await_standby(self) -> None:
        """Until the primary has a synchronous standby. The monitor keeps what nodes reported before they were killed, so
        only what they reported lately counts."""
        def has_both():
            # A base backup waits for the end of a checkpoint, which takes its time unless somebody asks for it.
            self.sql("CHECKPOINT")
            return self._query(f"host=127.0.0.1 port={self.monitor.port} user=autoctl_node dbname=pg_auto_failover",
                               "SELECT reportedstate FROM pgautofailover.node WHERE reportedstate = goalstate AND health = 1 "
                               "AND reporttime > now() - interval '2 seconds' ORDER BY 1").split() == ["primary", "secondary"] \
                and self.sql("SELECT current_setting('synchronous_standby_names') <> '' AND EXISTS (SELECT FROM "
                             "pg_stat_replication WHERE sync_state IN ('sync', 'quorum'))") == "t"
        self._await(has_both, "a primary with a standby")

    def events(self) -> str:
        """What the monitor saw and decided, a line each."""
        return self._query(f"host=127.0.0.1 port={self.monitor.port} user=autoctl_node dbname=pg_auto_failover",
                           "SELECT eventtime, nodename, reportedstate, goalstate, reportedrepstate, reportedlsn, description "
                           "FROM pgautofailover.event ORDER BY eventid")

    def primary(self) -> Keeper:
        return self._await(lambda: next((node for node in self.nodes if self.is_writable(node)), None), "a primary")

    def sql(self, statement: str, node: Keeper = None) -> str:
        """What the statement returns on the node, or on the one that can be written; empty after an error."""
        ports = [node.port] if node else [other.port for other in self.nodes]
        return self._query(f"host={','.join(['127.0.0.1'] * len(ports))} port={','.join(map(str, ports))} user=postgres "
                           f"dbname=hapax target_session_attrs={'any' if node else 'read-write'}", statement)

    @staticmethod
    def _query(conninfo: str, statement: str) -> str:
        run = subprocess.run([program("psql"), "-qAtX", "-c", statement, f"{conninfo} connect_timeout=2"],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=START_TIMEOUT_S)
        return run.stdout.strip()

    def is_writable(self, node: Keeper) -> bool:
        return node.runs and self.sql("SHOW transaction_read_only", node) == "off"

    def _await(self, probe, what: str):
        deadline = time.monotonic() + START_TIMEOUT_S
        while not (found := probe()):
            if time.monotonic() > deadline:
                logs = "\n".join(keeper.log.read_text()[-2000:] for keeper in (self.monitor, *self.nodes) if keeper.log.exists())
                raise AssertionError(f"not within {START_TIMEOUT_S} s: {what}\n{logs}")
            time.sleep(0.2)
        return found

    def kill(self) -> None:
        """All of it, at once."""
        for keeper in (*self.nodes, self.monitor):
            if keeper.runs:
                keeper.kill()

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)
