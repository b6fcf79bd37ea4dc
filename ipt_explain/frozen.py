"""Frozen objects that are made by the hundred thousand."""

from __future__ import annotations

from dataclasses import MISSING, fields
from typing import Any, TypeVar

_T = TypeVar("_T")


def quick_init(cls: type[_T]) -> type[_T]:
    """Gives a frozen, slotted dataclass an `__init__` that takes half the time, and is the same to its callers.

    A frozen dataclass's own goes through `object.__setattr__` for each field, to get past its own refusal to be set;
    this one sets the slots themselves. Fields may have plain defaults, no factories.
    """
    own = fields(cls)  # type: ignore[arg-type]
    scope: dict[str, Any] = {f"set_{field.name}": cls.__dict__[field.name].__set__ for field in own}
    scope |= {f"default_{field.name}": field.default for field in own if field.default is not MISSING}
    parameters = (field.name if field.default is MISSING else f"{field.name}=default_{field.name}" for field in own)
    body = "; ".join(f"set_{field.name}(self, {field.name})" for field in own)
    exec(f"def __init__(self, {', '.join(parameters)}): {body}", scope)
    cls.__init__ = scope["__init__"]  # type: ignore[method-assign]
    return cls
