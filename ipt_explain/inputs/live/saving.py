"""Saving the output of `--live` as one file, to look up line numbers and to explain the node again elsewhere."""

from __future__ import annotations

from datetime import datetime, timezone

from ipt_explain.inputs.files import InputText
from ipt_explain.inputs.live.reading import LiveRules

_HEADING = "# Saved by ipt-explain --live"


def as_one_file(rules: LiveRules, path: str) -> InputText:
    """The output of all tools, below a heading that names those that failed, as the text of the file at `path`."""
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    parts = (given.text if given.text.endswith("\n") else f"{given.text}\n" for given in rules.inputs)
    failed = (f"# {each.name} failed: {each.reason}\n" for each in rules.failed)
    return InputText(path, f"{_HEADING} at {now}\n{''.join(failed)}{''.join(parts)}")


def is_such_a_file(head: bytes) -> bool:
    """Whether a file with this beginning was written by an earlier run."""
    return head.startswith(_HEADING.encode())
