#!/usr/bin/env python3
"""A quick measurement of the call path: bare echo, replay and first execution, in one run, interleaved.

Usage: bench/measure.py BUILD_DIR [--seconds N] [--repeats N] [--log-level LEVEL]

Each figure is the median of the repeats, its ratio that of the pairs measured right after one another.
"""
import argparse
import json
import os
import pathlib
import signal
import statistics
import subprocess
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent
START_TIMEOUT_LINES = 10
TICK = os.sysconf("SC_CLK_TCK")
IN_FLIGHT = (1, 64, 256)

# Room for every call of a run: the built-in quotas are for people, not for load.
CATALOG = """
regions { name: "us-east-1" zones { name: "us-east-1a" vcpus: 1000000000
  subnets { id: "subnet-bench" cidr_block: "10.0.0.0/8" } } }
image_ids: "ami-b232d0db"
instance_types { name: "m5.large" vcpus: 2 instances_per_host: 48 }
default_instance_type: "m5.large"
quota { instances: 1000000000 hosts: 1 }
"""


class Server:
    def __init__(self, *command):
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        for _ in range(START_TIMEOUT_LINES):
            line = self.process.stdout.readline()
            if "listening on " in line:
                self.address = line.split("listening on ")[1].strip()
                return
        raise RuntimeError(f"{command[0]} did not start")

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(timeout=120)


def measure(build, server, in_flight, seconds, new_tokens):
    before = server.cpu_seconds()
    output = subprocess.run(
        [build / "bench_load", f"--target={server.address}", f"--in_flight={in_flight}", f"--duration={seconds}s",
         f"--new_tokens={str(new_tokens).lower()}"],
        check=True, stdout=subprocess.PIPE, text=True, timeout=60 + 10 * seconds).stdout
    result = json.loads(output)
    # The warm-up's calls count too: the CPU time is that of the whole run.
    total_calls = result["calls"] * 1.2
    result["cpu_us"] = (server.cpu_seconds() - before) / max(total_calls, 1) * 1e6
    return result


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--log-level", default="info")
    options = parser.parse_args()
    build = options.build.resolve()
    with tempfile.TemporaryDirectory(prefix="hapax-bench-") as scratch, open(f"{scratch}/log", "w") as log:
        catalog = pathlib.Path(scratch) / "catalog.textproto"
        catalog.write_text(CATALOG)
        echo = Server(build / "bench_echo")
        os.dup2(log.fileno(), 2)  # The call log goes to a file, as in production.
        hapax = Server(build / "hapaxd", "--listen_address=127.0.0.1:0", f"--data_dir={scratch}/data",
                       f"--catalog_file={catalog}", f"--log_level={options.log_level}")
        try:
            print(f"{'figure':<16} {'in flight':>9} {'rps':>8} {'echo rps':>9} {'ratio':>6} {'p50 us':>7} {'p99 us':>7}"
                  f" {'cpu us':>7} {'echo cpu us':>12}")
            for in_flight in IN_FLIGHT:
                for figure, new_tokens in (("replay", False), ("first_execution", True)):
                    pairs = []
                    for _ in range(options.repeats):
                        ceiling = measure(build, echo, in_flight, options.seconds, new_tokens)
                        pairs.append((measure(build, hapax, in_flight, options.seconds, new_tokens), ceiling))
                    median = lambda pick: statistics.median(pick(pair) for pair in pairs)
                    print(f"{figure:<16} {in_flight:>9} {median(lambda p: p[0]['rps']):>8.0f}"
                          f" {median(lambda p: p[1]['rps']):>9.0f} {median(lambda p: p[0]['rps'] / p[1]['rps']):>6.2f}"
                          f" {median(lambda p: p[0]['p50_us']):>7.0f} {median(lambda p: p[0]['p99_us']):>7.0f}"
                          f" {median(lambda p: p[0]['cpu_us']):>7.1f} {median(lambda p: p[1]['cpu_us']):>12.1f}", flush=True)
        finally:
            hapax.stop()
            echo.stop()


if __name__ == "__main__":
    main()
