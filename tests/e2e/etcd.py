"""A cluster of etcd, each member a process, and servers that share its rows."""

import http.client
import itertools
import json
import os
import pathlib
import shutil
import subprocess
import tempfile
import time

from harness import START_TIMEOUT_S, Server
from peer_network import PeerNetwork
from ports import free_port
from postgres import Postgres

SEAL_KEYS = "key-1 " + "5e" * 32 + "\n"


class EtcdMember:
    """One member as a process; `address` is where clients connect."""

    def __init__(self, name: str, directory: pathlib.Path):
        self.name = name
        self.address = f"127.0.0.1:{free_port()}"
        self.peer_port = free_port()
        self._dir = directory
        self._log = directory / f"{name}.log"
        self._process = None

    @property
    def runs(self) -> bool:
        return self._process is not None

    @property
    def pid(self):
        return self._process.pid if self.runs else None

    @property
    def leader(self) -> str:
        """Whom it takes for the leader: "itself", "another" or "nobody"."""
        status = json.loads(self._request("POST", "/v3/maintenance/status", "{}"))
        leader = status.get("leader", "0")
        return "nobody" if leader == "0" else "itself" if leader == status["header"]["member_id"] else "another"

    def start(self, urls: dict) -> None:
        """`urls` has those by which the members know one another, by their names."""
        client = f"http://{self.address}"
        cluster = ",".join(f"{name}={url}" for name, url in urls.items())
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "etcd", f"--name={self.name}",
                 f"--data-dir={self._dir / self.name}", f"--listen-client-urls={client}",
                 f"--advertise-client-urls={client}", f"--listen-peer-urls=http://127.0.0.1:{self.peer_port}",
                 f"--initial-advertise-peer-urls={urls[self.name]}", f"--initial-cluster={cluster}",
                 "--max-txn-ops=8192", "--heartbeat-interval=50", "--election-timeout=500", "--logger=zap",
                 "--log-level=warn"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def await_healthy(self) -> None:
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._is_healthy():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise AssertionError(f"etcd did not start:\n{self._log.read_text()}")
            time.sleep(0.05)

    def _is_healthy(self) -> bool:
        try:
            return b'"true"' in self._request("GET", "/health")
        except OSError:
            return False

    def _request(self, method: str, path: str, body=None) -> bytes:
        connection = http.client.HTTPConnection(self.address, timeout=5)
        try:
            connection.request(method, path, body)
            return connection.getresponse().read()
        finally:
            connection.close()

    def signal(self, number: int) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process = None


class EtcdPlace:
    """How servers find a cluster. Subclasses have its `endpoint`."""

    store = "etcd"
    place = "the cluster"

    def flags(self, prefix: str) -> tuple:
        """What a server needs to share the rows below `prefix`."""
        return (f"--etcd_endpoints={self.endpoint}", f"--etcd_prefix={prefix}")


class Etcd(EtcdPlace):
    """A cluster on 127.0.0.1, with its data in a directory of its own. Its members may be cut off by `peers`. Start it
    on the main thread: it is killed when the thread that started it ends."""

    def __init__(self, members=1):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hapax-etcd-"))
        self.members = [EtcdMember(f"m{i}", self.dir) for i in range(members)]
        self.peers = PeerNetwork(self.members)

    @property
    def endpoint(self) -> str:
        return ",".join(member.address for member in self.members)

    def leader(self) -> EtcdMember:
        """The member that leads; awaits an election."""
        return self._await(lambda: next((member for member in self.members if member.leader == "itself"), None),
                           "an election")

    def cut_off(self, member: EtcdMember) -> None:
        """Until `peers` is healed. Returns once it has noticed, and another leads."""
        self.peers.cut(member)
        others = [other for other in self.members if other is not member]
        self._await(lambda: member.leader == "nobody" and any(other.leader == "itself" for other in others),
                    f"{member.name} without a leader, and an election of the others")

    @staticmethod
    def _await(probe, what: str):
        deadline = time.monotonic() + START_TIMEOUT_S
        while not (found := probe()):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {START_TIMEOUT_S} s: {what}")
            time.sleep(0.05)
        return found

    def start(self) -> "Etcd":
        """Starts the members that do not run."""
        urls = {member.name: self.peers.url_of(member) for member in self.members}
        new = [member for member in self.members if not member.runs]
        for member in new:
            member.start(urls)
        for member in new:
            member.await_healthy()
        return self

    def kill(self) -> None:
        for member in self.members:
            if member.runs:
                member.kill()

    def close(self) -> None:
        self.kill()
        self.peers.close()
        shutil.rmtree(self.dir, ignore_errors=True)


def shared_store():
    """What the tests of several servers run on; HAPAX_E2E_STORE is etcd or postgres."""
    return {"etcd": Etcd, "postgres": Postgres}[os.environ.get("HAPAX_E2E_STORE", "etcd")]()


class SharedServer(Server):
    """One hapaxd after the other with the same --server_id, beside others on the same rows."""

    def __init__(self, etcd, server_id: str, *flags: str, prefix="/hapax"):
        super().__init__(*flags)
        self.etcd = etcd
        self.prefix = prefix
        self.server_id = server_id
        path = pathlib.Path(self.write("seal_keys", SEAL_KEYS))
        path.chmod(0o600)

    @property
    def _all_flags(self) -> tuple:
        given = {flag.split("=")[0] for flag in self.flags}
        flags = ("--listen_address=127.0.0.1:0", f"--store={self.etcd.store}",
                 *self.etcd.flags(self.prefix), f"--server_id={self.server_id}",
                 f"--seal_key_file={self.dir / 'seal_keys'}", "--work_lease=1s")
        return (*(flag for flag in flags if flag.split("=")[0] not in given), *self.flags)


class ServerGroup:
    """Servers on a cluster of their own in place of one Server: what is done to it is done to each. `next` gives them by
    turns."""

    def __init__(self, count: int, *flags: str):
        self._etcd = shared_store().start()
        self._servers = [SharedServer(self._etcd, f"server-{i}", *flags) for i in range(count)]
        self._turns = itertools.cycle(self._servers)

    @property
    def address(self) -> str:
        return self._servers[0].address

    def next(self) -> SharedServer:
        return next(self._turns)

    def start(self) -> "ServerGroup":
        for server in self._servers:
            server.start()
        return self

    def stop(self) -> None:
        for server in self._servers:
            server.stop()

    def kill(self) -> None:
        for server in self._servers:
            server.kill()

    def close(self) -> None:
        try:
            for server in self._servers:
                server.close()
        finally:
            self._etcd.close()
