"""One gRPC call by hand on a bare HTTP/2 connection, for what no proper client library would send."""

import socket
import struct

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, RST_STREAM, SETTINGS, WINDOW_UPDATE, CONTINUATION = 0, 1, 3, 4, 8, 9
END_STREAM, END_HEADERS, ACK = 1, 4, 1
CANCEL = 8
INITIAL_WINDOW_SIZE = 4
# SETTINGS_GRPC_ALLOW_TRUE_BINARY_METADATA: `-bin` metadata comes as it is, neither in base64 nor in Huffman's code.
TRUE_BINARY = struct.pack(">HI", 0xFE03, 1)
INDEXED, INCREMENTAL = 0x80, 0x40
STATUS_200 = 8
TIMEOUT_S = 20


def frame(kind: int, flags: int, stream: int, payload: bytes) -> bytes:
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def headers(method: str, metadata, content_type: bytes = b"application/grpc", leave_out: str = "") -> bytes:
    """The HEADERS frame of a call on stream 1, its fields as literals without Huffman coding, less one of them."""
    fields = [(":method", b"POST"), (":scheme", b"http"), (":path", method.encode()), (":authority", b"localhost"),
              ("te", b"trailers"), ("content-type", content_type)]
    fields = [*(field for field in fields if field[0] != leave_out), *metadata]
    block = b"".join(b"\0" + _text(name.encode()) + _text(value) for name, value in fields)
    return frame(HEADERS, END_HEADERS, 1, block)


def message(body: bytes, missing: int = 0, compressed: bool = False) -> bytes:
    """The DATA frame of a gRPC message that ends the request; or of one with so many bytes `missing`."""
    prefix = bytes([compressed]) + struct.pack(">I", len(body) + missing)
    return frame(DATA, 0 if missing else END_STREAM, 1, prefix + body)


def bytes_as_they_are(body: bytes) -> bytes:
    """The DATA frame of a request that has these bytes and no others, be they a gRPC message or not."""
    return frame(DATA, END_STREAM, 1, body)


def no_message() -> bytes:
    """The empty DATA frame of a request that ends before its message was sent."""
    return bytes_as_they_are(b"")


def cancel() -> bytes:
    return frame(RST_STREAM, 0, 1, struct.pack(">I", CANCEL))


def exchange(address: str, *frames: bytes, until_answered: bool = True) -> bytes:
    """Sends the frames on a new connection. Returns all that came back once stream 1 was over, as bytes, headers still
    packed; with `until_answered` False, all that came until the server had read every frame."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=TIMEOUT_S) as connection:
        connection.sendall(PREFACE + frame(SETTINGS, 0, 0, TRUE_BINARY) + b"".join(frames))
        if not until_answered:
            connection.shutdown(socket.SHUT_WR)
        return _receive(connection, until_answered)


def pour(address: str, method: str, metadata, length: int) -> tuple:
    """Begins a call whose message says that it has `length` bytes, and sends of it what the server's windows let it, all
    but the last byte at the most, until the server ends the call. Returns the number of bytes that were sent, and all
    that came back."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=TIMEOUT_S) as connection:
        connection.sendall(PREFACE + frame(SETTINGS, 0, 0, TRUE_BINARY) + headers(method, metadata))
        windows = {0: 65_535, 1: 65_535}
        initial, sent, received, at = 65_535, 0, b"", 0
        prefix = b"\0" + struct.pack(">I", length)
        while True:
            room = min(16_384, windows[0], windows[1], length + 4 - sent)
            if room > 0 and at > 0:  # The server's first SETTINGS have come.
                chunk = (prefix if sent == 0 else b"").ljust(room, b"x")
                connection.sendall(frame(DATA, 0, 1, chunk))
                sent += room
                windows = {stream: window - room for stream, window in windows.items()}
                connection.setblocking(False)
            try:
                chunk = connection.recv(65_536)
                if not chunk:
                    return sent, received
                received += chunk
            except BlockingIOError:
                pass
            except ConnectionResetError:
                return sent, received
            connection.settimeout(TIMEOUT_S)
            while len(received) >= at + 9:
                size = struct.unpack(">I", b"\0" + received[at:at + 3])[0]
                kind, flags, stream = struct.unpack(">BBI", received[at + 3:at + 9])
                payload = received[at + 9:at + 9 + size]
                if len(payload) < size:
                    break
                at += 9 + size
                if kind == WINDOW_UPDATE:
                    windows[stream] = windows.get(stream, 0) + struct.unpack(">I", payload)[0]
                elif kind == SETTINGS and not flags & ACK:
                    for name, value in struct.iter_unpack(">HI", payload):
                        if name == INITIAL_WINDOW_SIZE:
                            windows[1] += value - initial
                            initial = value
                elif stream == 1 and (kind == RST_STREAM or flags & END_STREAM):
                    return sent, received


