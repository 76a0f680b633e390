"""The context of every part of the benchmark."""

import contextlib
import dataclasses
import pathlib
import shutil
import sys
import tempfile
import time

import loads
from systems import Running, System


@dataclasses.dataclass
class Context:
    """How to run. A part is `run(context) -> dict` and returns what it adds to the JSON: {"list": [one dict a row]}."""

    # The directory of hapaxd, bench_echo and bench_load.
    build: pathlib.Path
    # Everything in two minutes: fewer and shorter repeats, small tables. Figures that need more time are omitted.
    quick: bool
    # The number of measurements of each pair, and the length of each.
    repeats: int
    seconds: float
    # How long to call before each measurement: longer than an instance takes to boot, so that the later effects of
    # launches are included.
    warmup: float = 1.0
    # The names given by `--only`; empty: everything.
    only: frozenset = frozenset()
    started: float = dataclasses.field(default_factory=time.monotonic)

    def say(self, line: str) -> None:
        """Prints a line of progress to stderr."""
        print(f"{time.monotonic() - self.started:6.0f} s  {line}", file=sys.stderr, flush=True)

    def wants(self, *names: str) -> bool:
        """Whether --only includes one of these names."""
        return not self.only or any(name in self.only for name in names)

    @contextlib.contextmanager
    def scratch(self):
        """A directory on the measured disk, removed with its content."""
        path = pathlib.Path(tempfile.mkdtemp(prefix="hapax-bench-"))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    @contextlib.contextmanager
    def started_system(self, system: System):
        """The system, started in its own directory and stopped at the end."""
        with self.scratch() as path:
            try:
                yield system.start(path)
            finally:
                system.stop()

    def load(self, running: Running, figure: str, **arguments) -> dict:
        """loads.run_load() with the context's times."""
        return loads.run_load(self.build, running, figure, **{"seconds": self.seconds, "warmup": self.warmup, **arguments})
