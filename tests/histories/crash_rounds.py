"""Beside the histories: power cuts and failures of the disk at random operations of random scripts, all in one process
that keeps its disk in memory (tests/server/crash/crash_sweep_test.cc)."""

import os
import re
import subprocess
import threading

ROUNDS_A_RUN = 10
RUN_TIMEOUT_S = 600


class CrashRounds:
    """Runs the test over and over, each time with the next seed, until it is stopped, or the test fails."""

    def __init__(self, program: str, seed: int):
        self.rounds = 0
        self.disasters = 0
        # What the test printed when it failed, with its seed.
        self.failure = ""
        self._program = program
        self._seed = seed
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "CrashRounds":
        self._thread.start()
        return self

    def __exit__(self, *_) -> None:
        self._stopping.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stopping.is_set() and not self.failure:
            environment = {**os.environ, "HAPAX_TEST_SEED": str(self._seed), "HAPAX_TEST_ROUNDS": str(ROUNDS_A_RUN)}
            self._seed += ROUNDS_A_RUN
            try:
                test = subprocess.run([self._program, "--gtest_filter=CrashRandomTest.*"], env=environment, text=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=RUN_TIMEOUT_S, check=False)
            except (OSError, subprocess.TimeoutExpired) as error:
                self.failure = f"HAPAX_TEST_SEED={environment['HAPAX_TEST_SEED']}: {error}"
                return
            done = re.search(r"(\d+) rounds, (\d+) disasters", test.stdout)
            if test.returncode != 0 or done is None:
                self.failure = test.stdout or f"exit code {test.returncode}"
            else:
                self.rounds += int(done[1])
                self.disasters += int(done[2])

    def __str__(self) -> str:
        return f"{self.rounds} scripts with {self.disasters} disasters of the disk, {1 if self.failure else 0} failed"
