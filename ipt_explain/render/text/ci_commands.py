"""Output without the commands that CI systems would run.

The runner of GitHub Actions obeys lines that begin with `::` after blanks (`::stop-commands::`, `::add-mask::`) and, in
the old form, `##[name]` anywhere in a line (ActionCommand.cs of actions/runner); Azure Pipelines obeys `##vso[…]` and
TeamCity `##teamcity[…]` anywhere. A chain's name or a comment may hold any of them, so one character of each is
escaped. JSON and XML get escapes of their own, so that their readers see the original text.
"""

from __future__ import annotations

from ipt_explain.patterns import lazy_pattern

# Colour codes may come before and between the colons.
_FIRST_COLONS = lazy_pattern(r"\n(?:[^\S\n]|\x1b\[[0-9;]*m)*:(?=(?:\x1b\[[0-9;]*m)*:)")
_HASHES = lazy_pattern(r"##(?=\w*\[)")

_ESCAPES = {"{": ("\\u003a", "\\u0023"), "[": ("\\u003a", "\\u0023"), "<": ("&#58;", "&#35;")}
_IN_TEXT = ("\\x3a", "\\x23")


class Disarmer:
    """Disarms a text that comes in pieces of whole lines, or of whole members of a JSON array. The first character of
    the first piece says whether it is JSON (`{`, `[`), XML (`<`) or text.

    With `annotations`, lines may begin with `::`, as GitHub's annotations do.
    """

    def __init__(self, annotations: bool = False) -> None:
        self._annotations = annotations
        self._escapes: tuple[str, str] | None = None

    def disarm(self, lines: str) -> str:
        """The lines with commands escaped."""
        if self._escapes is None and lines:
            self._escapes = _ESCAPES.get(lines.lstrip()[:1], _IN_TEXT)
        colon, hash_sign = self._escapes or _IN_TEXT
        # It would take long to look for pairs of colons in a large document on one line.
        begins_with_none = "\n" not in lines and lines.lstrip()[:1] not in (":", "\x1b")
        if not (self._annotations or begins_with_none) and ("::" in lines or "\x1b" in lines):
            lines = _FIRST_COLONS.sub(lambda found: found[0][:-1] + colon, f"\n{lines}")[1:]
        if "#" in lines:
            lines = _HASHES.sub(f"#{hash_sign}".replace("\\", r"\\"), lines)
        return lines


def disarmed(text: str) -> str:
    """A text of whole lines for people with commands escaped."""
    return Disarmer().disarm(text)
