"""Makes golden/orders_v2.txt and ../../server/compute/golden/compute_v2.txt: token records with fingerprints of version 2, by an
account of interceptors/idempotency/fingerprint.h that shares no code with the server. Each field's canonical form is spelled out.

    python3 tests/interceptors/idempotency/make_golden.py

It was run once. The records stay as they are; a line may be added, by a case at the end."""

import hashlib
import pathlib

TESTS = pathlib.Path(__file__).resolve().parents[2]
HEADER = """\
# Token records with fingerprints of version 2, as they are in data directories, and the requests they were made of:
# what C22 is held to. Made once by tests/interceptors/idempotency/make_golden.py, not by the server. Lines are only ever added,
# never changed.
# <name> <method> <request in hex> <hapax.store.v1.TokenRecord in hex>
"""
EXECUTED_AT = 1_767_225_600
KEPT_S, REMEMBERED_S = 24 * 3600, 31 * 24 * 3600
TOKEN = 1  # In every request.

VARINT, FIXED64, LENGTH_DELIMITED = 0, 1, 2


def varint(value: int) -> bytes:
    encoded = b""
    while value >= 0x80:
        encoded += bytes([value & 0x7F | 0x80])
        value >>= 7
    return encoded + bytes([value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3 | VARINT) + varint(value)


def text(field: int, content) -> bytes:
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | LENGTH_DELIMITED) + varint(len(content)) + content


def fixed64(field: int, value: bytes) -> bytes:
    return varint(field << 3 | FIXED64) + value


def entry(field: int, key: str, value) -> bytes:
    return text(field, text(1, key) + text(2, value))


def any_of(type_url: str, value: bytes) -> bytes:
    return text(1, type_url) + (text(2, value) if value else b"")


def digest(encoded: bytes) -> bytes:
    """Eight bytes, as they stand on the wire."""
    return hashlib.sha256(encoded).digest()[:8]


def record(name: str, method: str, request: bytes, fields: dict, unknown=(), more_unknown=b"", resolved=()) -> str:
    """A line. `request` lacks the token. `fields`: what digests are made of, by number; of those in `unknown` the server
    knew no definition. `resolved`: a number, the other forms of that field, and whether it may be unset."""
    fingerprint = number(1, 2) + text(2, hashlib.sha256(request).digest()[:16])
    for field, form in sorted(fields.items()):
        fingerprint += text(3, number(1, field) + fixed64(2, digest(form)) + (number(3, 1) if field in unknown else b""))
    if more_unknown:
        fingerprint += fixed64(4, digest(more_unknown))
    for field, forms, may_be_unset in resolved:
        digests = b"".join(digest(form) for form in forms)
        fingerprint += text(5, number(1, field) + (text(2, digests) if digests else b"")
                            + (number(3, 1) if may_be_unset else b""))
    row = (text(1, method) + text(2, fingerprint) + text(3, number(1, EXECUTED_AT)) + text(4, f"the reply of {name}")
           + text(6, number(1, EXECUTED_AT + KEPT_S)) + text(7, number(1, EXECUTED_AT + REMEMBERED_S)))
    return f"{name} {method} {(text(TOKEN, name) + request).hex()} {row.hex()}\n"


