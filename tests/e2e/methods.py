"""Every method that a server hosts, by its path, as its own reflection and its protos tell."""

import grpc

import wire
from client import CALL_TIMEOUT_S, CHANNEL_OPTIONS
from protos import admin_pb2, compute_pb2, operations_pb2, role_pb2, tokens_pb2

_REFLECTION = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
# gRPC's own, which anybody may call: they tell of the schema, and whether the server serves.
OPEN_SERVICES = {"grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
# Of other APIs: their calls are those of hosted methods, which have the roles.
TRANSLATED_SERVICES = {"yandex.cloud.compute.v1.InstanceService", "yandex.cloud.operation.OperationService"}
SERVICES = {service.full_name: service for file in (compute_pb2, tokens_pb2, operations_pb2, admin_pb2)
            for service in file.DESCRIPTOR.services_by_name.values()}
METHODS = {f"/{service.full_name}/{method.name}": method
           for service in SERVICES.values() for method in service.methods}


def _fields(message: bytes):
    """Number and value of each length-delimited field, all there are in these replies but for varints."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        value, at = _varint(message, at)
        if tag & 7 == 2:
            value, at = message[at:at + value], at + value
        yield tag >> 3, value


def _varint(message: bytes, at: int) -> tuple:
    value = shift = 0
    while True:
        byte = message[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at


def reflected_services(address: str) -> set:
    """The names that server reflection lists."""
    list_services = wire.text(7, "")  # ServerReflectionRequest.list_services
    with grpc.insecure_channel(address, CHANNEL_OPTIONS) as channel:
        reply = next(channel.stream_stream(_REFLECTION)(iter([list_services]), timeout=CALL_TIMEOUT_S))
    (listed,) = [value for number, value in _fields(reply) if number == 6]  # list_services_response
    return {dict(_fields(service))[1].decode() for number, service in _fields(listed) if number == 1}


def required_role(path: str) -> str:
    """`read`, `write` or `admin`, from the declaration."""
    options = METHODS[path].GetOptions()
    declared = options.Extensions[role_pb2.required_role]
    if declared != role_pb2.ROLE_UNSPECIFIED:
        return role_pb2.Role.Name(declared).removeprefix("ROLE_").lower()
    return "read" if options.idempotency_level == options.NO_SIDE_EFFECTS else "write"
