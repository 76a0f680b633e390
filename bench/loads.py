"""One run of the load generator, with the server's CPU time over the same window."""

import json
import pathlib
import subprocess
import threading

from processes import cpu_seconds
from systems import Running

# How much longer than warm-up and window a run may take: for executing the tokens once, and for the last calls.
GRACE_S = 120


class LoadFailed(RuntimeError):
    """The load generator or one of its calls failed; the reason is on its stderr, which is that of this process."""


def run_load(build: pathlib.Path, running: Running, figure: str, *, seconds: float, in_flight: int = 64,
             warmup: float = 1.0, rate: float = 0, tokens: int = 0, connections: int = 0, instances: int = 1,
             outcome: str = "", flags: dict = None, measuring: threading.Event = None) -> dict:
    """Runs bench_load with these arguments (see its flags; 0 and "" are their defaults) and more `flags`.

    Returns its JSON with `server_cpu_us_per_call` and `server_cores`, the number of cores that the server kept busy.
    Any failed call raises LoadFailed, since it makes the figure invalid. `measuring` is set when the window begins."""
    command = [build / "bench_load", f"--target={running.target}", f"--protocol={running.protocol}",
               f"--mutation={running.mutation}", f"--figure={figure}", f"--duration={seconds}s",
               f"--warmup={warmup}s", f"--in_flight={in_flight}", f"--rate={rate}",
               f"--instances={instances}", f"--expect_outcome={outcome}"]
    if tokens:
        command.append(f"--tokens={tokens}")
    if connections:
        command.append(f"--connections={connections}")
    for name, value in (flags or {}).items():
        command.append(f"--{name}={value}")
    marks = {}
    with subprocess.Popen(["setpriv", "--pdeathsig", "KILL", *map(str, command)], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, text=True) as process:
        watchdog = threading.Timer(warmup + seconds + GRACE_S, process.kill)
        watchdog.start()
        try:
            line = ""
            for line in process.stdout:
                if line.strip() in ("measuring", "measured"):
                    marks[line.strip()] = cpu_seconds(running.pids)
                    if measuring is not None:
                        measuring.set()
            code = process.wait()
        finally:
            watchdog.cancel()
            process.kill()
    if code != 0:
        raise LoadFailed(f"bench_load ended with {code}: {' '.join(map(str, command[1:]))}: {line.strip()}")
    result = json.loads(line)
    cpu = marks["measured"] - marks["measuring"]
    result["server_cpu_us_per_call"] = cpu / result["completed"] * 1e6 if result["completed"] else 0
    result["server_cores"] = cpu / seconds
    return result
