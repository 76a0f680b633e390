"""A wall clock that a test sets, for a server in whose environment it is: libfaketime, which leaves the monotonic clock
as it is."""

import os
import pathlib
import shutil
import tempfile

LIBRARIES = sorted(pathlib.Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"))
# libfaketime reads the offset again after so many seconds.
FOLLOWS_S = 1


def missing() -> tuple:
    """Whether there is none, and why, as unittest.skipIf takes it."""
    if not LIBRARIES:
        return True, "libfaketime is not installed"
    # A sanitizer has to be the first library, and intercepts the same functions.
    return bool(os.environ.get("HAPAX_SANITIZERS")), "not together with a sanitizer"


class WrongClock:
    """A clock that is right until it is set. `environment` is for the processes that have it; a process that runs
    follows within FOLLOWS_S."""

    def __init__(self):
        self._dir = pathlib.Path(tempfile.mkdtemp(prefix="hapax-clock-"))
        self._file = self._dir / "offset"
        self.environment = {"LD_PRELOAD": str(LIBRARIES[0]), "FAKETIME_TIMESTAMP_FILE": str(self._file),
                            "FAKETIME_DONT_FAKE_MONOTONIC": "1", "FAKETIME_CACHE_DURATION": str(FOLLOWS_S)}
        self.set(0)

    def set(self, ahead_s: float) -> None:
        """From now on it is ahead by so much."""
        new = self._dir / "new"
        new.write_text(f"{ahead_s:+}\n")
        new.replace(self._file)

    def close(self) -> None:
        shutil.rmtree(self._dir, ignore_errors=True)
