"""A foreign client: it puts raw bytes on the wire and keeps the reply's bytes as they came."""

import grpc

from protos import (admin_pb2, compute_pb2, error_details_pb2, operations_pb2, status_pb2, tokens_pb2, yandex_instances_pb2,
                    yandex_operations_pb2)

SERVICE = "/hapax.compute.v1.Compute/"
TOKENS = "/hapax.idempotency.v1.Tokens/"
OPERATIONS = "/google.longrunning.Operations/"
ADMIN = "/hapax.admin.v1.Admin/"
# By path: the message that a method replies with.
REPLIES = {f"/{service.full_name}/{method.name}": method.output_type._concrete_class
           for file in (compute_pb2, tokens_pb2, operations_pb2, admin_pb2, yandex_instances_pb2,
                        yandex_operations_pb2)
           for service in file.DESCRIPTOR.services_by_name.values() for method in service.methods}
# Bounds every call; long enough for a server that runs under a sanitizer.
CALL_TIMEOUT_S = 60
# A connection of its own for each client, and no retry behind the test's back.
CHANNEL_OPTIONS = (
    ("grpc.use_local_subchannel_pool", 1),
    ("grpc.enable_retries", 0),
    ("grpc.max_receive_message_length", -1),
    ("grpc.max_send_message_length", -1),
)


def _once(metadata) -> dict:
    """Metadata as a dict; a key that came twice is an error, for no key of the contract may."""
    found = {}
    for key, value in metadata or ():
        if key in found:
            raise AssertionError(f"metadata {key} came twice: {found[key]!r}, {value!r}")
        found[key] = value
    return found


class Reply:
    """What one attempt came back with."""

    def __init__(self, method: str, call, raw):
        self.code = call.code()
        self.message = call.details() or ""
        self.raw = raw
        self.initial = _once(call.initial_metadata())
        self.trailing = _once(call.trailing_metadata())
        self._type = REPLIES.get(_path(method))

    @property
    def ok(self) -> bool:
        return self.code is grpc.StatusCode.OK

    @property
    def parsed(self):
        if not self.ok:
            raise AssertionError(f"no reply, but {self}")
        return self._type.FromString(self.raw)

    @property
    def outcome(self):
        return self.initial.get("hapax-outcome")

    @property
    def retry(self):
        return self.trailing.get("hapax-retry")

    @property
    def status(self):
        """The google.rpc.Status of `grpc-status-details-bin`; None without one."""
        packed = self.trailing.get("grpc-status-details-bin")
        return None if packed is None else status_pb2.Status.FromString(packed)

    def _details(self, kind) -> list:
        found = []
        for packed in self.status.details if self.status else ():
            if packed.Is(kind.DESCRIPTOR):
                found.append(kind.FromString(packed.value))
        return found

    @property
    def error_infos(self) -> list:
        return self._details(error_details_pb2.ErrorInfo)

    @property
    def reason(self):
        return self.error_infos[0].reason if self.error_infos else None

    @property
    def retry_delays_s(self) -> list:
        """What each RetryInfo says, in seconds."""
        return [info.retry_delay.ToTimedelta().total_seconds() for info in self._details(error_details_pb2.RetryInfo)]

    @property
    def violations(self) -> list:
        """The field violations of BadRequest, in the server's order."""
        return [v for bad in self._details(error_details_pb2.BadRequest) for v in bad.field_violations]

    @property
    def fields(self) -> list:
        return [violation.field for violation in self.violations]

    def __str__(self) -> str:
        if self.ok:
            return f"OK, {self.outcome}, {len(self.raw)} bytes"
        return f"{self.code.name} {self.reason} {self.fields} retry={self.retry}: {self.message}"


class Pending:
    """A call under way."""

    def __init__(self, method: str, future):
        self._method = method
        self._future = future

    def cancel(self) -> None:
        self._future.cancel()

    @property
    def done(self) -> bool:
        return self._future.done()

    def on_end(self, tell) -> None:
        """Calls `tell` when the call ends, on a thread of grpc's."""
        self._future.add_done_callback(lambda _: tell())

    def reply(self) -> Reply:
        """Waits for the end of the call, which its timeout bounds."""
        raw = self._future.result() if self._future.code() is grpc.StatusCode.OK else None
        return Reply(self._method, self._future, raw)


class Client:
    """Calls one endpoint (a server or a relay to one) over a connection of its own, as one tenant.

    With `credentials`, grpc's, the connection is encrypted. An endpoint has `address`, and `starts`, which grows
    whenever the endpoint is another process. One of several servers has `next`, the endpoint of the next call. Not
    thread-safe."""

    def __init__(self, endpoint, tenant=None, metadata=(), credentials=None):
        self._endpoint = endpoint
        self._metadata = tuple(metadata) + ((("x-tenant-id", tenant),) if tenant is not None else ())
        self._credentials = credentials
        self._channels = {}  # By the endpoint's id: its starts, and the channel.

    def close(self) -> None:
        for _, channel in self._channels.values():
            channel.close()
        self._channels = {}

    def _method(self, method: str):
        endpoint = self._endpoint.next() if hasattr(self._endpoint, "next") else self._endpoint
        starts, channel = self._channels.get(id(endpoint), (None, None))
        if channel is None or starts != endpoint.starts:
            if channel is not None:
                channel.close()
            channel = (grpc.secure_channel(endpoint.address, self._credentials, CHANNEL_OPTIONS)
                       if self._credentials else grpc.insecure_channel(endpoint.address, CHANNEL_OPTIONS))
            self._channels[id(endpoint)] = (endpoint.starts, channel)
        return channel.unary_unary(_path(method))

    def start(self, method: str, request, metadata=(), timeout=CALL_TIMEOUT_S) -> Pending:
        """Sends a request (a message, or bytes as they are to travel) without waiting for the reply."""
        call = self._method(method).future(_bytes(request), timeout, self._metadata + tuple(metadata))
        return Pending(method, call)

    def call(self, method: str, request, metadata=(), timeout=CALL_TIMEOUT_S) -> Reply:
        """Sends a request and waits for the reply. An error is a Reply as well."""
        try:
            raw, call = self._method(method).with_call(_bytes(request), timeout, self._metadata + tuple(metadata))
        except grpc.RpcError as error:
            return Reply(method, error, None)
        return Reply(method, call, raw)


def _path(method: str) -> str:
    """A method's path; one that is only a name is Compute's."""
    return method if method.startswith("/") else SERVICE + method


def _bytes(request) -> bytes:
    return request if isinstance(request, bytes) else request.SerializeToString()
