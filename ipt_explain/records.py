"""`Record`, `field` and `replace` for frozen, slotted records, and `NamedTuple`, much faster than Python's own.

The program has hundreds of record classes, and one command uses a few dozen. Python's `dataclass` creates each class
twice and compiles five methods for it, which took a third of a small dump's time. Here a class is created once, gets a
`__new__` of its own only after its first objects, and inherits all other methods. Creating objects takes a third of
the time, too: a frozen dataclass calls `object.__setattr__` for each field, while a record is created as an object of
a class with the same slots that is not frozen, and then changes its class.

Only what the program uses is supported: `frozen` and `eq` of a class; `default`, `default_factory`, `repr` and
`compare` of a field. `NamedTuple` keeps no annotations: Python's compiles each.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # type checkers see Python's own
    from dataclasses import field as field
    from dataclasses import replace as replace
    from typing import ClassVar
    from typing import NamedTuple as NamedTuple

    from typing_extensions import dataclass_transform

    @dataclass_transform(frozen_default=True, field_specifiers=(field,))
    class Record:
        """As at run time, below."""

        __match_args__: ClassVar[tuple[str, ...]]

        def __init_subclass__(cls, *, frozen: bool = True, eq: bool = True) -> None: ...
else:
    from collections import namedtuple
    from operator import attrgetter

    _NO_DEFAULT = object()
    _WORTH_COMPILING = 48  # Compiling a `__new__` takes as long as creating this many objects without one.
    _made = {}
    _new = object.__new__
    _set = object.__setattr__
    _SETTABLE = {"__setattr__": _set, "__delattr__": object.__delattr__}

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

    class _RecordType(type):
        def __new__(meta, name, bases, space, *, frozen=True, eq=True):
            own = tuple(space.get("__annotations__", ()))
            fields = {}  # name to default, `_NO_DEFAULT` or `field`
            for base in reversed(bases):
                fields |= getattr(base, "__record_fields__", {})
            for field_name in own:
                fields[field_name] = space.pop(field_name, _NO_DEFAULT)
            space["__slots__"] = own
            space["__record_fields__"] = fields
            space["__match_args__"] = names = tuple(fields)
            space["__record_content__"] = space["__record_compared__"] = _content_of(names)
            space["__new__"] = _first_new
            compared = tuple([name for name in names if type(fields[name]) is not field or fields[name].compare])
            if compared != names:
                space["__record_compared__"] = _content_of(compared)
            if not frozen:
                space |= _SETTABLE
                space["__hash__"] = None
            if not eq:
                space["__eq__"], space["__hash__"] = object.__eq__, object.__hash__
            return super().__new__(meta, name, bases, space)

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
        space = {"__slots__": cls.__slots__, **_SETTABLE, "__orig_bases__": ()}  # the last for Generic
        twin = type.__new__(_RecordType, cls.__name__, (cls.__base__,), space)
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
        if len(names) > 1:
            return attrgetter(*names)
        return staticmethod(lambda record: tuple([getattr(record, name) for name in names]))

    class Record(metaclass=_RecordType):
        """The base of frozen, slotted classes whose annotated names are fields, as with `dataclasses.dataclass`.

        `frozen=False`: fields can be set. `eq=False`: objects are compared by identity.
        """

        def __eq__(self, other):
            if other.__class__ is not self.__class__:
                return NotImplemented
            compared = self.__record_compared__
            return compared(self) == compared(other)

        def __hash__(self):
            return hash(self.__record_compared__(self))

        def __repr__(self):
            shown = (name for name, each in self.__record_fields__.items() if type(each) is not field or each.repr)
            return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

        def __reduce__(self):
            return type(self), tuple([getattr(self, name) for name in self.__match_args__])

        def __setattr__(self, name, *value):
            raise AttributeError(f"{type(self).__name__} is frozen: {name!r} cannot be changed")

        __delattr__ = __setattr__

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
