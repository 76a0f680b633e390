"""Restate: durable execution. Its server stores each call's journal, and the reply under the idempotency key."""

import http.client
import json
import os
import pathlib
import shutil
import subprocess
import urllib.error
import urllib.request
from typing import Optional

import npm_packages
from peer import Peer, free_port, spawn, wait_until
from processes import ServerProcess

SOURCES = pathlib.Path(__file__).resolve().parent / "peers" / "restate"
HTTP_TIMEOUT_S = 10


class Restate(Peer):
    name = "restate"
    protocol = "http1"

    def __init__(self, build: pathlib.Path):
        super().__init__(build)
        self._home = npm_packages.home(build, "restate")
        self._ports: dict = {}

    def unavailable(self) -> Optional[str]:
        """Installs it with npm unless that was done before."""
        if reason := npm_packages.install(SOURCES, self._home):
            return reason
        return None if self._server_program() else "npm has no restate-server for this machine"

    def version(self) -> str:
        server = subprocess.run([self._server_program(), "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
        node = subprocess.run([self._node, "--version"], check=True, stdout=subprocess.PIPE, text=True).stdout
        sdk = json.loads((self._home / "node_modules/@restatedev/restate-sdk/package.json").read_text())["version"]
        return f"Restate {server.split()[1]}, TypeScript SDK {sdk} on Node.js {node.strip().lstrip('v')}"

    def start_database(self, scratch: pathlib.Path) -> subprocess.Popen:
        # Its data contain the service's address, so the ports must stay the same after a restart.
        self._ports = self._ports or {name: free_port() for name in ("fabric", "ingress", "admin", "service")}
        environment = {
            **os.environ,
            "RESTATE_INGRESS__BIND_PORT": str(self._ports["ingress"]),
            "RESTATE_ADMIN__BIND_PORT": str(self._ports["admin"]),
            # Each partition syncs a log of its own: one for each core is best here; the default, 24, reaches a third of
            # that.
            "RESTATE_DEFAULT_NUM_PARTITIONS": str(os.cpu_count()),
            "RESTATE_DISABLE_TELEMETRY": "true",
            "RESTATE_LOG_FILTER": "warn",
        }
        log = scratch / "restate.log"
        process = spawn([self._server_program(), "--no-logo", "--node-name", "bench", "--base-dir", scratch / "restate",
                         "--listen-mode", "tcp", "--bind-ip", "127.0.0.1", "--bind-port", self._ports["fabric"]],
                        log, env=environment)
        wait_until(lambda: self._ready("admin", "/health") and self._ready("ingress", "/restate/health"), process, log)
        return process

    def start_service(self, scratch: pathlib.Path) -> ServerProcess:
        shutil.copy(SOURCES / "service.js", self._home)
        service = ServerProcess("env", "NODE_ENV=production", self._node, self._home / "service.js", self._ports["service"], self._effects_file,
                                stderr=scratch / "service.log")
        self._request("admin", "/deployments", {"uri": f"http://{service.address}", "force": True})
        return service

    def target(self) -> str:
        return f"127.0.0.1:{self._ports['ingress']}/Ledger/Post"

    def effects(self) -> int:
        return len(self._effects_file.read_text().splitlines())

    @property
    def _effects_file(self) -> pathlib.Path:
        return self._scratch / "effects"

    @property
    def _node(self) -> pathlib.Path:
        return self._home / "node_modules" / ".bin" / "node"

    def _server_program(self) -> Optional[pathlib.Path]:
        found = list((self._home / "node_modules" / "@restatedev").glob("restate-server-*/bin/restate-server"))
        return found[0] if found else None

    def _ready(self, port: str, path: str) -> bool:
        try:
            self._request(port, path)
            return True
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError):
            return False

    def _request(self, port: str, path: str, body: Optional[dict] = None) -> None:
        request = urllib.request.Request(f"http://127.0.0.1:{self._ports[port]}{path}",
                                         None if body is None else json.dumps(body).encode(),
                                         {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=HTTP_TIMEOUT_S) as reply:
            reply.read()