def orders() -> str:
    """Calls of PlaceOrder (orders.proto)."""
    item, quantity = text(4, "pencil"), number(5, 2)
    delivery = text(6, text(1, "x") + number(2, 1))
    a, b = entry(7, "a", "1"), entry(7, "b", "2")
    order = "hapax.tests.v1.PlaceOrderRequest"
    usual, wrapper = f"type.googleapis.com/{order}", "type.googleapis.com/google.protobuf.Any"

    def line(name, request, fields, **more):
        return record(name, "hapax.tests.v1.Orders/PlaceOrder", request, fields, **more)

    many = {field: number(field, 7) for field in range(1000, 1100)}
    listed = dict(list(many.items())[:64])
    return "".join((
        line("plain", item + quantity, {4: item, 5: quantity}),
        line("nested", item + delivery, {4: item, 6: delivery}),
        line("maps", b + item + a, {4: item, 7: a + b}),
        line("unpacked", number(8, 7) + number(8, 300) + item, {4: item, 8: text(8, varint(7) + varint(300))}),
        line("unknown", item + number(100, 7) + text(101, "text"),
             {4: item, 100: number(100, 7), 101: text(101, "text")}, unknown=(100, 101)),
        line("many-unknown", item + b"".join(many.values()), {4: item, **listed}, unknown=listed,
             more_unknown=b"".join(list(many.values())[64:])),
        line("any", text(10, any_of(usual, b + item + a)), {10: text(10, any_of(usual, item + a + b))}),
        line("any-of-another-prefix", text(10, any_of(f"example.com/types/{order}", item + number(5, 0))),
             {10: text(10, any_of(usual, item))}),
        line("any-empty", text(10, any_of(usual, number(5, 0))), {10: text(10, any_of(usual, b""))}),
        line("any-of-an-any", text(10, any_of(wrapper, any_of(usual, text(10, any_of(usual, b + a))))),
             {10: text(10, any_of(wrapper, any_of(usual, text(10, any_of(usual, a + b)))))}),
        line("any-of-an-unknown-type", text(10, any_of("type.googleapis.com/no.such.Type", b + a)),
             {10: text(10, any_of("type.googleapis.com/no.such.Type", b + a))}),
        line("any-without-a-slash", text(10, any_of(order, b + a)), {10: text(10, any_of(order, b + a))}),
        line("any-that-does-not-parse", text(10, any_of(usual, b + a + b"\xff")),
             {10: text(10, any_of(usual, b + a + b"\xff"))}),
        line("any-with-unknown-fields", text(10, any_of(usual, number(100, 1) + item) + number(3, 1)),
             {10: text(10, any_of(usual, item + number(100, 1)) + number(3, 1))}),
        line("anys-in-a-map", entry(11, "k", any_of(usual, b + a)) + entry(11, "j", any_of(usual, item)),
             {11: entry(11, "j", any_of(usual, item)) + entry(11, "k", any_of(usual, a + b))}),
        # The default item was `pencil`.
        line("default-left-out", quantity, {5: quantity}, resolved=[(4, [item], False)]),
        line("default-spelled-out", item + quantity, {4: item, 5: quantity}, resolved=[(4, [], True)]),
        # A delivery without carrier and door meant `post` and `back`.
        line("defaults-in-a-message", delivery, {6: delivery}, resolved=[
            (6, [text(6, text(1, "x") + number(2, 1) + more)
                 for more in (text(3, "post"), text(3, "post") + text(4, "back"), text(4, "back"))], False)]),
    ))


def compute() -> str:
    """Calls of RunInstances, with m5.large as the default type."""
    image, large, subnet = text(3, "ami-1"), text(4, "m5.large"), text(8, "subnet-b")
    zone = text(9, text(1, "us-east-1b"))
    host = text(9, text(3, "h-01"))
    zone_and_host = text(9, text(1, "us-east-1b") + text(3, "h-01"))

    def line(name, request, fields, resolved):
        return record(name, "hapax.compute.v1.Compute/RunInstances", request, fields, resolved=resolved)

    type_left_out, type_spelled_out = (4, [large], False), (4, [], True)
    return "".join((
        line("run-default-type", image + number(5, 1), {3: image}, [type_left_out]),
        line("run-spelled-type", image + large, {3: image, 4: large}, [type_spelled_out]),
        line("run-other-type", image + text(4, "m5.xlarge"), {3: image, 4: text(4, "m5.xlarge")}, []),
        line("run-on-a-subnet", image + subnet, {3: image, 8: subnet}, [type_left_out, (9, [zone], False)]),
        line("run-on-a-subnet-and-zone", image + subnet + text(9, text(1, "us-east-1b") + text(2, "default")),
             {3: image, 8: subnet, 9: zone}, [type_left_out, (9, [], True)]),
        line("run-on-a-subnet-and-host", image + subnet + text(9, text(2, "host") + text(3, "h-01")),
             {3: image, 8: subnet, 9: host}, [type_left_out, (9, [zone_and_host], False)]),
    ))


if __name__ == "__main__":
    (TESTS / "interceptors" / "idempotency" / "golden" / "orders_v2.txt").write_text(HEADER + orders())
    (TESTS / "server" / "compute" / "golden" / "compute_v2.txt").write_text(HEADER + compute())
