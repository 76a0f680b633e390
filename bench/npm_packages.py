"""Packages of npm, installed beside the builds, which share them."""

import pathlib
import shutil
import subprocess
from typing import Optional

INSTALL_TIMEOUT_S = 300


def home(build: pathlib.Path, name: str) -> pathlib.Path:
    """Where the packages of a peer are installed."""
    return build.resolve().parent / "bench-peers" / name


def install(sources: pathlib.Path, directory: pathlib.Path) -> Optional[str]:
    """Installs what `sources`/package.json names, unless that was done before. Returns why it failed; None if it did
    not."""
    if not shutil.which("npm"):
        return "npm is not installed"
    wanted = (sources / "package.json").read_text()
    done = directory / "installed"
    if done.exists() and done.read_text() == wanted:
        return None
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "package.json").write_text(wanted)
    try:
        subprocess.run(["npm", "install", "--no-package-lock", "--no-audit", "--no-fund", "--loglevel=error"],
                       cwd=directory, check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                       timeout=INSTALL_TIMEOUT_S)
    except (subprocess.SubprocessError, FileNotFoundError) as error:
        return f"npm could not install it: {error}"
    done.write_text(wanted)
    return None
