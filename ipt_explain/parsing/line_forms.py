"""One grammar, two speeds, for texts in which every line is parsed by itself.

Lark reads the first line of a form. Its tokens, and what the parser accepts in their places, yield a pattern that reads
later lines of the form in the same way: words that vary (terminals with a priority below zero) become groups, all
others are literal.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from lark import Lark, Token, Tree
from lark.exceptions import UnexpectedInput
from lark.parsers.lalr_interactive_parser import InteractiveParser

from ipt_explain.parsing.iptables.rules.value_patterns import value_pattern
from ipt_explain.records import Record

MAX_LINE = 8192
"""Lines of these tools are much shorter; reading a longer one would only cost time."""

_MAX_FORMS = 64
"""Outputs have a few dozen forms. A text with more was crafted."""


class LineForm(Record, eq=False):
    """What lines of one form share: their alias in the grammar, the terminals of their words, and the first place of
    each."""

    kind: str
    terminals: tuple[str, ...]
    first: Mapping[str, int]

    @classmethod
    def of(cls, kind: str, terminals: tuple[str, ...]) -> LineForm:
        """A form with these terminals."""
        return cls(kind, terminals, {each: terminals.index(each) for each in terminals})


class ReadLine(Record):
    """A line's words, in the order of the form's terminals."""

    form: LineForm
    words: tuple[str, ...]

    def get(self, terminal: str) -> str | None:
        """The first word of a terminal, None if the line has none."""
        place = self.form.first.get(terminal)
        return None if place is None else self.words[place]

    def word(self, terminal: str) -> str:
        """The first word of a terminal that every line of this kind has."""
        return self.words[self.form.first[terminal]]

    def all(self, terminal: str) -> tuple[str, ...]:
        """All words of a terminal."""
        return tuple(word for each, word in zip(self.form.terminals, self.words) if each == terminal)

    def has(self, terminal: str) -> bool:
        """Whether the line has a word of a terminal."""
        return terminal in self.form.first


class Refusal(Exception):
    """The grammar refuses a line: at `column` (1-based) it expected one of the terminals `expected`."""

    def __init__(self, column: int, expected: frozenset[str]) -> None:
        super().__init__(f"refused at column {column}")
        self.column = column
        self.expected = expected


class LineForms:
    """Reads lines by one start symbol of a grammar, and remembers forms that occur twice."""

    def __init__(self, grammar: Lark, start: str) -> None:
        self._grammar = grammar
        self._start = start
        self._patterns: list[tuple[re.Pattern[str], LineForm]] = []
        self._seen_once: dict[str, LineForm] = {}

    @property
    def known(self) -> Sequence[tuple[re.Pattern[str], LineForm]]:
        """The forms that have occurred twice, each with the pattern of its lines."""
        return self._patterns

    def read(self, line: str) -> ReadLine:
        """Read a line without its line feed. Raises Refusal."""
        for place, (pattern, form) in enumerate(self._patterns):
            match = pattern.match(line)
            if match is not None:
                if place > 1:
                    self._patterns.insert(0, self._patterns.pop(place))
                return ReadLine(form, match.groups())
        return self._read_by_grammar(line)

    def _read_by_grammar(self, line: str) -> ReadLine:
        if len(line) > MAX_LINE:
            raise Refusal(MAX_LINE, frozenset())
        kind, tokens, pattern = parse_line(self._grammar, self._start, line)
        form = self._seen_once.pop(pattern, None)
        if form is None:
            form = LineForm.of(kind, tuple(token.type for token in tokens))
            if len(self._seen_once) < _MAX_FORMS:
                self._seen_once[pattern] = form
        elif len(self._patterns) < _MAX_FORMS:
            self._patterns.append((re.compile(pattern), form))
        return ReadLine(form, tuple(map(str, tokens)))


def parse_line(grammar: Lark, start: str, line: str) -> tuple[str, list[Token], str]:
    """Read a line with Lark: its kind, its words, and the pattern of all lines of its form. Raises Refusal."""
    parser = grammar.parse_interactive(line, start)
    tokens: list[Token] = []
    parts: list[str] = []
    position = 0
    try:
        for token in parser.lexer_thread.lex(parser.parser_state):  # type: ignore[no-untyped-call]
            begin = token.start_pos
            parts.append(_blanks(line[position:begin]))
            parts.append(f"({_word_pattern(grammar, parser, token)})")
            position = begin + len(token)
            tokens.append(token)
            parser.feed_token(token)
        tree: Tree[Token] = parser.feed_eof()  # type: ignore[no-untyped-call]
    except UnexpectedInput as error:
        raise _refusal(error, parser, line) from None
    parts.append(_blanks(line[position:]))
    return str(tree.data), tokens, "".join(parts) + r"\Z"


def _word_pattern(grammar: Lark, parser: InteractiveParser, token: Token) -> str:
    if grammar.get_terminal(token.type).priority >= 0:
        return re.escape(token)
    return _GROUP.sub("(?:", value_pattern(parser, token.type))


def _blanks(between: str) -> str:
    return "[ \\t]+" if between else ""


_GROUP = re.compile(r"(?<!\\)\((?!\?)")


def _refusal(error: UnexpectedInput, parser: InteractiveParser, line: str) -> Refusal:
    place = error.pos_in_stream
    if place is None or place < 0 or getattr(getattr(error, "token", None), "type", "") == "$END":
        place = len(line)
    while place < len(line) and line[place] in " \t":
        place += 1
    accepted: Iterable[str] = parser.choices()  # type: ignore[no-untyped-call]
    return Refusal(place + 1, frozenset(accepted))
