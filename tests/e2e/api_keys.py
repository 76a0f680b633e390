"""API keys for tests: `alice-1` is the id, the rest follows from it."""

import hashlib

SALT = "0123456789abcdef"


def key_of(key_id: str) -> str:
    return f"hapax_{key_id}_secret-of-{key_id}"


def line_of(tenant: str, key_id: str, role: str = "write") -> str:
    """The key's line in --api_keys_file."""
    return f"{tenant} {role} {key_id} {SALT}:{hashlib.sha256((SALT + key_of(key_id)).encode()).hexdigest()}\n"


def bearer(key_id: str) -> tuple:
    return (("authorization", f"Bearer {key_of(key_id)}"),)


def x_api_key(key_id: str) -> tuple:
    return (("x-api-key", key_of(key_id)),)
