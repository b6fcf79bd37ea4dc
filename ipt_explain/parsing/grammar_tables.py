"""The parser's tables, stored in files because building them takes ten times as long as loading them.

A wheel ships them. In a checkout they are in `__pycache__` like Python's compiled modules: whoever can write there can
change the program itself. If neither fits, for example because of another release of Lark, they are built once and
stored in the user's cache folder. They hold only numbers and strings, no code (`marshal`, not `pickle`), and fit one
grammar text and one version of Lark. Without a file that fits, the parser is built from the grammar.
"""

from __future__ import annotations

import marshal
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lark
from lark import Lark
from lark.grammar import Rule
from lark.lexer import TerminalDef

from ipt_explain.errors import UsageError
from ipt_explain.outputs import write_file
from ipt_explain.parsing.tables_cache import keep_cached, read_cached

if TYPE_CHECKING:
    from importlib.abc import Traversable

TABLES_FILE = "rule.tables"
_CACHE_FOLDER = "__pycache__"
_MARSHAL_VERSION = 4  # readable since Python 3.4
_DIGEST_SIZE = 32
_SHIFT = 0  # Lark's code for actions that lead to a state; the others reduce by a rule


def load_tables(folder: Traversable | Path, grammar: str, name: str = TABLES_FILE) -> Lark | None:
    """The grammar's parser from tables in its folder or in the user's cache; None if none fit."""
    for place in (folder, folder.joinpath(_CACHE_FOLDER)):
        with suppress(OSError):
            parser = parser_from(place.joinpath(name).read_bytes(), grammar)
            if parser is not None:
                return parser
    cached = read_cached(_cache_name(grammar))
    return None if cached is None else parser_from(cached, grammar)


def keep_tables(folder: Traversable | Path, grammar: str, parser: Lark, name: str = TABLES_FILE) -> None:
    """Store a parser's tables for the next process: in the grammar's folder if writable, else in the user's cache."""
    tables = tables_of(parser, grammar)
    if isinstance(folder, Path):
        with suppress(OSError, UsageError):
            place = folder / _CACHE_FOLDER
            place.mkdir(exist_ok=True)
            write_file(place / name, [tables])
            return
    keep_cached(_cache_name(grammar), tables)


def _cache_name(grammar: str) -> str:
    """A name for each grammar and Lark, so that installations do not keep overwriting each other's tables."""
    return f"{sha256(_made_of(grammar)).hexdigest()[:16]}.tables"


def tables_of(parser: Lark, grammar: str) -> bytes:
    """A parser's tables, preceded by digests of what they fit and of themselves."""
    data, memo = parser.memo_serialize([TerminalDef, Rule])
    data["options"]["edit_terminals"] = None  # a function, no longer needed
    data["parser"]["parser"] = _in_order(data["parser"]["parser"])
    tables = marshal.dumps(_plain({"data": data, "memo": memo}, {}), _MARSHAL_VERSION)
    return b"".join(_digests(grammar, tables)) + tables


def _in_order(automaton: dict[str, Any]) -> dict[str, Any]:
    """An LALR automaton with tokens numbered by name, and states in the order they are reached from the start.

    Lark's numbers depend on the order of its sets, so two builds would differ.
    """
    names = sorted(automaton["tokens"].values())
    number_of = {name: number for number, name in enumerate(names)}
    actions = {
        state: sorted(
            ((number_of[automaton["tokens"][token]], action) for token, action in row.items()), key=itemgetter(0)
        )
        for state, row in automaton["states"].items()
    }
    numbers: dict[int, int] = {}
    waiting = [state for _, state in sorted(automaton["start_states"].items())]
    for state in waiting:
        if state not in numbers:
            numbers[state] = len(numbers)
            waiting.extend(following for _, (kind, following) in actions[state] if kind == _SHIFT)
    return {
        **automaton,
        "tokens": dict(enumerate(names)),
        "states": {
            number: {
                token: (kind, numbers[following] if kind == _SHIFT else following)
                for token, (kind, following) in actions[state]
            }
            for state, number in numbers.items()
        },
        "start_states": {start: numbers[state] for start, state in sorted(automaton["start_states"].items())},
        "end_states": {start: numbers[state] for start, state in sorted(automaton["end_states"].items())},
    }


def parser_from(stored: bytes, grammar: str) -> Lark | None:
    """The parser in stored tables; None if they are damaged or fit another grammar or Lark."""
    tables = stored[2 * _DIGEST_SIZE :]
    if stored[: 2 * _DIGEST_SIZE] != b"".join(_digests(grammar, tables)):
        return None
    return Lark.load(marshal.loads(tables))


def _plain(value: Any, known: dict[tuple[type, Any], Any]) -> Any:
    """The same without subclasses of str, which older releases of Lark use for names of rules, and with equal words and
    numbers as one object, which `marshal` writes only once."""
    if isinstance(value, dict):
        return {_plain(key, known): _plain(each, known) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)([_plain(each, known) for each in value])
    atom = str(value) if isinstance(value, str) else value
    return known.setdefault((type(atom), atom), atom)


def _digests(grammar: str, tables: bytes) -> Iterator[bytes]:
    yield sha256(_made_of(grammar)).digest()
    yield sha256(tables).digest()


def _made_of(grammar: str) -> bytes:
    return f"{lark.__version__}\n{_MARSHAL_VERSION}\n{grammar}".encode() + _builder()


def _builder() -> bytes:
    """The source of the modules that build the parsers: tables depend on them as on the grammar."""
    here = Path(__file__).parent
    with suppress(OSError):
        return (here / "grammar_files.py").read_bytes() + (here / "nft" / "grammar.py").read_bytes()
    return b""
