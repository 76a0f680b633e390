"""Redis: a claim (SET NX), the work, and the reply in place of the claim."""

import pathlib
import shutil
import subprocess
from typing import Optional

from peer import Peer, spawn, wait_until


class RedisPeer(Peer):
    facade_program = "bench_redis"
    refuses_duplicates_at_once = True
    # Redis's setting for when its log is synced.
    appendfsync: str

    def unavailable(self) -> Optional[str]:
        return self.redis_unavailable() or super().unavailable()

    def redis_unavailable(self) -> Optional[str]:
        if not shutil.which("redis-server") or not shutil.which("redis-cli"):
            return "redis-server or redis-cli is not installed"
        return None

    def version(self) -> str:
        words = subprocess.run(["redis-server", "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout.split()
        return f"Redis {next(word[2:] for word in words if word.startswith('v='))}, appendfsync {self.appendfsync}"

    def start_database(self, scratch: pathlib.Path) -> subprocess.Popen:
        # Only the log is kept, as Redis recommends for durability; snapshots would cost it time. The log is not
        # rewritten during a measurement.
        process = spawn(["redis-server", "--port", 0, "--unixsocket", self._socket, "--dir", scratch, "--save", "",
                         "--appendonly", "yes", "--appendfsync", self.appendfsync,
                         "--auto-aof-rewrite-percentage", 0], scratch / "redis.log")
        wait_until(lambda: self._cli("PING") == "PONG", process, scratch / "redis.log")
        return process

    def facade_flags(self) -> list:
        return [f"--redis_socket={self._socket}"]

    def effects(self) -> int:
        return len(self._cli("KEYS", f"{self.effect_kind}:*").split())

    def allow_keys(self, *patterns) -> None:
        """Has Redis refuse commands on other keys."""
        self._cli("ACL", "SETUSER", "default", "resetkeys", *(f"~{pattern}" for pattern in patterns))

    @property
    def _socket(self) -> pathlib.Path:
        return self._scratch / "redis.sock"

    def _cli(self, *command) -> str:
        return subprocess.run(["redis-cli", "-s", self._socket, *command], stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, text=True).stdout.strip()


class RedisAlways(RedisPeer):
    name = "redis_always"
    appendfsync = "always"


class RedisEverysec(RedisPeer):
    name = "redis_everysec"
    survives_kill = False  # The log may be written late, after a slow sync.
    appendfsync = "everysec"
