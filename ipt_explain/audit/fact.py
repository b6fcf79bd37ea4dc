"""Facts that rules share: each is found once per ruleset, however many rules ask, and not at all where none does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from ipt_explain.audit.context import RulesetContext
from ipt_explain.model import Ruleset

Found = TypeVar("Found")


class Fact(Generic[Found]):
    """A question to a ruleset that remembers its answers: `hooks(context)`."""

    def __init__(self, find: Callable[[RulesetContext], Found]) -> None:
        self.__doc__ = find.__doc__
        self._find = find
        self._known: WeakKeyDictionary[RulesetContext, Found] = WeakKeyDictionary()

    def __call__(self, context: RulesetContext) -> Found:
        """The answer for a ruleset."""
        if context not in self._known:
            self._known[context] = self._find(context)
        return self._known[context]


def fact(find: Callable[[RulesetContext], Found]) -> Fact[Found]:
    """Make a function of a context a fact."""
    return Fact(find)


def ruleset_fact(find: Callable[[Ruleset], Found]) -> Fact[Found]:
    """The same of a function that needs nothing but the ruleset."""
    return Fact(lambda context: find(context.ruleset))
