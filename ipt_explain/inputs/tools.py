"""Finding and running programs, with limits on their time and output."""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
import time
from collections.abc import Mapping, Sequence

from ipt_explain.records import Record

_CHUNK = 1 << 16
_MOST_COMPLAINTS = 1 << 16


class Printed(Record):
    """A program's output and exit status. `complaints` are up to 64 KiB of its standard error."""

    status: int
    output: bytes
    complaints: bytes


class TooLate(Exception):
    """A program did not end in time."""


class TooMuch(Exception):
    """A program printed too much."""


def find_tool(name: str, search_path: str | None = None) -> str | None:
    """The path of a program, or None. Only absolute entries of PATH (or `search_path`) count: empty and relative ones
    mean the working directory, which may be untrusted."""
    entries = (os.environ.get("PATH", os.defpath) if search_path is None else search_path).split(os.pathsep)
    return shutil.which(name, path=os.pathsep.join(filter(os.path.isabs, entries)) or os.devnull)


def run_tool(
    command: Sequence[str], timeout: float, most: int, environment: Mapping[str, str] | None = None
) -> Printed:
    """Run a program without input, for at most `timeout` seconds, and read up to `most` bytes of its output.

    Raises TooLate or TooMuch after killing it, or OSError if it cannot be run.
    """
    deadline = time.monotonic() + timeout
    texts = {"stdout": bytearray(), "stderr": bytearray()}
    with (
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment
        ) as process,
        selectors.DefaultSelector() as selector,
    ):
        try:
            for name in texts:
                selector.register(getattr(process, name), selectors.EVENT_READ, texts[name])
            while selector.get_map():
                ready = selector.select(max(0.0, deadline - time.monotonic()))
                if not ready:
                    raise TooLate
                for key, _ in ready:
                    chunk = os.read(key.fd, _CHUNK)
                    if not chunk:
                        selector.unregister(key.fileobj)
                    elif key.data is texts["stdout"] or len(key.data) < _MOST_COMPLAINTS:
                        key.data.extend(chunk)
                if len(texts["stdout"]) > most:
                    raise TooMuch
            status = process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            raise TooLate from None
        finally:
            if process.returncode is None:
                process.kill()
    return Printed(status, bytes(texts["stdout"]), bytes(texts["stderr"][:_MOST_COMPLAINTS]))
