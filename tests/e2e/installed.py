"""Hapax as it is installed, and projects that are built against it."""

import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
BUILD = os.environ.get("HAPAX_BUILD_DIR") or sys.exit("HAPAX_BUILD_DIR: set it to a build directory of Hapax")
FLAVOURS = ("static", "shared")


def attempt(*command, **kwargs) -> subprocess.CompletedProcess:
    return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                          timeout=600, **kwargs)


def run(*command, **kwargs) -> str:
    ended = attempt(*command, **kwargs)
    if ended.returncode != 0:
        raise AssertionError(f"{command}: exit code {ended.returncode}\n{ended.stdout[-4000:]}\n{ended.stderr[-4000:]}")
    return ended.stdout


def install(prefix: pathlib.Path) -> None:
    run("cmake", "--install", BUILD, "--prefix", prefix)


class Project:
    """A copy of a project, outside the tree, so that nothing is found that was not installed."""

    def __init__(self, source: pathlib.Path, scratch: pathlib.Path, prefix: pathlib.Path, below: str = ""):
        """`below`: where in `source` the CMakeLists.txt is."""
        self.build_dir = scratch / f"{source.name}-build"
        self._source = scratch / source.name / below
        self._prefix = prefix
        run("cp", "-r", source, scratch / source.name)

    def configuring(self, *settings: str) -> subprocess.CompletedProcess:
        return attempt("cmake", "-S", self._source, "-B", self.build_dir, "-G", "Ninja",
                       f"-DCMAKE_PREFIX_PATH={self._prefix}",
                       "-DCMAKE_CXX_FLAGS=" + os.environ.get("HAPAX_CXX_FLAGS", ""), *settings)

    def build(self, flavour: str = "static", *settings: str) -> pathlib.Path:
        """Builds against the flavour, and returns where what was built is kept. Another flavour is only linked anew."""
        ended = self.configuring("-DHAPAX_SHARED=" + ("ON" if flavour == "shared" else "OFF"), *settings)
        if ended.returncode != 0:
            raise AssertionError(f"{self._source}: {ended.stdout[-4000:]}\n{ended.stderr[-4000:]}")
        run("cmake", "--build", self.build_dir)
        kept = self.build_dir.with_name(f"{self.build_dir.name}-{flavour}")
        kept.mkdir()
        run("cp", *(file for file in self.build_dir.iterdir() if file.is_file() and os.access(file, os.X_OK)), kept)
        return kept


def libraries_of(program: pathlib.Path) -> str:
    """The names of the shared libraries that it is linked with."""
    return run("readelf", "-d", program)
