"""What every part of the benchmark is given."""

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
    """How to run: a part is `run(context) -> dict`, what it adds to the JSON: {"name of a list": [one dict a row]}."""

    # Where hapaxd, bench_echo and bench_load are.
    build: pathlib.Path
    # Everything in two minutes: fewer and shorter repeats, small tables; figures that cannot be had so are left out.
    quick: bool
    # How often each pair is measured, and how long each measurement takes.
    repeats: int
    seconds: float
    # How long to call before each: longer than an instance takes to boot, so that what launches cause later is there.
    warmup: float = 1.0
    # What `--only` named; empty for everything.
    only: frozenset = frozenset()
    started: float = dataclasses.field(default_factory=time.monotonic)

    def say(self, line: str) -> None:
        """A line of progress, to stderr."""
        print(f"{time.monotonic() - self.started:6.0f} s  {line}", file=sys.stderr, flush=True)

    def wants(self, *names: str) -> bool:
        """Whether --only leaves room for it, under any of these names."""
        return not self.only or any(name in self.only for name in names)

    @contextlib.contextmanager
    def scratch(self):
        """A directory on the disk that is measured, removed with all it holds."""
        path = pathlib.Path(tempfile.mkdtemp(prefix="hapax-bench-"))
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)

    @contextlib.contextmanager
    def started_system(self, system: System):
        """The system, started in a directory of its own and stopped at the end."""
        with self.scratch() as path:
            try:
                yield system.start(path)
            finally:
                system.stop()

    def load(self, running: Running, figure: str, **arguments) -> dict:
        """loads.run_load() with the context's times."""
        return loads.run_load(self.build, running, figure, **{"seconds": self.seconds, "warmup": self.warmup, **arguments})
