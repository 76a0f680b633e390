"""Directories with token tables of any size, made by bench_fill."""

import json
import pathlib
import subprocess

from context import Context
from systems import Hapax

# The token of the pattern is drawn from a table of one, with a seed of its own.
PATTERN_FLAGS = {"filled_tokens": 1, "fill_seed": 2}
FILL_TIMEOUT_S = 600


def fill(context: Context, scratch: pathlib.Path, tokens: int, **flags) -> dict:
    """Has a server create its data in `scratch` and execute one launch; then adds `tokens` copies of its record.

    `flags` are those of bench_fill. Returns its JSON."""
    hapax = Hapax(context.build)
    running = hapax.start(scratch)
    try:
        context.load(running, "replay", in_flight=1, seconds=0.3, warmup=0, flags=PATTERN_FLAGS)
    finally:
        hapax.stop()
    command = [context.build / "bench_fill", f"--data_dir={scratch / 'data'}", f"--tokens={tokens}",
               *(f"--{name}={value}" for name, value in flags.items())]
    return json.loads(subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=True,
                                     timeout=FILL_TIMEOUT_S).stdout)
