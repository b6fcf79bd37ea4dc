"""What was done to the lines of a paste, for warnings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ipt_explain.words import counted
from ipt_explain.words.line_numbers import line_numbers

_ADDED = "additions of a log, a list or a page around rules were ignored"


class PasteNotes:
    """Numbers of lines that were `left_out`, are `rows` of a listing without its chain, are `joints` of a wrapped rule
    with what follows, are `unreadable` without the shell, or are `sentences` with a rule in them; `half` is the number
    of the one that the text ends in; how many rules were inside something else (`unwrapped`), and how many lines got
    each of the `repairs`."""

    def __init__(self) -> None:
        self.left_out: list[int] = []
        self.rows: list[int] = []
        self.sentences: list[int] = []
        self.half: int | None = None
        self.joints: set[int] = set()
        self.unreadable: list[int] = []
        self.unwrapped = 0
        self.repairs: Counter[str] = Counter()

    def warnings(self, name: str, from_commands: bool) -> Iterator[str]:
        """What to say of the text `name`. `from_commands`: some rules were made by commands in it."""
        if self.left_out:
            yield f"{name}: left out {line_numbers(sorted(self.left_out))}: text around rules"
        if self.sentences:
            yield (
                f"{name}: left out {line_numbers(self.sentences)}: a sentence that quotes a rule; if the node has the"
                " rule, put it on a line of its own"
            )
        if self.half is not None:
            yield f"{name}:{self.half}: the text ends inside this line, which was left out"
        if self.rows:
            yield (
                f"{name}: left out {line_numbers(self.rows)} of a listing whose chain is not in the text: give the"
                " listing with its `Chain` lines, or what `iptables-save` prints"
            )
        if self.joints:
            joined = line_numbers(sorted(self.joints))
            yield f"{name}: {joined} wrapped in the middle of a rule: joined with what follows"
        if self.unwrapped:
            yield f"{name}: {counted(self.unwrapped, 'line')}: {_ADDED}"
        for note, count in self.repairs.items():
            yield f"{name}: {counted(count, 'line')}: {note}"
        if self.unreadable:
            yield f"{name}: {line_numbers(self.unreadable)} cannot be read: only the shell knows its variables"
        if from_commands:
            yield f"{name}: rules were taken from commands that add them; only `iptables-save` shows whether they ran"
