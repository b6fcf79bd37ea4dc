"""Facts that rules share: each is computed once per ruleset, however many rules ask, and never if none does."""

from __future__ import annotations

from collections.abc import Callable
from functools import update_wrapper
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from ipt_explain.audit.backends import BackendContext

Found = TypeVar("Found")
Subject = TypeVar("Subject", bound=BackendContext)


class Fact(Generic[Subject, Found]):
    """A function of a ruleset that remembers its answers: `hooks(context)`."""

    def __init__(self, find: Callable[[Subject], Found]) -> None:
        update_wrapper(self, find)
        self._find = find
        self._known: WeakKeyDictionary[Subject, Found] = WeakKeyDictionary()

    def __call__(self, context: Subject) -> Found:
        """The answer for a ruleset."""
        if context not in self._known:
            self._known[context] = self._find(context)
        return self._known[context]


def fact(find: Callable[[Subject], Found]) -> Fact[Subject, Found]:
    """Make a function of a context a fact."""
    return Fact(find)
