"""The message modules of ../../proto, which protoc generates at import."""

import importlib
import pathlib
import subprocess
import sys
import tempfile

PROTO = pathlib.Path(__file__).resolve().parents[2] / "proto"
FILES = (
    "google/longrunning/operations.proto",
    "google/rpc/error_details.proto",
    "google/rpc/status.proto",
    "hapax/access/v1/role.proto",
    "hapax/admin/v1/admin.proto",
    "hapax/idempotency/v1/rule.proto",
    "hapax/idempotency/v1/tokens.proto",
    "hapax/compute/v1/catalog.proto",
    "hapax/compute/v1/compute.proto",
    "hapax/compute/v1/resources.proto",
    "yandex/cloud/compute/v1/instance.proto",
    "yandex/cloud/compute/v1/instance_service.proto",
    "yandex/cloud/operation/operation.proto",
    "yandex/cloud/operation/operation_service.proto",
)


def _modules() -> list:
    """The modules of FILES, in that order. Once they are loaded, the generated code is not kept."""
    with tempfile.TemporaryDirectory(prefix="hapax-e2e-pb2-") as out:
        command = ["protoc", f"-I{PROTO}", f"--python_out={out}", *FILES]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
        if ended.returncode != 0:
            sys.exit(f"{' '.join(command)}\n{ended.stderr}")
        sys.path.insert(0, out)
        # Debian's protobuf is a package `google` of its own, to which the generated folders are added.
        google = importlib.import_module("google")
        google.__path__ = [*google.__path__, f"{out}/google"]
        try:
            return [importlib.import_module(file.replace(".proto", "_pb2").replace("/", ".")) for file in FILES]
        finally:
            sys.path.remove(out)


(operations_pb2, error_details_pb2, status_pb2, role_pb2, admin_pb2, rule_pb2, tokens_pb2, catalog_pb2,
 compute_pb2, resources_pb2, yandex_instance_pb2, yandex_instances_pb2, yandex_operation_pb2,
 yandex_operations_pb2) = _modules()
