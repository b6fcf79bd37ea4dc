"""One rule's text to its shape and values, by the grammar.

The parser asks Lark for one token after another, and helps in one thing that depends on more than syntax: input for
iptables-restore may give an option of a match behind another match or target (`-m tcp -m comment --comment x --dport 80`),
or without loading the match at all (`-p tcp --dport 80`). iptables gives such an option to the last loaded match that
knows it. The parser goes back to that match, by feeding Lark `-m tcp` without any text, and reads on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from lark import Token, Tree
from lark.exceptions import UnexpectedInput
from lark.parsers.lalr_interactive_parser import InteractiveParser

from ipt_explain.model import Shape
from ipt_explain.parsing.grammar_files import rule_grammar
from ipt_explain.parsing.shape_builder import build_shape, value_start
from ipt_explain.parsing.syntax_errors import RuleSyntaxError, explain
from ipt_explain.parsing.value_patterns import is_value, value_pattern
from ipt_explain.parsing.vocabulary import Module, vocabulary

__all__ = ["ParsedRule", "RuleSyntaxError", "ValueToken", "parse_rule"]

_WORD = re.compile(r"[^ \t\n]+")
_PROTOCOL_MATCHES = {
    "1": "icmp", "6": "tcp", "17": "udp", "33": "dccp", "50": "esp", "51": "ah", "58": "icmp6", "108": "ipcomp",
    "132": "sctp", "135": "mh", "icmpv6": "icmp6", "ipv6-icmp": "icmp6", "ipv6-mh": "mh", "mobility-header": "mh",
}  # fmt: skip
"""Protocols whose match has another name (`xtables_find_match`, `find_proto` of iptables)."""


@dataclass(frozen=True, slots=True)
class ValueToken:
    """Where a value stands: `line[start:end]`, 0-based. `pattern` is a regular expression without groups that matches
    what the grammar would take in this place as this kind of word, and nothing that it would take otherwise."""

    slot: int
    start: int
    end: int
    pattern: str


@dataclass(frozen=True, slots=True)
class ParsedRule:
    """A rule's shape, its values as written, and where they stand."""

    shape: Shape
    values: tuple[str, ...]
    tokens: tuple[ValueToken, ...]


def parse_rule(line: str) -> ParsedRule:
    """Parse one rule, from `-A` on, without counters before it and line feed behind it; LF may stand inside quotes.

    Raises RuleSyntaxError, which tells the 1-based column.
    """
    reading = _Reading(line)
    tree = reading.run()
    shape = build_shape(tree, {token.start: token.slot for token in reading.tokens})
    return ParsedRule(shape, tuple(line[token.start : token.end] for token in reading.tokens), tuple(reading.tokens))


class _Reading:
    """The reading of one line: Lark's parser, and the modules loaded so far."""

    def __init__(self, line: str) -> None:
        self.line = line
        self.parser: InteractiveParser = rule_grammar().parse_interactive(line)
        self.tokens: list[ValueToken] = []
        self._vocabulary = vocabulary()
        self._loaded: list[Module] = []
        self._target: Module | None = None
        self._current: Module | None = None
        self._after_chain = False
        self._given: set[str] = set()
        self._protocol: int | None = None
        self._returned_at = -1

    def run(self) -> Tree[Token]:
        """Read the line to its end; the parse tree."""
        while True:
            try:
                self._feed_tokens()
                break
            except UnexpectedInput as error:
                position = error.pos_in_stream or 0
                if self._return_to_owner(position):
                    self.parser.lexer_thread.state.line_ctr.char_pos = position
                elif not self._feed_as_own(position):
                    raise explain(self.line, position, error, self.parser) from None
        try:
            tree: Tree[Token] = self.parser.feed_eof()
        except UnexpectedInput as error:
            raise explain(self.line, len(self.line), error, self.parser) from None
        return tree

    def _feed_tokens(self) -> None:
        parser = self.parser
        opening = ""
        for token in parser.lexer_thread.lex(parser.parser_state):
            kind = token.type
            if is_value(kind):
                self._add_value(token)
            elif kind == "NOT":
                self._return_to_owner(value_start(token) + len(token))
            elif kind == "OPTION" and self._after_chain:
                self._return_to_owner(value_start(token))
            parser.feed_token(token)
            self._after_chain = False
            if opening:
                self._enter(opening, token)
                opening = ""
            elif kind in ("MATCH", "JUMP", "GOTO"):
                opening = kind
            elif kind == "PROTOCOL":
                self._protocol = len(self.tokens) - 1
            elif not is_value(kind):
                self._given.add(str(token))

    def _add_value(self, token: Token) -> None:
        start, end = value_start(token), token.end_pos
        assert end is not None
        self.tokens.append(ValueToken(len(self.tokens), start, end, value_pattern(self.parser, token.type)))

    def _enter(self, opening: str, name: Token) -> None:
        """Note which module the options that follow belong to."""
        if opening == "MATCH":
            self._current = self._vocabulary.matches.get(name)
            if self._current is not None:
                self._loaded.append(self._current)
        else:
            self._current = self._target = self._vocabulary.targets.get(name) if opening == "JUMP" else None
            self._after_chain = self._target is None

    def _return_to_owner(self, position: int) -> bool:
        """Where an option stands away from its match or target, go back there; whether that was done."""
        word = _WORD.search(self.line, position)
        if word is None or word.start() == self._returned_at:
            return False
        option = word[0]
        if option in self._vocabulary.own_terminals or (self._current is not None and option in self._current.options):
            return False
        owner = self._owner(option)
        if owner is None or (self._after_chain and option in self._given):
            return False
        self._returned_at = word.start()
        opening = Token("JUMP", "-j") if owner is self._target else Token("MATCH", "-m")
        self.parser.feed_token(opening)
        self.parser.feed_token(Token(owner.terminal, owner.name))
        self._current = owner
        return True

    def _feed_as_own(self, position: int) -> bool:
        """Feed a word that the lexer took for another module's option, as the rule's own (`--proto`) or as an unknown
        module's. Behind a rule's own option the lexer knows the keywords of all modules, as LALR lookaheads are shared."""
        word = _WORD.match(self.line, position)
        if word is None or word.start() == self._returned_at:
            return False
        terminal = self._vocabulary.own_terminals.get(word[0])
        if terminal is None:
            if self._current is not None or not word[0].startswith("-"):
                return False
            terminal = "OPTION"
        self._returned_at = word.start()
        try:
            self.parser.feed_token(Token(terminal, word[0], start_pos=word.start(), end_pos=word.end()))
        except UnexpectedInput:
            return False
        self.parser.lexer_thread.state.line_ctr.char_pos = word.end()
        return True

    def _owner(self, option: str) -> Module | None:
        """Who takes an option: the target, else the last loaded match that knows it, else the protocol's match."""
        if self._target is not None and option in self._target.options:
            return self._target
        for module in reversed(self._loaded):
            if option in module.options:
                return module
        return self._match_of_protocol(option)

    def _match_of_protocol(self, option: str) -> Module | None:
        if self._protocol is None:
            return None
        value = self.tokens[self._protocol]
        name = self.line[value.start : value.end]
        module = self._vocabulary.matches.get(_PROTOCOL_MATCHES.get(name, name))
        if module is None or option not in module.options:
            return None
        # The rule's shape now depends on its protocol.
        self.tokens[self._protocol] = replace(value, pattern=re.escape(name))
        self._loaded.append(module)
        return module
