"""The protobuf wire format by hand: the same message in other bytes, and bytes that are no message at all."""


def varint(value: int, padding: int = 0) -> bytes:
    """A varint; `padding` bytes longer than it need be."""
    out = bytearray()
    while value > 127 or padding > 0:
        out.append(value & 127 | 128)
        padding -= value <= 127
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field: int, value: int, padding: int = 0) -> bytes:
    return varint(field << 3) + varint(value, padding)


def text(field: int, value) -> bytes:
    """A string, bytes or message field; a str travels as UTF-8."""
    data = value.encode() if isinstance(value, str) else value
    return varint(field << 3 | 2) + varint(len(data)) + data


def entry(field: int, key: str, value: str, value_first: bool = False) -> bytes:
    """An entry of a map<string, string>."""
    pair = [text(1, key), text(2, value)]
    return text(field, b"".join(reversed(pair) if value_first else pair))
