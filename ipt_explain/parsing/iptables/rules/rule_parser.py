"""One rule's text to its shape and values, by the grammar.

The grammar is that of iptables-save, where options follow their match or target. Input for iptables-restore is
looser: an option may follow another match (`-m tcp -m comment --comment x --dport 80`), a rule's own options
after any (`-m tcp -p tcp`), and a protocol's match need not be loaded at all (`-p tcp --dport 80`). iptables gives an
option to the last loaded match that knows it. So this parser asks Lark for one token after another, and where an option
stands away from its owner, it goes back there first, by feeding Lark `-m tcp` or BACK without any text.
"""

from __future__ import annotations

import re

from lark import Token, Tree
from lark.exceptions import UnexpectedInput
from lark.parsers.lalr_interactive_parser import InteractiveParser

from ipt_explain.errors import NEGATED_TWICE, RuleSyntaxError
from ipt_explain.model import Shape
from ipt_explain.parsing.grammar_files import rule_grammar
from ipt_explain.parsing.iptables.parts import Part
from ipt_explain.parsing.iptables.rules.shape_builder import build_shape, placed_parts, value_start
from ipt_explain.parsing.iptables.rules.syntax_errors import Situation, explain
from ipt_explain.parsing.iptables.rules.value_patterns import is_value, value_pattern
from ipt_explain.parsing.iptables.rules.vocabulary import Module, vocabulary
from ipt_explain.records import Record, replace

__all__ = ["ParsedRule", "RuleSyntaxError", "ValueToken", "parse_rule"]

_OPTION = re.compile(r"[ \t]*(?:![ \t]+)?(-[^ \t\n]*)")

_MAX_WORDS = 1000
"""iptables-restore takes 255 words (`MAX_ARGC` of iptables/xshared.h); more than this is no rule, and costs time."""

_PROTOCOL_MATCHES = {
    "1": "icmp", "6": "tcp", "17": "udp", "33": "dccp", "50": "esp", "51": "ah", "58": "icmp6", "108": "ipcomp",
    "132": "sctp", "135": "mh", "icmpv6": "icmp6", "ipv6-icmp": "icmp6", "ipv6-mh": "mh", "mobility-header": "mh",
}  # fmt: skip
"""Protocols whose match has another name (`find_proto` and `xtables_find_match` of iptables)."""


class ValueToken(Record):
    """Where a value is: `line[start:end]`, 0-based. `pattern` is a regular expression without groups that matches
    exactly what the grammar would accept here as this kind of word."""

    slot: int
    start: int
    end: int
    pattern: str


class ParsedRule(Record):
    """A rule's shape, its values as written, and where they are: value i is `line[tokens[i].start:tokens[i].end]`.

    `parts` are the rule's parts and where they begin; empty if they depend on each other.
    """

    shape: Shape
    values: tuple[str, ...]
    tokens: tuple[ValueToken, ...]
    parts: tuple[tuple[int, Part], ...]


def parse_rule(line: str) -> ParsedRule:
    """Parse one rule, from `-A` on, without counters before it or a line feed after it; quotes may contain line feeds.
    Raises RuleSyntaxError with the 1-based column."""
    reading = _Reading(line)
    tree = reading.run()
    shape = build_shape(tree, {token.start: token.slot for token in reading.tokens})
    values = tuple(line[token.start : token.end] for token in reading.tokens)
    return ParsedRule(shape, values, tuple(reading.tokens), placed_parts(tree, shape))


