"""node-idempotency: a library for services in Node.js, with its records in Redis."""

import json
import os
import pathlib
import shutil
import subprocess
from typing import Optional

import npm_packages
from peer_redis import RedisPeer
from processes import ServerProcess

SOURCES = pathlib.Path(__file__).resolve().parent / "peers" / "node_idempotency"


class NodeIdempotency(RedisPeer):
    name = "node_idempotency"
    protocol = "http1"
    appendfsync = "always"

    def __init__(self, build: pathlib.Path):
        super().__init__(build)
        self._home = npm_packages.home(build, "node_idempotency")

    def unavailable(self) -> Optional[str]:
        """Installs it with npm unless that was done before."""
        return self.redis_unavailable() or npm_packages.install(SOURCES, self._home)

    def version(self) -> str:
        node = subprocess.run([self._node, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
        library = json.loads((self._home / "node_modules/@node-idempotency/core/package.json").read_text())["version"]
        return f"node-idempotency {library} on Node.js {node.strip().lstrip('v')}, with {super().version()}"

    def start_service(self, scratch: pathlib.Path) -> ServerProcess:
        shutil.copy(SOURCES / "service.js", self._home)
        return ServerProcess("env", "NODE_ENV=production", self._node, self._home / "service.js", self._socket,
                             os.cpu_count(), stderr=scratch / "service.log")

    def target(self) -> str:
        return f"{self._service.address}/Ledger/Post"

    @property
    def _node(self) -> pathlib.Path:
        return self._home / "node_modules" / ".bin" / "node"
