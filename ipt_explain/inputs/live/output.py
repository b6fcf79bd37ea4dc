"""The output of the tools so far."""

from __future__ import annotations

from ipt_explain.inputs.files import InputText
from ipt_explain.inputs.live.running import Refused
from ipt_explain.records import Record, field


class Failure(Record):
    """A tool whose rules are unknown, and its message."""

    name: str
    reason: str


class ToolOutput(Record, frozen=False):
    """The texts read so far. `ran` are the tools with output, `failed` those whose rules are unknown; `lacks_rights`
    says that one of these needed root."""

    inputs: list[InputText] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    failed: list[Failure] = field(default_factory=list)
    lacks_rights: bool = False

    def refused(self, name: str, refusal: Refused) -> None:
        """Note that a tool which shows rules failed, or was not run."""
        self.lacks_rights |= refusal.for_rights
        if refusal.needless:
            self.notes.append(f"{name}: {refusal}")
        else:
            self.failed.append(Failure(name, str(refusal)))

    def add(self, name: str, text: str, label: str = "") -> None:
        """Add a tool's output."""
        self.ran.append(label or name)
        self.inputs.append(InputText(name, text))
