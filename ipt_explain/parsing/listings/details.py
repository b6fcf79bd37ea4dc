"""The details after a rule's columns in a listing, by its grammar: matches and the target's options.

Words of unknown matches and targets are kept as text, up to the next comment or the end, since nothing marks their end.
"""

from __future__ import annotations

import re

from lark import Token, Tree
from lark.exceptions import UnexpectedInput

from ipt_explain.parsing.iptables.rules.vocabulary import vocabulary
from ipt_explain.parsing.listings.grammar import KEYWORD, listing_grammar
from ipt_explain.parsing.listings.options import SavedOption, Word, saved_options
from ipt_explain.records import Record, field
from ipt_explain.words.quotes import in_quotes

_COMMENT = re.compile(r"/\*")

UNREAD = "unread"
"""The match that stands for unreadable words; its option `--listed` has them."""


class ListedMatch(Record, frozen=False):
    """A match with its options as iptables-save would print them."""

    module: str
    options: list[SavedOption] = field(default_factory=list)


class ValueWord(Record):
    """A value's place in the text, and the pattern of what the grammar accepts there."""

    start: int
    end: int
    pattern: str


class Details(Record, frozen=False):
    """The details of one rule. `words` are all values in the text; options refer to them by number."""

    target: str | None
    goto: bool = False
    matches: list[ListedMatch] = field(default_factory=list)
    target_options: list[SavedOption] = field(default_factory=list)
    words: list[ValueWord] = field(default_factory=list)
    unread: bool = False


def read_details(text: str, target: str | None) -> Details:
    """The details of a rule. `target` is a target known by name; None for a chain, or no target."""
    details = Details(target)
    position = 0
    while position < len(text):
        position = _read_from(text, position, details)
    for match in details.matches:
        _finish_match(match)
    _finish_target(details)
    return details


def _read_from(text: str, start: int, details: Details) -> int:
    """Read as far as the grammar allows, then keep the text up to the next comment."""
    end = _readable_end(text, start, details.target)
    if end > start:
        tree = listing_grammar().parse(text[start:end])
        _Draft(text, start, details).take(tree)
    if end >= len(text):
        return end
    comment = _COMMENT.search(text, end + 2)
    stop = comment.start() if comment else len(text)
    words = text[end:stop].strip(" ")
    if words:
        first = text.index(words, end)
        details.words.append(ValueWord(first, first + len(words), re.escape(words)))
        listed = SavedOption("--listed", False, (Word(len(details.words) - 1, in_quotes),))
        details.matches.append(ListedMatch(UNREAD, [listed]))
        details.unread = True
    return stop


def _readable_end(text: str, start: int, target: str | None) -> int:
    """Where the text from `start` on ends that known matches and this target can print."""
    end = start
    rest = text[start:]
    parser = listing_grammar().parse_interactive(rest)
    try:
        for token in parser.lexer_thread.lex(parser.parser_state):  # type: ignore[no-untyped-call]
            if "$END" in parser.choices():  # type: ignore[no-untyped-call]
                end = start + token.start_pos
            parser.feed_token(token)
        tree: Tree[Token] = parser.feed_eof()  # type: ignore[no-untyped-call]
    except UnexpectedInput:
        if end == start:
            return start
        tree = listing_grammar().parse(text[start:end])
    else:
        end = len(text)
    known = None if target is None else vocabulary().targets.get(target)
    for part in tree.children:
        if not isinstance(part, Tree) or _is_match(part) or part.data in ("goto", "ct__notrack"):
            continue
        names = {option.name for each in _alternatives(part) for option in _convert(each, 0, _nat_option(target))}
        if known is None or not names <= known.options:
            return start + part.meta.start_pos
    return end


def _is_match(part: Tree[Token]) -> bool:
    return part.data.startswith("m_")


def _alternatives(part: Tree[Token]) -> list[Tree[Token]]:
    """The options of a target; the tree itself if its rule is a single option named after it."""
    return [each for each in part.children if isinstance(each, Tree)] if part.data.startswith("j_") else [part]


def _nat_option(target: str | None) -> str:
    return {"DNAT": "to_destination", "SNAT": "to_source"}.get(target or "", "to")


