"""What the tools have said so far."""

from __future__ import annotations

from ipt_explain.inputs.files import InputText
from ipt_explain.records import dataclass, field


@dataclass(slots=True)
class Harvest:
    """What was read so far. `ran` are the tools that had something to say; `lacks_rights` tells that one was refused
    what root may do."""

    inputs: list[InputText] = field(default_factory=list)
    ran: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    lacks_rights: bool = False

    def add(self, name: str, text: str, label: str = "") -> None:
        """A tool's output."""
        self.ran.append(label or name)
        self.inputs.append(InputText(name, text))
