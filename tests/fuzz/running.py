"""One run of the program in this process, and checks of its output."""

from __future__ import annotations

import contextlib
import io
import json
import re
from collections.abc import Iterator, Sequence
from xml.etree import ElementTree

from ipt_explain.cli.main import run

# Characters that a terminal acts upon. Our own text has no tabs or carriage returns, either.
_CONTROLS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")
_COMMAND = re.compile(r"##\w*\[")
_JSON = ("json", "sarif", "gitlab")


def complaints(arguments: Sequence[str]) -> list[str]:
    """Run a command line and return what was wrong with the run, regardless of what is wrong with its input."""
    out, err = _Stream(), _Stream()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = run(list(arguments))
    form = next((arguments[place + 1] for place, word in enumerate(arguments) if word == "-o"), "text")
    return list(_complaints(status, out.text(), err.text(), form))


class _Stream(io.TextIOWrapper):
    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="utf-8", errors="backslashreplace", write_through=True, newline="\n")

    def text(self) -> str:
        content = self.buffer.getvalue()  # type: ignore[attr-defined]
        return bytes(content).decode("utf-8")


def _complaints(status: int, out: str, err: str, form: str) -> Iterator[str]:
    if status not in (0, 1, 2):
        yield f"status {status}"
    for sign in ("Traceback", "internal error", "could not be checked ("):
        yield from (line for line in f"{err}\n{out}".split("\n") if sign in line)
    for name, text in (("output", out), ("error", err)):
        if _CONTROLS.search(text):
            yield f"a control character in {name}: {_CONTROLS.search(text)!r}"
        for line in text.split("\n"):
            if (line.lstrip().startswith("::") and not (name == "output" and form == "github")) or _COMMAND.search(line):
                yield f"a CI system would obey: {line[:200]!r}"
                break
    if status in (0, 1) and out and form in _JSON:
        try:
            json.loads(out)
        except ValueError as error:
            yield f"no JSON: {error}"
    if status in (0, 1) and out and form in ("junit", "graphml"):
        try:
            ElementTree.fromstring(out)
        except ElementTree.ParseError as error:
            yield f"no XML: {error}"
