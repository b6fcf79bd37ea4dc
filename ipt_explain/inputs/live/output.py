"""The output of the tools so far."""

from __future__ import annotations

from ipt_explain.inputs.files import InputText
from ipt_explain.records import Record, field


class ToolOutput(Record, frozen=False):
    """The texts read so far. `ran` are the tools with output; `lacks_rights` says that one of them needed root."""

    inputs: list[InputText] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lacks_rights: bool = False

    def add(self, name: str, text: str, label: str = "") -> None:
        """Add a tool's output."""
        self.ran.append(label or name)
        self.inputs.append(InputText(name, text))
