"""Records behave as the dataclasses that they stand for."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from collections.abc import Callable
from typing import Any, Generic, TypeVar
from unittest.mock import patch

import pytest

from ipt_explain import records
from ipt_explain.records import Record, field

T = TypeVar("T")


def _dataclasses() -> dict[str, Any]:
    dataclass, field = dataclasses.dataclass, dataclasses.field

    @dataclass(frozen=True, slots=True)
    class Point:
        x: int
        y: int = 2
        tags: tuple[str, ...] = field(default=(), compare=False)

        @property
        def sum(self) -> int:
            return self.x + self.y

    @dataclass(frozen=True, slots=True)
    class Named(Point):
        name: str = field(default="n", repr=False)

    @dataclass(slots=True)
    class Basket:
        owner: str
        eggs: list[int] = field(default_factory=list)

    @dataclass(frozen=True, slots=True, eq=False)
    class Alone:
        x: int

    @dataclass(frozen=True, slots=True)
    class Empty:
        pass

    @dataclass(frozen=True, slots=True)
    class Box(Generic[T]):
        content: T

    return {each.__name__: each for each in (Point, Named, Basket, Alone, Empty, Box)}


def _records() -> dict[str, Any]:
    class Point(Record):
        x: int
        y: int = 2
        tags: tuple[str, ...] = field(default=(), compare=False)

        @property
        def sum(self) -> int:
            return self.x + self.y

    class Named(Point):
        name: str = field(default="n", repr=False)

    class Basket(Record, frozen=False):
        owner: str
        eggs: list[int] = field(default_factory=list)

    class Alone(Record, eq=False):
        x: int

    class Empty(Record):
        pass

    class Box(Record, Generic[T]):
        content: T

    return {each.__name__: each for each in (Point, Named, Basket, Alone, Empty, Box)}


_BOTH = (_dataclasses(), _records())

_QUESTIONS: tuple[Callable[[dict[str, Any]], object], ...] = (
    lambda made: (made["Point"](1).x, made["Point"](1).y, made["Point"](x=3, y=4).sum),
    lambda made: made["Point"](1) == made["Point"](1, 2, ("other",)),
    lambda made: made["Point"](1) == made["Named"](1),
    lambda made: made["Named"](1) == made["Named"](1, name="m"),
    lambda made: len({made["Point"](1), made["Point"](1), made["Point"](2)}),
    lambda made: len({made["Alone"](1), made["Alone"](1)}),
    lambda made: repr(made["Named"](1)).rpartition(".")[2],
    lambda made: made["Basket"]("a").eggs is made["Basket"]("a").eggs,
    lambda made: made["Basket"]("a") == made["Basket"]("a", []),
    lambda made: made["Empty"]() == made["Empty"](),
    lambda made: made["Point"].__match_args__,
    lambda made: hasattr(made["Point"](1), "__dict__"),
    lambda made: copy.deepcopy(made["Named"](1, 5)).y,
    lambda made: made["Basket"].__hash__,
    lambda made: made["Point"](),
    lambda made: made["Point"](1, z=3),
    lambda made: setattr(made["Point"](1), "x", 2),
    lambda made: delattr(made["Point"](1), "x"),
    lambda made: hash(made["Basket"]("a")),
    lambda made: setattr(made["Basket"]("a"), "owner", "b"),
    lambda made: setattr(made["Box"]("a"), "content", "b"),
    lambda made: (made["Box"]("a").content, isinstance(made["Named"](1), made["Point"])),
)


def _answer(question: Callable[[dict[str, Any]], object], made: dict[str, Any]) -> object:
    try:
        return question(made)
    except AttributeError:  # FrozenInstanceError is one
        return AttributeError
    except TypeError:
        return TypeError


@pytest.mark.parametrize("soon", [1, 20])
@pytest.mark.parametrize("number", range(len(_QUESTIONS)))
def test_records_behave_like_dataclasses(number: int, soon: int) -> None:
    with patch.object(records, "_WORTH_COMPILING", soon):
        wanted, found = (_answer(_QUESTIONS[number], made) for made in _BOTH)
    assert found == wanted


def test_replace_changes_some_fields() -> None:
    point = records.replace(_BOTH[1]["Point"](1, 2, ("a",)), y=7)
    assert (point.x, point.y, point.tags) == (1, 7, ("a",))


def test_records_travel_between_processes() -> None:
    from ipt_explain.model import Counters

    assert pickle.loads(pickle.dumps(Counters(1, 2))) == Counters(1, 2)
