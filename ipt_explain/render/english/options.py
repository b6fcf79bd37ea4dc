"""The options of one match or target, taken one by one, so that none is silently left out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ipt_explain.model import Option, Rule
from ipt_explain.records import Record


class Given(Record):
    """One option of a rule, with decoded arguments."""

    name: str
    negated: bool
    arguments: tuple[str, ...]

    @property
    def value(self) -> str:
        """The first argument; "" for a flag."""
        return self.arguments[0] if self.arguments else ""

    @classmethod
    def of(cls, rule: Rule, option: Option) -> Given:
        """An option as a rule has it."""
        return cls(option.name, option.negated, rule.arguments(option))


class Options:
    """Options that are not yet worded. A phrase takes those that it words; the rest get a generic phrase."""

    def __init__(self, rule: Rule, options: Iterable[Option]) -> None:
        self._left = [Given.of(rule, option) for option in options]

    def take(self, *names: str) -> Given | None:
        """Take the first option with one of these names; None if there is none."""
        for place, given in enumerate(self._left):
            if given.name in names:
                return self._left.pop(place)
        return None

    def value(self, *names: str) -> str | None:
        """The argument of an option that cannot be negated, or None."""
        given = self.take(*names)
        return None if given is None else given.value

    def flag(self, *names: str) -> bool:
        """Whether a flag that cannot be negated is there."""
        return self.take(*names) is not None

    def phrases(self, wording: Mapping[str, str]) -> list[str]:
        """Take the options of `wording` that are there; their words in that order, with the argument for `{}`."""
        return [words.format(given.value) for name, words in wording.items() if (given := self.take(name))]

    def __iter__(self) -> Iterator[Given]:
        """Take the options that are left, one by one."""
        while self._left:
            yield self._left.pop(0)
