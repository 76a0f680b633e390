"""A file system of a few megabytes, in memory, that can be filled up.

    NOT_POSSIBLE = small_disk.enter_own_namespace()    # At the beginning of the program.

Mounts are made in a namespace of this program's own, so that nothing is left of them however it ends."""

import os
import pathlib
import subprocess
import sys

_INSIDE = "HAPAX_OWN_MOUNTS"
_BLOCK = b"b" * 4096


def enter_own_namespace() -> str:
    """Starts this program over where it may mount. If that is not possible here: goes on, and says why."""
    if _INSIDE in os.environ:
        return ""
    said = ""
    for flags in (["--mount"], ["--mount", "--map-root-user"]):
        tried = subprocess.run(["unshare", *flags, "mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", "/mnt"],
                               capture_output=True, text=True, check=False)
        if tried.returncode == 0:
            os.environ[_INSIDE] = "1"
            os.execvp("unshare", ["unshare", *flags, sys.executable, *sys.argv])
        said = tried.stderr.strip()
    return f"this process may not mount a file system: {said}"


class SmallDisk:
    def __init__(self, path: pathlib.Path, megabytes: int):
        path.mkdir(parents=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(path)], check=True)
        self.path = path
        self._ballast = path / "ballast"

    def fill(self) -> None:
        """Takes all the space there is."""
        with open(self._ballast, "ab", buffering=0) as ballast:
            try:
                while ballast.write(_BLOCK) == len(_BLOCK):
                    pass
            except OSError:
                pass

    def free(self) -> None:
        """Gives back what fill() took."""
        self._ballast.unlink()

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.path)], check=True)
