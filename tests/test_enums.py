"""Closed sets behave as the `enum.Enum` that they stand for."""

from __future__ import annotations

import copy
import enum
import pickle
from collections.abc import Callable
from typing import Any

import pytest

from ipt_explain import enums


def _make(module: Any) -> Any:
    """The same class, made by `enum` or by `enums`."""

    class Colour(module.Enum):
        """A colour."""

        RED = "red"
        GREEN = "green"  # as grass
        GRASS = "green"
        NONE = ""

        @property
        def loud(self) -> bool:
            return bool(self == Colour.RED)

        def mixed(self, other: Any) -> tuple[str, str]:
            return self.value, other.value

        def __lt__(self, other: Any) -> bool:
            return bool(self.value < other.value)

    return Colour


_BOTH = (_make(enum), _make(enums))

_QUESTIONS: tuple[Callable[[Any], object], ...] = (
    lambda made: [(each.name, each.value) for each in made],
    lambda made: made("green") is made.GREEN,
    lambda made: made(made.RED) is made.RED,
    lambda made: made["GRASS"] is made.GREEN,
    lambda made: made("blue"),
    lambda made: made(["red"]),
    lambda made: made["BLUE"],
    len,
    lambda made: bool(made.NONE),
    lambda made: made.RED in made,
    lambda made: made.RED == "red",
    lambda made: made.RED == made.GREEN,
    lambda made: (made.RED.loud, made.GREEN.loud),
    lambda made: made.RED.mixed(made.GREEN),
    lambda made: made.NONE < made.RED,
    lambda made: min(made).name,
    lambda made: {made.RED: 1, made.GREEN: 2}[made.GRASS],
    lambda made: (repr(made.RED), str(made.RED), f"{made.RED}"),
    lambda made: copy.deepcopy([made.RED])[0] is made.RED,
    lambda made: isinstance(made.RED, made),
    lambda made: hasattr(made.RED, "RED2"),
    lambda made: made.__doc__,
)


def _answer(question: Callable[[Any], object], made: Any) -> object:
    try:
        return question(made)
    except (ValueError, KeyError) as error:
        return type(error)


@pytest.mark.parametrize("number", range(len(_QUESTIONS)))
def test_enums_behave_like_pythons(number: int) -> None:
    wanted, found = (_answer(_QUESTIONS[number], made) for made in _BOTH)
    assert found == wanted


def test_members_travel_between_processes() -> None:
    from ipt_explain.model import Family

    assert pickle.loads(pickle.dumps(Family.IPV6)) is Family.IPV6
