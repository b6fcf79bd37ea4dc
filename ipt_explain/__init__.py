"""Explain, audit and trace the iptables rules that kube-proxy writes.

The names in `__all__` are the public API; everything else may change. Importing the package costs next to nothing:
each name loads its module on first use.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipt_explain.api import audit, explain, parse, trace
    from ipt_explain.errors import DumpSyntaxError
    from ipt_explain.model import Dump
    from ipt_explain.trace import Packet

__version__ = "0.1.0"

__all__ = ["Dump", "DumpSyntaxError", "Packet", "__version__", "audit", "explain", "parse", "trace"]

_HOMES = {
    "Dump": "ipt_explain.model",
    "DumpSyntaxError": "ipt_explain.errors",
    "Packet": "ipt_explain.trace",
    "audit": "ipt_explain.api",
    "explain": "ipt_explain.api",
    "parse": "ipt_explain.api",
    "trace": "ipt_explain.api",
}


def __getattr__(name: str) -> Any:
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _Package(ModuleType):
    """Protects the functions `ipt_explain.audit` and `ipt_explain.trace`, which importing the sub-packages of the same
    names would overwrite."""

    def __setattr__(self, name: str, value: Any) -> None:
        if not (name in _HOMES and isinstance(value, ModuleType)):
            super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
