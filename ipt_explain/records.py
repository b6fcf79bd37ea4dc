"""`dataclass`, `field` and `replace` for frozen, slotted records, and `NamedTuple`, much faster than Python's own.

The program has hundreds of record classes, and one command uses a few dozen. Python's `dataclass` writes and compiles
five methods for each, which took a third of a small dump's time. Here a class gets a `__new__` of its own only after
its first objects, and shares all other methods. Creating objects takes a third of the time, too: a frozen dataclass
calls `object.__setattr__` for each field, while a record is created as an object of a class with the same slots that
is not frozen, and then changes its class.

Only the options that the program uses are supported: `frozen`, `slots` and `eq`; `default`, `default_factory`, `repr`
and `compare` of a field. `NamedTuple` keeps no annotations: Python's compiles each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # type checkers see Python's own
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace
    from typing import NamedTuple as NamedTuple
else:
    from collections import namedtuple
    from operator import attrgetter

    _NO_DEFAULT = object()
    _WORTH_COMPILING = 48  # Compiling a `__new__` takes as long as creating this many objects without one.
    _made = {}
    _new = object.__new__
    _set = object.__setattr__

    class field:  # noqa: N801, as in `dataclasses`
        """As `dataclasses.field`."""

        __slots__ = ("compare", "default", "factory", "repr")

        def __init__(self, *, default=_NO_DEFAULT, default_factory=None, **options) -> None:
            self.default = default
            self.factory = default_factory
            self.repr = options.get("repr", True)
            self.compare = options.get("compare", True)

    def replace(record, /, **changes):
        """As `dataclasses.replace`."""
        cls = type(record)
        copy = cls(*cls.__record_content__(record))
        for name, value in changes.items():
            _set(copy, name, value)
        return copy

    def dataclass(cls=None, /, *, frozen=False, slots=False, eq=True):
        """As `dataclasses.dataclass`; all records have slots."""
        assert slots, "a record has slots"
        return (lambda cls: _record(cls, frozen, eq)) if cls is None else _record(cls, frozen, eq)

    def _record(cls, frozen, eq):
        space = cls.__dict__.copy()
        space.pop("__dict__", None)
        space.pop("__weakref__", None)
        own = tuple(space.get("__annotations__", ()))
        fields = {}  # name to default, `_NO_DEFAULT` or `field`
        for base in cls.__mro__[-2:0:-1]:
            fields |= base.__dict__.get("__record_fields__", {})
        for name in own:
            fields[name] = space.pop(name, _NO_DEFAULT)
        names = tuple(fields)
        content = _content_of(names)
        space["__slots__"] = own
        space["__record_fields__"] = fields
        space["__match_args__"] = names
        space["__record_content__"] = staticmethod(content)
        space["__new__"] = _first_new
        space["__reduce__"] = _reduce
        space.setdefault("__repr__", _repr)
        if eq:
            compared = tuple([name for name in names if type(fields[name]) is not field or fields[name].compare])
            _compare_by(space, content if compared == names else _content_of(compared), frozen)
        if frozen:
            space["__setattr__"] = space["__delattr__"] = _refuse
        return type(cls)(cls.__name__, cls.__bases__, space)

    def _first_new(cls, *values, **named):
        """Set the fields one by one. After a number of objects, the class gets a compiled `__new__` of its own."""
        self = _new(cls)
        names, defaults = cls.__match_args__, cls.__record_fields__
        made = _made[cls] = _made.get(cls, 0) + 1
        if made < _WORTH_COMPILING and len(values) <= len(names):
            for name, value in zip(names, values):
                _set(self, name, value)
            unused = len(named)
            for name in names[len(values) :]:
                if name in named:
                    value = named[name]
                    unused -= 1
                else:
                    value = defaults[name]
                    if type(value) is field:
                        value = value.default if value.factory is None else value.factory()
                    if value is _NO_DEFAULT:
                        break
                _set(self, name, value)
            else:
                if not unused:
                    return self
        _compile_new(cls)
        return cls(*values, **named)

    def _compile_new(cls):
        space = {"__slots__": cls.__slots__, "__setattr__": _set, "__orig_bases__": ()}  # the last for Generic
        twin = type(cls)(cls.__name__, (cls.__base__,), space)
        scope = {"_NO_DEFAULT": _NO_DEFAULT, "new": _new, "twin": twin}
        parameters, body = ["cls"], ["self = new(twin)"]
        for name, default in cls.__record_fields__.items():
            value = name
            factory = None
            if type(default) is field:
                default, factory = default.default, default.factory
            if factory is not None:
                scope[f"make_{name}"] = factory
                parameters.append(f"{name}=_NO_DEFAULT")
                value = f"make_{name}() if {name} is _NO_DEFAULT else {name}"
            elif default is not _NO_DEFAULT:
                scope[f"default_{name}"] = default
                parameters.append(f"{name}=default_{name}")
            else:
                parameters.append(name)
            body.append(f"self.{name} = {value}")
        exec(f"def __new__({', '.join(parameters)}): {'; '.join(body)}; self.__class__ = cls; return self", scope)
        cls.__new__ = scope["__new__"]

    def _content_of(names):
        """What gives the values of some fields of a record."""
        return attrgetter(*names) if len(names) > 1 else lambda record: tuple([getattr(record, name) for name in names])

    def _compare_by(space, content, frozen):
        def equal(self, other):
            return content(self) == content(other) if other.__class__ is self.__class__ else NotImplemented

        space.setdefault("__eq__", equal)
        if "__hash__" not in space or space["__hash__"] is None:
            space["__hash__"] = (lambda self: hash(content(self))) if frozen else None

    def _repr(self):
        shown = (name for name, each in self.__record_fields__.items() if type(each) is not field or each.repr)
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    def _reduce(self):
        return type(self), tuple([getattr(self, name) for name in self.__match_args__])

    def _refuse(self, name, *value):
        raise AttributeError(f"{type(self).__name__} is frozen: {name!r} cannot be changed")

    class _TupleType(type):
        def __new__(meta, name, bases, space):
            if not bases:
                return super().__new__(meta, name, bases, space)
            fields = tuple(space.pop("__annotations__"))
            defaults = [space.pop(field) for field in fields if field in space]
            made = namedtuple(name, fields, defaults=defaults, module=space.pop("__module__"))  # noqa: PYI024
            for key, value in space.items():
                setattr(made, key, value)
            return made

    class NamedTuple(metaclass=_TupleType):
        """As `typing.NamedTuple`."""
