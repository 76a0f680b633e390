"""The message module of bench/proto, which protoc generates at import."""

import importlib
import pathlib
import subprocess
import sys
import tempfile

import protos

PROTO = pathlib.Path(__file__).resolve().parents[2] / "bench" / "proto"
FILE = "bench/v1/ledger.proto"


def _module():
    with tempfile.TemporaryDirectory(prefix="hapax-bench-pb2-") as out:
        subprocess.run(["protoc", f"-I{PROTO}", f"-I{protos.PROTO}", f"--python_out={out}", FILE], check=True, timeout=60)
        sys.path.insert(0, out)
        try:
            return importlib.import_module(FILE.replace(".proto", "_pb2").replace("/", "."))
        finally:
            sys.path.remove(out)


ledger_pb2 = _module()
