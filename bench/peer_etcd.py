"""etcd: a look-up, then a transaction that creates the record if it is missing."""

import base64
import json
import pathlib
import shutil
import subprocess
import urllib.error
import urllib.request
from typing import Optional

from peer import Peer, free_port, spawn, wait_until

HTTP_TIMEOUT_S = 5
# The largest that etcd's documentation recommends; at the default of 2 GiB it would refuse writes.
QUOTA_BYTES = 8 << 30


class Etcd(Peer):
    name = "etcd"
    facade_program = "bench_etcd"

    def unavailable(self) -> Optional[str]:
        return super().unavailable() if shutil.which("etcd") else "etcd is not installed"

    def version(self) -> str:
        output = subprocess.run(["etcd", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
        return "etcd " + output.splitlines()[0].split(":")[1].strip()

    def start_database(self, scratch: pathlib.Path) -> subprocess.Popen:
        self._address = f"127.0.0.1:{free_port()}"
        client = f"http://{self._address}"
        peer = f"http://127.0.0.1:{free_port()}"
        process = spawn(["etcd", "--data-dir", scratch / "etcd", "--listen-client-urls", client,
                         "--advertise-client-urls", client, "--listen-peer-urls", peer,
                         "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}",
                         "--quota-backend-bytes", QUOTA_BYTES, "--log-level", "warn"], scratch / "etcd.log")
        wait_until(self._healthy, process, scratch / "etcd.log")
        return process

    def facade_flags(self) -> list:
        return [f"--etcd={self._address}"]

    def effects(self) -> int:
        prefix, behind = (base64.b64encode(f"{self.effect_kind}{end}".encode()).decode() for end in "/0")
        query = {"key": prefix, "range_end": behind, "count_only": True}
        return int(self._get("/v3/kv/range", json.dumps(query).encode()).get("count", 0))

    def _value(self, key: bytes) -> bytes:
        found = self._get("/v3/kv/range", json.dumps({"key": base64.b64encode(key).decode()}).encode())
        return base64.b64decode(found["kvs"][0]["value"])

    def _healthy(self) -> bool:
        try:
            return self._get("/health").get("health") == "true"
        except (urllib.error.URLError, ConnectionError):
            return False

    def _get(self, path: str, body: Optional[bytes] = None) -> dict:
        with urllib.request.urlopen(f"http://{self._address}{path}", body, HTTP_TIMEOUT_S) as reply:
            return json.load(reply)


class EtcdSameRows(Etcd):
    """The same, with the rows that Hapax keeps of a launch: open work, the room in the zone, the count of the tenant."""

    name = "etcd_same_rows"
    mutation = "launch"

    def facade_flags(self) -> list:
        return [*super().facade_flags(), "--whole_launch"]

    def counts(self) -> tuple:
        """Launches as the zone's row and the tenant's count them."""
        return int(self._value(b"zone/a")), int(self._value(b"tenant/default"))
