"""What `--live` read, kept in one file: line numbers then have lines, and the node can be explained again elsewhere."""

from __future__ import annotations

from datetime import datetime, timezone

from ipt_explain.inputs.files import InputText
from ipt_explain.inputs.live.reading import LiveRules
from ipt_explain.outputs import write_file

_HEADING = "# Saved by ipt-explain --live"


def saved(rules: LiveRules, path: str) -> InputText:
    """Write what the tools printed, one after the other, and return it as the text of that file.

    Such a file of an earlier run is replaced, another is not. Raises UsageError where it cannot be written.
    """
    now = datetime.now(timezone.utc).isoformat(timespec="seconds")
    parts = [f"{_HEADING} at {now}\n", *(_ended(given.text) for given in rules.inputs)]
    write_file(
        path, parts, may_replace=lambda head: head.startswith(_HEADING.encode()), otherwise="save to another file"
    )
    return InputText(path, "".join(parts))


def _ended(text: str) -> str:
    return text if text.endswith("\n") else f"{text}\n"