def begun_headers(method: str) -> bytes:
    """What a connection begins with whose first call's headers do not end here."""
    return PREFACE + frame(SETTINGS, 0, 0, b"") + frame(HEADERS, 0, 1, headers(method, [])[9:])


def more_headers() -> bytes:
    """16 KB of them, that do not end either."""
    return frame(CONTINUATION, 0, 1, b"\0" + _text(b"name") + _text(b"v" * 16_000))


def pour_headers(address: str, method: str, length: int) -> int:
    """Begins a call whose headers do not end, and sends some `length` bytes of them unless the server hangs up. Returns
    how many were sent."""
    host, port = address.split(":")
    sent = 0
    with socket.create_connection((host, int(port)), timeout=TIMEOUT_S) as connection:
        connection.sendall(begun_headers(method))
        try:
            while sent < length:
                connection.sendall(more_headers())
                sent += len(more_headers())
        except (BrokenPipeError, ConnectionResetError):
            pass
    return sent


def refusal(received: bytes):
    """The fields, as (name, bytes) pairs, of a call that was answered by nothing but an error; None for a reply."""
    blocks, at = [], 0
    while at < len(received):
        length = struct.unpack(">I", b"\0" + received[at:at + 3])[0]
        kind, _, stream = struct.unpack(">BBI", received[at + 3:at + 9])
        if kind == HEADERS and stream == 1:
            blocks.append(received[at + 9:at + 9 + length])
        at += 9 + length
    return _fields(blocks[0]) if len(blocks) == 1 else None


def send_garbage(address: str, garbage: bytes) -> None:
    """Sends bytes that are no HTTP/2, and waits until the server has hung up."""
    host, port = address.split(":")
    with socket.create_connection((host, int(port)), timeout=TIMEOUT_S) as connection:
        try:
            connection.sendall(garbage)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        except TimeoutError:
            raise
        except OSError:
            pass  # It hung up before it had read everything.


def _receive(connection, until_answered: bool) -> bytes:
    received = b""
    at = 0
    while True:
        try:
            chunk = connection.recv(65536)
        except ConnectionResetError:
            return received
        if not chunk:
            return received
        received += chunk
        while len(received) >= at + 9:
            length = struct.unpack(">I", b"\0" + received[at:at + 3])[0]
            kind, flags, stream = struct.unpack(">BBI", received[at + 3:at + 9])
            if len(received) < at + 9 + length:
                break
            at += 9 + length
            last = kind == RST_STREAM or (kind in (DATA, HEADERS) and flags & END_STREAM)
            if until_answered and stream == 1 and last:
                return received


def _fields(block: bytes) -> list:
    """Unpacks the first header block of a connection, which grpc sends as literals without Huffman coding."""
    found, at = [], 0
    while at < len(block):
        if block[at] & INDEXED:
            found.append((":status", b"200") if block[at] == INDEXED | STATUS_200 else None)
            at += 1
            continue
        if block[at] not in (0, INCREMENTAL):
            raise AssertionError(f"a field that is no literal with a name of its own: {block[at:]!r}")
        name, at = _untext(block, at + 1)
        value, at = _untext(block, at)
        found.append((name.decode(), value))
    return found


def _untext(block: bytes, at: int):
    """The string literal at a position of a block, and the position after it."""
    length = block[at]
    if length & 128:
        raise AssertionError("a string in Huffman's code")
    at += 1
    shift = 0
    while length >= 127:
        length += (block[at] & 127) << shift
        shift += 7
        at += 1
        if block[at - 1] < 128:
            break
    return block[at:at + length], at + length


def _text(value: bytes) -> bytes:
    """A string literal of HPACK: its length in a 7-bit prefix integer, then its bytes."""
    length = len(value)
    if length < 127:
        return bytes([length]) + value
    prefix = bytearray([127])
    length -= 127
    while length >= 128:
        prefix.append(length & 127 | 128)
        length >>= 7
    return bytes(prefix) + bytes([length]) + value
