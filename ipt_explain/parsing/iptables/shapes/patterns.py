"""From one parsed rule to the pattern of all rules of its form, and to the hint by which they are found."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

from ipt_explain.records import Record

if TYPE_CHECKING:
    from ipt_explain.parsing.iptables.rules.rule_parser import ValueToken


Scanner = Callable[[str, int], Any]
"""A compiled pattern's `scanner`, which typeshed does not know."""


def consecutive(scanner: Scanner, text: str, position: int, most: int) -> list[re.Match[str]]:
    """What a pattern matches from this position on, each match where the one before it ends."""
    return list(islice(iter(scanner(text, position).match, None), most))


class LinePattern(Record):
    """The pattern of all lines of one form: the text before, between and after the values, as regular expressions, and
    what each value may be. The first value is the chain's name.
    """

    literals: tuple[str, ...]
    words: tuple[str, ...]

    def with_words(self, words: Iterable[str]) -> str:
        """The regular expression with these in the place of the values."""
        return self.literals[0] + "".join(map(str.__add__, words, self.literals[1:]))

    @property
    def text(self) -> str:
        """The regular expression, with one group a value."""
        return self.with_words(f"({word})" for word in self.words)

    def freely_begun(self, values: Iterable[str]) -> LinePattern:
        """The pattern of fewer lines, sooner compiled: where these values begin unlike keywords, theirs do, too."""
        words: list[str] = []
        for word, value in zip(self.words, values):
            free = freely_begun(word)
            words.append(free if free != word and re.match(free, value) else word)
        return LinePattern(self.literals, tuple(words))

    @property
    def one_line(self) -> bool:
        """Whether it matches no line feed: its words were narrowed to those that hold none."""
        return not any("(?s:" in word for word in self.words)


def pattern_of(tokens: Sequence[ValueToken], text: str, start: int, end: int) -> LinePattern:
    """The pattern of all texts with the keywords and the blanks of `text[start:end]`, and with words of the same make
    in the place of its values, the tokens: bare, or quoted without escapes.
    """
    from ipt_explain.parsing.iptables.rules.value_patterns import any_word

    literals, words, position = [], [], start
    for token in tokens:
        literals.append(re.escape(text[position : token.start]))
        words.append(_narrowed(token.pattern, text[token.start : token.end], any_word()))
        position = token.end
    return LinePattern((*literals, re.escape(text[position:end])), tuple(words))


# Two of the makes of the grammar's words: what nearly all are, and the cheapest to match.
BARE = r'[^ \t\n"][^ \t\n]*'
QUOTED = r'"[^"\\\n]*"'
USUAL_MAKES = (BARE, QUOTED)


def freely_begun(word: str) -> str:
    """The pattern of a bare word without words that begin like keywords, some of which it refuses. It is soon compiled.
    """
    refuses = word.startswith("(?:(?![") and word.endswith(")))" + BARE)
    return word[3 : word.index("|")] + BARE if refuses else word


def _narrowed(pattern: str, word: str, any_word: str) -> str:
    for make in USUAL_MAKES:
        if re.fullmatch(make, word):
            return pattern.replace(any_word, make)
    return pattern


def skeleton(rule: str) -> str:
    """What a rule's text shows of its shape at a glance: its option words and modules."""
    words = '"'.join(rule.split('"')[::2]).split(" ")
    after_m = (word for option, word in pairwise(words) if option == "-m")
    return " ".join([*(word for word in words if word.startswith("-") or word == "!"), *after_m])
