"""A member of etcd as a process, and servers that share its rows."""

import http.client
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

from harness import START_TIMEOUT_S, Server

SEAL_KEYS = "key-1 " + "5e" * 32 + "\n"


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


class Etcd:
    """A cluster of one member, on 127.0.0.1 with its data in a directory of its own. Start it on the main thread: it is
    killed when the thread that started it ends."""

    def __init__(self):
        self.dir = pathlib.Path(tempfile.mkdtemp(prefix="hapax-etcd-"))
        self.endpoint = f"127.0.0.1:{free_port()}"
        self._peer = f"http://127.0.0.1:{free_port()}"
        self._log = self.dir / "log"
        self._process = None

    def start(self) -> "Etcd":
        client = f"http://{self.endpoint}"
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "KILL", "etcd", "--name=m0", f"--data-dir={self.dir / 'data'}",
                 f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
                 f"--listen-peer-urls={self._peer}", f"--initial-advertise-peer-urls={self._peer}",
                 f"--initial-cluster=m0={self._peer}", "--max-txn-ops=8192", "--heartbeat-interval=50",
                 "--election-timeout=500", "--logger=zap", "--log-level=warn"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not self._is_healthy():
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise AssertionError(f"etcd did not start:\n{self._log.read_text()}")
            time.sleep(0.05)
        return self

    def _is_healthy(self) -> bool:
        connection = http.client.HTTPConnection(self.endpoint, timeout=5)
        try:
            connection.request("GET", "/health")
            return b'"true"' in connection.getresponse().read()
        except OSError:
            return False
        finally:
            connection.close()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._process = None

    def close(self) -> None:
        if self._process is not None:
            self.kill()
        shutil.rmtree(self.dir, ignore_errors=True)


class SharedServer(Server):
    """One hapaxd after the other with the same --server_id, beside others on the same rows."""

    def __init__(self, etcd: Etcd, server_id: str, *flags: str, prefix="/hapax"):
        super().__init__(*flags)
        self.etcd = etcd
        self.prefix = prefix
        self.server_id = server_id
        path = pathlib.Path(self.write("seal_keys", SEAL_KEYS))
        path.chmod(0o600)

    @property
    def _all_flags(self) -> tuple:
        given = {flag.split("=")[0] for flag in self.flags}
        flags = ("--listen_address=127.0.0.1:0", "--store=etcd", f"--etcd_endpoints={self.etcd.endpoint}",
                 f"--etcd_prefix={self.prefix}", f"--server_id={self.server_id}",
                 f"--seal_key_file={self.dir / 'seal_keys'}", "--work_lease=1s")
        return (*(flag for flag in flags if flag.split("=")[0] not in given), *self.flags)