class _Reading:
    """The reading of one line: Lark's parser, and what the line has loaded so far.

    `_current` is the module whose options may come here, None if the rule's own may. `_owners` has, for each option,
    the last loaded match that knows it; `_open_ended` is the last module that the grammar does not know.
    """

    def __init__(self, line: str) -> None:
        self.tokens: list[ValueToken] = []
        self._line = line
        self._parser: InteractiveParser = rule_grammar().parse_interactive(line)
        self._vocabulary = vocabulary()
        self._owners: dict[str, Module] = {}
        self._target: Module | None = None
        self._current: Module | None = None
        self._open_ended: Module | None = None
        self._given: set[str] = set()
        self._words = 0
        self._protocol: ValueToken | None = None
        self._went_back_at = -1
        self._previous: Token | None = None
        self._option: Token | None = None

    def run(self) -> Tree[Token]:
        """Read the line to its end. Returns the parse tree."""
        while True:
            try:
                self._feed_tokens()
                break
            except UnexpectedInput as error:
                position = _where(error)
                if not self._go_back(position):
                    raise explain(self._situation(position)) from None
                self._read_again(position)
        try:
            tree: Tree[Token] = self._parser.feed_eof()  # type: ignore[no-untyped-call]
        except UnexpectedInput:
            raise explain(self._situation(len(self._line))) from None
        return tree

    def _feed_tokens(self) -> None:
        parser = self._parser
        opening = ""
        for token in parser.lexer_thread.lex(parser.parser_state):  # type: ignore[no-untyped-call]
            kind = token.type
            self._words += 1
            if self._words > _MAX_WORDS:
                raise RuleSyntaxError(value_start(token) + 1, len(token), f"a rule of more than {_MAX_WORDS} words")
            if is_value(kind):
                self._add_value(token)
            elif kind == "NOT":
                self._go_back(value_start(token) + len(token))
            elif kind == "OPTION" and self._go_back(value_start(token)):
                self._read_again(value_start(token))
                continue
            parser.feed_token(token)
            self._previous = token
            if opening:
                self._enter(opening, token)
            elif not is_value(kind) and kind != "NOT":
                self._given.add(str(token))
                self._option = token
            opening = kind if kind in ("MATCH", "JUMP", "GOTO") else ""

    def _read_again(self, position: int) -> None:
        lexer = self._parser.lexer_thread.state
        assert lexer is not None
        lexer.line_ctr.char_pos = position

    def _situation(self, position: int) -> Situation:
        accepted = set(self._parser.choices())  # type: ignore[no-untyped-call]
        module = self._current
        is_target = module is not None and module is self._target
        return Situation(self._line, position, accepted, self._previous, self._option, module, is_target)

    def _add_value(self, token: Token) -> None:
        start, end = value_start(token), token.end_pos
        assert end is not None
        pattern = value_pattern(self._parser, token.type)
        if self._line[max(start - 2, 0) : start] == "  ":
            pattern = f"(?![-!]){pattern}"  # an option after two blanks leaves the value empty (EMPTY)
        if self._previous is not None and self._previous.type == "NOT":
            if token == "!":
                raise RuleSyntaxError(start + 1, 1, NEGATED_TWICE)
            pattern = f"(?!!(?:[ \\t\\n]|\\Z)){pattern}"
        value = ValueToken(len(self.tokens), start, end, pattern)
        self.tokens.append(value)
        if self._option is not None and self._option.type == "PROTO":
            self._protocol = value

    def _enter(self, opening: str, name: Token) -> None:
        """Note whose options follow: those of the match or target just named."""
        if opening == "MATCH":
            module = self._vocabulary.matches.get(name) or Module(str(name), name.type, frozenset())
            self._owners.update(dict.fromkeys(module.options, module))
        else:
            known = self._vocabulary.targets.get(name) if opening == "JUMP" else None
            module = known or Module(str(name), name.type, frozenset())
            self._target = module
        self._current = module
        if name.type in ("MODULE", "CHAIN") and opening != "GOTO":
            self._open_ended = module

    def _go_back(self, position: int) -> bool:
        """If the option at a position is not one of the current module, go back to its owner. Returns whether it
        did."""
        found = _OPTION.match(self._line, position)
        if found is None or found.start(1) == self._went_back_at:
            return False
        option = found[1]
        current = self._current
        if current is not None and option in current.options:
            return False
        if option in self._vocabulary.own_terminals:
            way = [] if current is None else [Token("BACK", "")]
            owner = None
        else:
            owner = self._owner(option)
            if owner is None or owner is current:
                return False
            opening = Token("JUMP", "-j") if owner is self._target else Token("MATCH", "-m")
            way = [opening, Token(owner.terminal, owner.name)]
        try:
            for token in way:
                self._parser.feed_token(token)
        except UnexpectedInput:  # in the middle of another option
            return False
        self._went_back_at = found.start(1)
        self._current = owner
        return bool(way)

    def _owner(self, option: str) -> Module | None:
        """The owner of an option that the current module does not know: the target, or the last match that knows it, or
        the protocol's match, or the last module that the grammar does not know, in this order."""
        at_open_end = self._current is not None and self._current is self._open_ended
        if at_open_end and (self._current is not self._target or option in self._given):
            return None
        if self._target is not None and option in self._target.options:
            return self._target
        if option in self._owners:
            return self._owners[option]
        return self._match_of_protocol(option) or self._open_ended

    def _match_of_protocol(self, option: str) -> Module | None:
        value = self._protocol
        if value is None:
            return None
        name = self._line[value.start : value.end]
        lower = name.lower()  # iptables-restore takes `-p TCP`
        module = self._vocabulary.matches.get(_PROTOCOL_MATCHES.get(lower, lower))
        if module is None or option not in module.options:
            return None
        # From here on the rule's shape depends on its protocol.
        self.tokens[value.slot] = replace(value, pattern=re.escape(name))
        self._owners.update(dict.fromkeys(module.options, module))
        return module


def _where(error: UnexpectedInput) -> int:
    position: int | None = error.pos_in_stream
    return 0 if position is None else position
