"""The closed list of reasons (C27), read from the source, so that a test knows of every one of them."""

import pathlib
import re

from grpc import StatusCode

ROOT = pathlib.Path(__file__).resolve().parents[2]
_ROW = re.compile(r'\{k\w+, "(?P<name>\w+)", Code::k(?P<code>\w+), k(?P<verdict>\w+)(?:, (?P<delay>k\w+))?\}')
_DELAY = re.compile(r"constexpr absl::Duration (?P<name>k\w+) = absl::(?P<unit>\w+)\((?P<count>\d+)\);")
_UNITS_S = {"Milliseconds": 0.001, "Seconds": 1}


class Reason:
    """One row of interceptors/reason.cc."""

    def __init__(self, name: str, code: str, verdict: str, retry_delay_s):
        self.name = name
        self.code = next(known for known in StatusCode if known.name.replace("_", "").lower() == code.lower())
        self.retry = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", verdict).lower()
        self.retry_delays_s = [] if retry_delay_s is None else [retry_delay_s]


def _of_source() -> dict:
    source = (ROOT / "interceptors" / "reason.cc").read_text()
    delays = {found["name"]: int(found["count"]) * _UNITS_S[found["unit"]] for found in _DELAY.finditer(source)}
    table = source[source.index("kReasons[]"):source.index("\n};")]
    found = [Reason(row["name"], row["code"], row["verdict"], row["delay"] and delays[row["delay"]])
             for row in _ROW.finditer(table)]
    if len(found) != table.count("\n    {k"):
        raise AssertionError("a row of interceptors/reason.cc does not look as expected")
    return {reason.name: reason for reason in found}


# By name, in the order of the list.
REASONS = _of_source()
