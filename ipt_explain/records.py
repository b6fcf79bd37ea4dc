"""`dataclass`, `field` and `replace` for the program's records, at a fraction of the time that Python's own take.

The program has hundreds of classes of frozen, slotted records, of which one command uses a few dozen. For each class,
Python's `dataclass` writes and compiles five methods: that took a third of the time of a small dump. Here a class gets
its `__init__` once some of its objects have been made, and shares all other methods. Its objects are made in half the
time, too: a frozen dataclass sets its fields through `object.__setattr__`, a record through the slots themselves.

Of the options it knows those that the program uses: `frozen`, `slots` and `eq`; `default`, `default_factory`, `repr`
and `compare` of a field.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # to a type checker they are Python's own
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import replace as replace
else:
    from operator import attrgetter

    _NO_DEFAULT = object()
    _WORTH_COMPILING = 20  # Compiling an `__init__` takes as long as making so many objects without one.
    _made = {}

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
        values = {name: getattr(record, name) for name in record.__match_args__}
        return type(record)(**(values | changes))

    def dataclass(cls=None, /, *, frozen=False, slots=False, eq=True):
        """As `dataclasses.dataclass`; all records have slots."""
        assert slots, "a record has slots"
        return (lambda cls: _record(cls, frozen, eq)) if cls is None else _record(cls, frozen, eq)

    def _record(cls, frozen, eq):
        space = dict(cls.__dict__)
        own = {name: _field_of(space.pop(name, _NO_DEFAULT)) for name in space.get("__annotations__", ())}
        fields = {}
        for base in reversed(cls.__mro__[1:]):
            fields |= base.__dict__.get("__record_fields__", {})
        fields |= own
        for name in ("__dict__", "__weakref__"):
            space.pop(name, None)
        space |= {"__slots__": tuple(own), "__record_fields__": fields, "__match_args__": tuple(fields)}
        space |= {"__init__": _first_init, "__reduce__": _reduce}
        space.setdefault("__repr__", _repr)
        if eq:
            _compare_by(space, [name for name, each in fields.items() if each.compare], frozen)
        if frozen:
            space |= {"__setattr__": _refuse, "__delattr__": _refuse}
        return type(cls)(cls.__name__, cls.__bases__, space)

    def _field_of(default):
        return default if isinstance(default, field) else field(default=default)

    def _first_init(self, *values, **named):
        """Sets the fields one by one. From some object of the class on, it has an `__init__` of its own, compiled."""
        cls = next(base for base in type(self).__mro__ if base.__dict__.get("__init__") is _first_init)
        fields = cls.__record_fields__
        made = _made[cls] = _made.get(cls, 0) + 1
        left = dict(zip(fields, values)) | named
        if made < _WORTH_COMPILING and len(left) == len(values) + len(named):
            for name, each in fields.items():
                value = left.pop(name, each.default)
                if value is _NO_DEFAULT:
                    if each.factory is None:
                        break
                    value = each.factory()
                object.__setattr__(self, name, value)
            else:
                if not left:
                    return
        _compile_init(cls)
        cls.__init__(self, *values, **named)

    def _compile_init(cls):
        scope, parameters, body = {"_NO_DEFAULT": _NO_DEFAULT}, ["self"], []
        for name, each in cls.__record_fields__.items():
            scope[f"set_{name}"] = getattr(cls, name).__set__
            value = name
            if each.factory is not None:
                scope[f"make_{name}"] = each.factory
                parameters.append(f"{name}=_NO_DEFAULT")
                value = f"make_{name}() if {name} is _NO_DEFAULT else {name}"
            elif each.default is not _NO_DEFAULT:
                scope[f"default_{name}"] = each.default
                parameters.append(f"{name}=default_{name}")
            else:
                parameters.append(name)
            body.append(f"set_{name}(self, {value})")
        exec(f"def __init__({', '.join(parameters)}): {'; '.join(body) or 'pass'}", scope)
        cls.__init__ = scope["__init__"]

    def _compare_by(space, names, frozen):
        content = attrgetter(*names) if names else lambda record: ()

        def equal(self, other):
            return content(self) == content(other) if other.__class__ is self.__class__ else NotImplemented

        space.setdefault("__eq__", equal)
        if "__hash__" not in space or space["__hash__"] is None:
            space["__hash__"] = (lambda self: hash(content(self))) if frozen else None

    def _repr(self):
        shown = (name for name, each in self.__record_fields__.items() if each.repr)
        return f"{type(self).__qualname__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"

    def _reduce(self):
        return type(self), tuple([getattr(self, name) for name in self.__match_args__])

    def _refuse(self, name, *value):
        raise AttributeError(f"{type(self).__name__} is frozen: {name!r} cannot be changed")
