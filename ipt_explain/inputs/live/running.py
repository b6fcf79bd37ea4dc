"""Running one tool: its output, or why it failed."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence

from ipt_explain.inputs.limits import INPUT_BYTES, amount_text
from ipt_explain.inputs.tools import TooLate, TooMuch, run_tool

_OWN_NAME = re.compile(r"\A(?:ip6?tables(?:-legacy|-nft)?-save|nft)(?: v\S+)?(?: \([a-z_]+\))?: ")


class Refused(Exception):
    """A tool failed; `for_rights` if it would work as root. Or it was `needless` and not run."""

    def __init__(self, reason: str, for_rights: bool = False, needless: bool = False) -> None:
        super().__init__(reason)
        self.for_rights = for_rights
        self.needless = needless


def output_of(command: Sequence[str], timeout: float) -> tuple[str, list[str]]:
    """A command's standard output and its warnings. Raises Refused; `timeout` is in seconds."""
    try:
        done = run_tool(command, timeout, INPUT_BYTES.value(), {**os.environ, "LC_ALL": "C"})
    except TooLate:
        raise Refused(f"no answer within {timeout:g} seconds") from None
    except TooMuch:
        most = amount_text(INPUT_BYTES.value(), INPUT_BYTES.unit)
        raise Refused(f"it printed more than {most}; {INPUT_BYTES.variable} sets another limit") from None
    except OSError as error:
        raise Refused(f"cannot be run: {error.strerror}") from None
    warnings = [line for line in done.complaints.decode("utf-8", "replace").splitlines() if line.strip()]
    if done.status != 0:
        reason = _OWN_NAME.sub("", warnings[0]) if warnings else f"it ended with status {done.status}"
        raise Refused(reason, for_rights="ermission denied" in reason or "not permitted" in reason)
    return done.output.decode("utf-8", "surrogateescape"), warnings
