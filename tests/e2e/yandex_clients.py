"""Unmodified clients of Yandex Cloud: its SDK for Node, and curl as its documentation has it."""

import json
import os
import pathlib
import subprocess
import unittest

# Where scripts/setup-node-clients has put it.
MODULES = pathlib.Path(__file__).resolve().parents[2] / ".tools" / "clients" / "node_modules"
DRIVER = pathlib.Path(__file__).with_name("yandex_sdk.js")
TIMEOUT_S = 60

needs_sdk = unittest.skipUnless((MODULES / "@yandex-cloud" / "nodejs-sdk").is_dir(),
                                f"there is no @yandex-cloud/nodejs-sdk in {MODULES}; scripts/setup-node-clients installs it")


def curl(address: str, method: str, path: str, *words: str) -> subprocess.CompletedProcess:
    """The ended process of curl."""
    return subprocess.run(["curl", "-sS", "-X", method, *words, f"http://{address}{path}"], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=TIMEOUT_S)


class Sdk:
    """The SDK as a process, which takes one call after another. `ca_file` and `key` are for all of them."""

    def __init__(self, ca_file, key: str):
        self._ours = {"caFile": str(ca_file), "key": key}
        self._process = subprocess.Popen(["setpriv", "--pdeathsig", "KILL", "node", str(DRIVER)], text=True,
                                         stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                         env={**os.environ, "NODE_PATH": str(MODULES)})

    def close(self) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=TIMEOUT_S)

    def start(self, address: str, method: str, request=None, service="InstanceService", **more) -> None:
        """Sends a call; `finish` waits for its reply."""
        call = {**self._ours, "endpoint": address.replace("127.0.0.1", "localhost"), "service": service,
                "method": method, "request": request or {}, **more}
        self._process.stdin.write(json.dumps(call) + "\n")
        self._process.stdin.flush()

    def finish(self) -> dict:
        line = self._process.stdout.readline()
        if not line:
            raise AssertionError("the SDK's process ended")
        return json.loads(line)

    def call(self, *words, **more) -> dict:
        self.start(*words, **more)
        return self.finish()

    def wait_for(self, address: str, operation_id: str) -> dict:
        """Polls an operation to its end."""
        return self.call(address, "", waitFor=operation_id)
