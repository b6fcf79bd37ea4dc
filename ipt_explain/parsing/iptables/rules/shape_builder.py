"""From a rule's parse tree to its shape: what belongs to which match, and how iptables-save would print it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from lark import Token, Tree

from ipt_explain.errors import NEGATED_TWICE, RuleSyntaxError
from ipt_explain.model import Command, Hidden, Match, Option, Shape, Target, TargetKind
from ipt_explain.parsing.iptables.parts import Part, RuleOpening, shape_of
from ipt_explain.parsing.iptables.rules.value_patterns import is_value
from ipt_explain.records import Record, field

_COMMANDS = {
    "APPEND": Command.APPEND,
    "INSERT": Command.INSERT,
    "DELETE": Command.DELETE,
    "REPLACE": Command.REPLACE,
}
_OWN_NAMES = {
    "IPV4_ONLY": "-4",
    "IPV6_ONLY": "-6",
    "SOURCE": "-s",
    "DESTINATION": "-d",
    "IN_INTERFACE": "-i",
    "OUT_INTERFACE": "-o",
    "PROTO": "-p",
    "FRAGMENT": "-f",
    "SET_COUNTERS": "-c",
}
"""The short forms of a rule's own options."""

_DEPENDING = ("BACK", "OPTION", "EMPTY")
"""Tokens that mean something only together with other parts of the rule."""


def build_shape(tree: Tree[Token], slots: Mapping[int, int]) -> Shape:
    """The shape of a parsed rule; equal forms give the same object. `slots` numbers the values by where they start.

    Raises RuleSyntaxError for what the grammar cannot refuse: a second target, an option of the rule given or negated
    twice.
    """
    draft = _Draft(slots)
    draft.read(tree)
    return draft.shape()


def placed_parts(tree: Tree[Token], shape: Shape) -> tuple[tuple[int, Part], ...]:
    """The parts of a rule, each with where it begins in the text. Empty if a part depends on others: the parser went
    back to a module, or does not know one."""
    core, matches = iter(shape.core), iter(shape.matches)
    parts: list[tuple[int, Part]] = []
    for child in _subtrees(tree):
        tokens = list(child.scan_values(lambda each: isinstance(each, Token)))
        start = tokens[0].start_pos
        if start is None or any(token.type in _DEPENDING for token in tokens):
            return ()
        if child.data == "command":
            parts.append((start, RuleOpening(shape.command, shape.rulenum_slot)))
        elif child.data == "own":
            parts.append((start, next(core)))
        elif child.data == "match":
            parts.append((start, next(matches)))
        elif child.data == "target" and shape.target is not None:
            parts.append((start, shape.target))
        else:
            return ()
    return tuple(parts)


LEFT_OUT = "..."
"""The name of a match in place of conditions that a person left out."""


class _Loaded(Record, frozen=False):
    """A match while its options are collected; a rule may come back to it."""

    module: str
    options: list[Option] = field(default_factory=list)


class _Draft:
    """The parts of a shape while the tree is read."""

    def __init__(self, slots: Mapping[int, int]) -> None:
        self._slots = slots
        self._command = Command.APPEND
        self._rulenum: int | None = None
        self._own: list[Option] = []
        self._matches: list[_Loaded] = []
        self._last_of: dict[str, _Loaded] = {}
        self._target: tuple[TargetKind, str | None, int | None] | None = None
        self._target_options: list[Option] = []
        self._last_options = self._target_options
        self._hidden: set[Hidden] = set()

    def read(self, tree: Tree[Token]) -> None:
        """Take all parts of the rule, in the order of its text."""
        for part in _subtrees(tree):
            if part.data == "command":
                self._read_command(_tokens(part))
            elif part.data == "own":
                self._add_own(part)
            elif part.data == "match":
                self._read_match(part)
            elif part.data == "target":
                self._read_target(part)
            else:
                self._last_options.append(self._option(part))
                self._hidden.add(Hidden.CONDITIONS if self._target is None else Hidden.TARGET)

    def _read_command(self, tokens: list[Token]) -> None:
        self._command = _COMMANDS[tokens[0].type]
        if len(tokens) > 2:
            self._rulenum = self._slot(tokens[2])

    def _add_own(self, part: Tree[Token]) -> None:
        option = self._option(part)
        if any(option.name == other.name for other in self._own):
            token = next(token for token in _tokens(part) if token.type in _OWN_NAMES)
            raise _refusal(token, f"{option.name} is given twice")
        self._own.append(option)

    def _read_match(self, part: Tree[Token]) -> None:
        opening, name = _tokens(part)[:2]
        match = self._last_of.get(str(name)) if _is_return(opening) else None
        if match is None:
            match = self._last_of[str(name)] = _Loaded(str(name))
            self._matches.append(match)
        if name == LEFT_OUT:
            self._hidden.add(Hidden.CONDITIONS)
        self._read_options(part, match.options)

    def _read_target(self, part: Tree[Token]) -> None:
        opening, name = _tokens(part)[:2]
        if not _is_return(opening):
            if self._target is not None:
                raise _refusal(opening, "a rule has one target, and this is a second one")
            kind = TargetKind.GOTO if opening.type == "GOTO" else TargetKind.JUMP
            known = not is_value(name.type)
            self._target = (kind, str(name), None) if known else (kind, None, self._slot(name))
        self._read_options(part, self._target_options)

    def _read_options(self, part: Tree[Token], options: list[Option]) -> None:
        options.extend(map(self._option, _subtrees(part)))
        self._last_options = options

    def _option(self, part: Tree[Token]) -> Option:
        negated = False
        name = ""
        slots: list[int] = []
        for token in _tokens(part):
            if token.type == "NOT":
                if negated:
                    raise _refusal(token, NEGATED_TWICE)
                negated = True
            elif is_value(token.type):
                slots.append(self._slot(token))
            else:
                name = _OWN_NAMES.get(token.type, str(token))
        return Option(name, negated, tuple(slots))

    def _slot(self, token: Token) -> int:
        return self._slots[value_start(token)]

    def shape(self) -> Shape:
        """The finished shape, interned."""
        parts: list[Part] = [RuleOpening(self._command, self._rulenum), *self._own]
        parts += [Match(match.module, tuple(match.options)) for match in self._matches]
        if self._target is not None:
            parts.append(Target(*self._target, tuple(self._target_options)))
        return shape_of(parts, frozenset(self._hidden))


def _is_return(opening: Token) -> bool:
    """Whether the parser inserted this `-m` or `-j` to come back to a module, so that it is not in the text."""
    return opening.start_pos is None


def value_start(token: Token) -> int:
    """Where the value of a token starts. The token of an empty value is the blank before it."""
    position = token.end_pos if token.type == "EMPTY" else token.start_pos
    assert position is not None
    return position


def _subtrees(tree: Tree[Token]) -> Iterator[Tree[Token]]:
    return (child for child in tree.children if isinstance(child, Tree))


def _tokens(tree: Tree[Token]) -> list[Token]:
    return [child for child in tree.children if isinstance(child, Token)]


def _refusal(token: Token, message: str) -> RuleSyntaxError:
    return RuleSyntaxError((token.start_pos or 0) + 1, len(token), message)
