"""The cost of a durable write on the measured disk."""

import json
import pathlib
import subprocess

from context import Context


def fdatasync(context: Context, directory: pathlib.Path) -> dict:
    """Latencies of appending 1 KiB to a file in that directory and syncing it, one after the other, in microseconds."""
    path = directory / "disk_probe"
    output = subprocess.run([context.build / "bench_disk", f"--file={path}", f"--duration={context.seconds / 2}s"],
                            check=True, stdout=subprocess.PIPE, text=True, timeout=60).stdout
    path.unlink()
    found = json.loads(output)
    return {f"fdatasync_{key}": found[key] for key in ("p50_us", "p99_us", "p999_us")}
