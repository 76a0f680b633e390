"""The measured systems: Hapax, the bare echo that is its upper limit, and the peers, behind one interface."""

import pathlib
from typing import NamedTuple, Optional

from processes import ServerProcess

# The kinds of calls: see load.cc.
FIGURES = ("first_execution", "replay", "unprotected", "read")


class Running(NamedTuple):
    """A started system."""

    # HOST:PORT for gRPC, or HOST:PORT/PATH for POST.
    target: str
    # `grpc`; `http1`: JSON with an Idempotency-Key header; or `ec2`: EC2's query API.
    protocol: str
    # The processes whose CPU time, with that of all descendants, is the cost of a call: the service and its store of
    # tokens.
    pids: list
    # What is called: `launch`, RunInstances of compute; or `post`, Post of the bench's own ledger.
    mutation: str = "launch"


class System:
    """A system that can be measured, made with the build directory. It is stopped after each start, even after an
    error."""

    # The name for `--only` and in the JSON.
    name: str
    # The figures that it can answer.
    figures: tuple = FIGURES

    def unavailable(self) -> Optional[str]:
        """Why it cannot be measured here, such as a missing program; None if it can."""
        return None

    def version(self) -> str:
        """Its name in the report, such as `redis 7.0.15`."""
        return self.name

    def start(self, scratch: pathlib.Path) -> Running:
        """Starts it on free ports of 127.0.0.1, with all its data and logs in `scratch`, an empty directory."""
        raise NotImplementedError

    def stop(self) -> None:
        """Ends every process that start() started, if any."""
        raise NotImplementedError


# Room for every call of a run; the built-in quotas are too small for a load.
CATALOG = """
regions { name: "us-east-1" zones { name: "us-east-1a" vcpus: 1000000000
  subnets { id: "subnet-bench" cidr_block: "10.0.0.0/8" } } }
image_ids: "ami-b232d0db"
instance_types { name: "m5.large" vcpus: 2 instances_per_host: 48 }
default_instance_type: "m5.large"
quota { instances: 1000000000 hosts: 1 }
"""


class Hapax(System):
    """hapaxd as in production: it logs to a file, at the default level."""

    name = "hapax"

    def __init__(self, build: pathlib.Path, *flags: str):
        self._build = build
        self.flags = flags
        self.process: Optional[ServerProcess] = None

    def start(self, scratch: pathlib.Path) -> Running:
        """Uses the data of an earlier start in `scratch`, if any."""
        catalog = scratch / "catalog.textproto"
        catalog.write_text(CATALOG)
        self.process = ServerProcess(
            self._build / "hapaxd", "--listen_address=127.0.0.1:0", f"--data_dir={scratch / 'data'}",
            f"--catalog_file={catalog}", *self.flags, stderr=scratch / "hapaxd.log")
        return Running(self.process.address, "grpc", [self.process.pid])

    def stop(self) -> None:
        if self.process is not None:
            process, self.process = self.process, None
            process.stop()

    def kill(self) -> None:
        """Sends SIGKILL, to simulate a crash."""
        if self.process is not None:
            process, self.process = self.process, None
            process.kill()


class Ledger(Hapax):
    """The bench's own service on hapax::Server: a post is one row and its record."""

    figures = ("first_execution", "replay")

    def start(self, scratch: pathlib.Path) -> Running:
        """Uses the data of an earlier start in `scratch`, if any."""
        self.process = ServerProcess(self._build / "bench_ledger", f"--data_dir={scratch / 'data'}", *self.flags,
                                     stderr=scratch / "bench_ledger.log")
        return Running(self.process.address, "grpc", [self.process.pid], "post")


class Echo(System):
    """The upper limit: a bare gRPC callback server with prepared replies, as large as Hapax's to posts, or to launches
    of this size."""

    name = "echo"

    def __init__(self, build: pathlib.Path, instances: int = 1, mutation: str = "launch"):
        self._build = build
        self._instances = instances
        self._mutation = mutation
        self._process: Optional[ServerProcess] = None

    def start(self, scratch: pathlib.Path) -> Running:
        self._process = ServerProcess(self._build / "bench_echo", f"--instances={self._instances}",
                                      stderr=scratch / "echo.log")
        return Running(self._process.address, "grpc", [self._process.pid], self._mutation)

    def stop(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.stop()


class Ec2Door(Hapax):
    """hapaxd, called through its door for EC2's API."""

    name = "hapax_ec2"
    figures = ("first_execution", "replay")

    def __init__(self, build: pathlib.Path):
        super().__init__(build, "--http_address=127.0.0.1:0")

    def start(self, scratch: pathlib.Path) -> Running:
        return super().start(scratch)._replace(target=self.process.http_address, protocol="ec2")


class HttpEcho(System):
    """The upper limit of a door: a bare server on the library of Hapax's HTTP, with a prepared reply, as large as that
    to a launch."""

    name = "http_echo"
    figures = ("first_execution", "replay")

    def __init__(self, build: pathlib.Path):
        self._build = build
        self._process: Optional[ServerProcess] = None

    def start(self, scratch: pathlib.Path) -> Running:
        self._process = ServerProcess(self._build / "bench_http_echo", stderr=scratch / "http_echo.log")
        return Running(self._process.address, "ec2", [self._process.pid])

    def stop(self) -> None:
        if self._process is not None:
            process, self._process = self._process, None
            process.stop()
