"""The output of the tools so far."""

from __future__ import annotations

from ipt_explain.inputs.files import InputText
from ipt_explain.inputs.live.running import Refused
from ipt_explain.records import Record, field


class ToolOutput(Record, frozen=False):
    """The texts read so far. `ran` are the tools with output; `failed` says that one of the others failed,
    `lacks_rights` that it needed root."""

    inputs: list[InputText] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failed: bool = False
    lacks_rights: bool = False

    def refused(self, name: str, refusal: Refused) -> None:
        """Note that a tool which shows rules failed, or was not run."""
        self.failed |= not refusal.needless
        self.lacks_rights |= refusal.for_rights
        self.notes.append(f"{name}: {refusal}")

    def add(self, name: str, text: str, label: str = "") -> None:
        """Add a tool's output."""
        self.ran.append(label or name)
        self.inputs.append(InputText(name, text))
