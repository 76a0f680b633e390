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

from peer import Peer, free_port, spawn, wait_until
from processes import ServerProcess

SOURCES = pathlib.Path(__file__).resolve().parent / "peers" / "restate"
INSTALL_TIMEOUT_S = 300
HTTP_TIMEOUT_S = 10


class Restate(Peer):
    name = "restate"
    protocol = "http1"

    def __init__(self, build: pathlib.Path):
        super().__init__(build)
        # Beside the builds, which share it.
        self._home = build.resolve().parent / "bench-peers" / "restate"
        self._ports: dict = {}

    def unavailable(self) -> Optional[str]:
        """Installs it with npm unless that was done before."""
        if not shutil.which("npm"):
            return "npm is not installed"
        wanted = (SOURCES / "package.json").read_text()
        done = self._home / "installed"
        if done.exists() and done.read_text() == wanted:
            return None
        self._home.mkdir(parents=True, exist_ok=True)
        (self._home / "package.json").write_text(wanted)
        try:
            subprocess.run(["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"],
                           cwd=self._home, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                           timeout=INSTALL_TIMEOUT_S)
            self._server_program()
        except (subprocess.SubprocessError, FileNotFoundError) as error:
            return f"npm could not install it: {error}"
        done.write_text(wanted)
        return None

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
        return f"127.0.0.1:{self._ports['ingress']}/Compute/RunInstances"

    def effects(self) -> int:
        return len(self._effects_file.read_text().splitlines())

    @property
    def _effects_file(self) -> pathlib.Path:
        return self._scratch / "effects"

    @property
    def _node(self) -> pathlib.Path:
        return self._home / "node_modules" / ".bin" / "node"

    def _server_program(self) -> pathlib.Path:
        found = list((self._home / "node_modules" / "@restatedev").glob("restate-server-*/bin/restate-server"))
        if not found:
            raise FileNotFoundError("there is no restate-server for this machine")
        return found[0]

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