def _convert(part: Tree[Token], first: int, nat_option: str) -> list[SavedOption]:
    """The options of one alternative; `first` is the number of its first value."""
    tokens: list[tuple[int, str]] = []
    negated = False
    for token in part.children:
        assert isinstance(token, Token)
        if token.type == "NOT" or KEYWORD.match(token.type):
            negated = negated or "!" in token
        else:
            tokens.append((first + len(tokens), str(token)))
    rule = str(part.data)
    return saved_options(nat_option if rule == "nat__to" else rule, negated, tuple(tokens))


class _Draft:
    """Adds the parts of a parse tree to the details."""

    def __init__(self, text: str, start: int, details: Details) -> None:
        self._text = text
        self._start = start
        self._details = details

    def take(self, tree: Tree[Token]) -> None:
        """Add all parts, in the order of the text."""
        details = self._details
        for part in tree.children:
            if not isinstance(part, Tree):
                continue
            if part.data == "goto":
                details.goto = True
            elif part.data == "ct__notrack":
                details.target = "NOTRACK"
            elif _is_match(part):
                self._take_match(str(part.data)[2:], part)
            else:
                for option in _alternatives(part):
                    details.target_options += self._options(option)

    def _take_match(self, module: str, part: Tree[Token]) -> None:
        match = ListedMatch(module)
        self._details.matches.append(match)
        for option in part.children:
            assert isinstance(option, Tree)
            saved = self._options(option)
            if module not in _REPEATING and {each.name for each in saved} & {each.name for each in match.options}:
                match = ListedMatch(module)
                self._details.matches.append(match)
            match.options += saved

    def _options(self, option: Tree[Token]) -> list[SavedOption]:
        words = self._details.words
        first = len(words)
        for token in option.children:
            assert isinstance(token, Token)
            if token.type != "NOT" and not KEYWORD.match(token.type):
                start = self._start + (token.start_pos or 0)
                words.append(ValueWord(start, start + len(token), _pattern_of(token.type)))
        return _convert(option, first, _nat_option(self._details.target))


_REPEATING = frozenset({"policy"})
_patterns: dict[str, str] = {}


def _pattern_of(terminal: str) -> str:
    if not _patterns:
        for each in listing_grammar().terminals:
            _patterns[each.name] = each.pattern.to_regexp()
    return _patterns[terminal]


_ORDER: dict[str, tuple[str, ...]] = {
    "recent": (
        "set", "rcheck", "update", "remove", "seconds", "reap", "hitcount", "rttl", "name", "mask", "rsource", "rdest"
    ),
    "time": ("timestart", "timestop", "monthdays", "weekdays", "datestart", "datestop", "contiguous", "kerneltz"),
    "LOG": (
        "log-prefix", "log-level", "log-tcp-sequence", "log-tcp-options", "log-ip-options", "log-uid", "log-macdecode"
    ),
    "HMARK": (
        "hmark-src-prefix", "hmark-dst-prefix", "hmark-sport-mask", "hmark-dport-mask", "hmark-spi-mask",
        "hmark-proto-mask", "hmark-sport", "hmark-dport", "hmark-spi", "hmark-rnd", "hmark-mod", "hmark-offset",
        "hmark-tuple",
    ),
}  # fmt: skip
"""Modules whose options a listing prints in another order than iptables-save."""

_NO_END = SavedOption("--datestop", False, ("2038-01-19T03:14:07",))
"""libxt_time saves an end date even if none was given."""


def _finish_match(match: ListedMatch) -> None:
    if match.module == "time":
        names = {option.name for option in match.options}
        if "--datestop" not in names:
            match.options.append(_NO_END)
        if "--utc" not in names:
            match.options.append(SavedOption("--kerneltz", False, ()))
        match.options[:] = [option for option in match.options if option.name != "--utc"]
    if match.module == "cgroup" and not match.options:
        match.options.append(SavedOption("--path", False, ('""',)))
    _sort(match.module, match.options)


def _finish_target(details: Details) -> None:
    if details.target is not None:
        _sort(details.target, details.target_options)


def _sort(module: str, options: list[SavedOption]) -> None:
    order = _ORDER.get(module)
    if order is not None:
        options.sort(key=lambda option: order.index(option.name[2:]))
