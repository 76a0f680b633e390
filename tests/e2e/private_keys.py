"""Traces that a private key would leave, and a search for them through files."""

import base64
import pathlib

CHUNK = 16


def _chunks(data: bytes) -> set:
    """Pieces that a file with this data has, also when it is compressed: random bytes are not."""
    return {data[at:at + CHUNK] for at in range(0, len(data) - CHUNK + 1, CHUNK)}


def traces(material: str, public_key: str) -> set:
    """What shows a private key in PEM: its text, but for what its public key, which is no secret, has in common with
    it, and the bytes that are secret, as they are and in hex."""
    lines = [line for line in material.splitlines() if not line.startswith("-----")]
    found = {piece for line in lines for piece in _chunks(line.encode()) if piece not in public_key.encode()}
    for secret in _secrets(base64.b64decode("".join(lines))):
        found |= _chunks(secret) | _chunks(secret.hex().encode())
    return found


def _secrets(key: bytes) -> list:
    if not key.startswith(b"openssh-key-v1\0"):
        _, _, private_exponent, *primes_and_crt = _der_integers(key)[1:]
        return [private_exponent, *primes_and_crt]
    # PROTOCOL.key of OpenSSH: cipher, kdf, its options, count, public part, private part; of an Ed25519 key the latter
    # is two check words, type, public key, and the seed with the public key after it.
    at = len(b"openssh-key-v1\0")
    for _ in range(3):
        _, at = _ssh_string(key, at)
    _, at = _ssh_string(key, at + 4)
    private, _ = _ssh_string(key, at)
    at = 8
    for _ in range(2):
        _, at = _ssh_string(private, at)
    seed_and_public, _ = _ssh_string(private, at)
    return [seed_and_public[:32]]


def _ssh_string(data: bytes, at: int):
    end = at + 4 + int.from_bytes(data[at:at + 4], "big")
    return data[at + 4:end], end


def _der_integers(der: bytes) -> list:
    """The INTEGERs of a SEQUENCE: version, n, e, d, p, q, dP, dQ, qInv (RFC 8017, A.1.2)."""
    def header(at: int):
        length = der[at + 1]
        if length < 128:
            return at + 2, length
        size = length & 127
        return at + 2 + size, int.from_bytes(der[at + 2:at + 2 + size], "big")

    at, length = header(0)
    end, found = at + length, []
    while at < end:
        at, length = header(at)
        found.append(der[at:at + length])
        at += length
    return found


def files_with(directory: pathlib.Path, pieces: set) -> list:
    """The files below a directory that hold any of the pieces. One that goes away meanwhile holds none."""
    found = []
    for path in directory.rglob("*"):
        try:
            content = path.read_bytes() if path.is_file() else b""
        except FileNotFoundError:
            continue
        if any(piece in content for piece in pieces):
            found.append(path)
    return found
