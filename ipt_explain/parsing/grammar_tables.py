"""The parser's tables, kept beside the grammar, since building them takes ten times as long as loading them.

A wheel ships them. In a checkout they are kept where Python keeps compiled modules, in `__pycache__`: who can write
there can change the program itself. They hold numbers and strings only, no code (`marshal`, not `pickle`), and fit one
grammar text and one version of Lark. Where a file doesn't fit or isn't there, the parser is built from the grammar.
"""

from __future__ import annotations

import marshal
import os
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lark
from lark import Lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

if TYPE_CHECKING:
    from importlib.abc import Traversable

TABLES_FILE = "rule.tables"
_CACHE_FOLDER = "__pycache__"
_MARSHAL_VERSION = 4  # read by every Python since 3.4
_DIGEST_SIZE = 32


def load_tables(folder: Traversable | Path, grammar: str, name: str = TABLES_FILE) -> Lark | None:
    """The parser of the grammar from tables in its folder; None where none fit."""
    for place in (folder, folder.joinpath(_CACHE_FOLDER)):
        with suppress(OSError):
            parser = parser_from(place.joinpath(name).read_bytes(), grammar)
            if parser is not None:
                return parser
    return None


def keep_tables(folder: Traversable | Path, grammar: str, parser: Lark, name: str = TABLES_FILE) -> None:
    """Keep a built parser's tables for the next process, if the grammar's folder can be written to."""
    if isinstance(folder, Path):
        with suppress(OSError):
            place = folder / _CACHE_FOLDER
            place.mkdir(exist_ok=True)
            _write(place / name, tables_of(parser, grammar))


def tables_of(parser: Lark, grammar: str) -> bytes:
    """A parser's tables, behind digests of what they fit and of themselves."""
    data, memo = parser.memo_serialize([TerminalDef, Rule])
    data["options"]["edit_terminals"] = None  # a function; it has done its work
    tables = marshal.dumps(_plain({"data": data, "memo": memo}), _MARSHAL_VERSION)
    return b"".join(_digests(grammar, tables)) + tables


def parser_from(stored: bytes, grammar: str) -> Lark | None:
    """The parser that stored tables hold; None where they're damaged or fit another grammar or Lark."""
    tables = stored[2 * _DIGEST_SIZE :]
    if stored[: 2 * _DIGEST_SIZE] != b"".join(_digests(grammar, tables)):
        return None
    return Lark.load(marshal.loads(tables))


def _plain(value: Any) -> Any:
    """The same without subclasses of str, as which older releases of Lark give rules their names."""
    if isinstance(value, dict):
        return {_plain(key): _plain(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_plain, value))
    return str(value) if isinstance(value, str) else value


def _digests(grammar: str, tables: bytes) -> Iterator[bytes]:
    made_of = f"{lark.__version__}\n{_MARSHAL_VERSION}\n{grammar}".encode() + _builder()
    yield sha256(made_of).digest()
    yield sha256(tables).digest()


def _builder() -> bytes:
    """The modules that build the parsers, as their tables depend on them as they do on the grammar."""
    here = Path(__file__).parent
    with suppress(OSError):
        return (here / "grammar_files.py").read_bytes() + (here / "nft" / "grammar.py").read_bytes()
    return b""


def _write(path: Path, content: bytes) -> None:
    """Write a file in one step: another process sees all of it or nothing."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        draft.write_bytes(content)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise
