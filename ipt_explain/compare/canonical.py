"""A rule as text without counters and comments."""

from __future__ import annotations

from ipt_explain.model import Option, Rule, Shape

_Piece = str | int
"""Literal text, or the slot of a value."""


class RuleTexts:
    """Writes rules without comments, with the work per shape done once."""

    def __init__(self) -> None:
        self._templates: dict[Shape, tuple[str, list[int]]] = {}

    def text(self, rule: Rule) -> str:
        """The rule as `-A CHAIN …`, without comments."""
        return f"-A {rule.chain}{self.body(rule)}"

    def body(self, rule: Rule) -> str:
        """The rule without `-A CHAIN`: conditions and target."""
        template, slots = self._templates.get(rule.shape) or self._template(rule.shape)
        values = rule.values
        return template % tuple([values[slot] for slot in slots])

    def _template(self, shape: Shape) -> tuple[str, list[int]]:
        pieces = _pieces(shape)
        text = "".join(piece.replace("%", "%%") if isinstance(piece, str) else "%s" for piece in pieces)
        found = self._templates[shape] = text, [piece for piece in pieces if isinstance(piece, int)]
        return found


def _pieces(shape: Shape) -> list[_Piece]:
    pieces: list[_Piece] = []
    for option in shape.core:
        _add(pieces, option)
    for match in shape.matches:
        if match.module != "comment":
            pieces.append(f" -m {match.module}")
            for option in match.options:
                _add(pieces, option)
    target = shape.target
    if target is not None:
        pieces.append(f" {target.kind.value} ")
        pieces.append(target.name if target.slot is None else target.slot)  # type: ignore[arg-type]
        for option in target.options:
            _add(pieces, option)
    return pieces


def _add(pieces: list[_Piece], option: Option) -> None:
    pieces.append(f" ! {option.name}" if option.negated else f" {option.name}")
    for slot in option.slots:
        pieces += (" ", slot)
