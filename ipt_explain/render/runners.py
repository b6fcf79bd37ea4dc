"""Output that no CI system takes for a command.

The runner of GitHub Actions obeys lines that begin with `::` after blanks (`::stop-commands::`, `::add-mask::`) and, in
its old form, `##[name]` anywhere in a line (ActionCommand.cs of actions/runner); Azure Pipelines `##vso[…]` and
TeamCity `##teamcity[…]` anywhere. A chain's name or a comment may hold any of them, so one sign of each is written as
an escape: of the output's own language, where it has one, so that its reader gets the text as it was.
"""

from __future__ import annotations

from ipt_explain.patterns import lazy_pattern

# Colours may precede a line's text, and part it.
_FIRST_COLONS = lazy_pattern(r"\n(?:[^\S\n]|\x1b\[[0-9;]*m)*:(?=(?:\x1b\[[0-9;]*m)*:)")
_HASHES = lazy_pattern(r"##(?=\w*\[)")

_ESCAPES = {"{": ("\\u003a", "\\u0023"), "[": ("\\u003a", "\\u0023"), "<": ("&#58;", "&#35;")}
_IN_TEXT = ("\\x3a", "\\x23")


class Disarmer:
    """Disarms a text that comes in pieces of whole lines, or of whole members of an array of JSON; the first piece
    tells JSON (`{`, `[`) and XML (`<`) from text.

    With `annotations`, lines may begin with `::`, as those that tell GitHub of findings do.
    """

    def __init__(self, annotations: bool = False) -> None:
        self._annotations = annotations
        self._escapes: tuple[str, str] | None = None

    def disarm(self, lines: str) -> str:
        """The same lines, none of which is a command."""
        if self._escapes is None and lines:
            self._escapes = _ESCAPES.get(lines.lstrip()[:1], _IN_TEXT)
        colon, hash_sign = self._escapes or _IN_TEXT
        if ("::" in lines or "\x1b" in lines) and not self._annotations:
            lines = _FIRST_COLONS.sub(lambda found: found[0][:-1] + colon, f"\n{lines}")[1:]
        if "##" in lines:
            lines = _HASHES.sub(f"#{hash_sign}".replace("\\", r"\\"), lines)
        return lines


def disarmed(text: str) -> str:
    """A text of whole lines for people, none of which is a command."""
    return Disarmer().disarm(text)
