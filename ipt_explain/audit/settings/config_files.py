"""Where the audit's configuration is read from: pyproject.toml `[tool.ipt-explain]`, setup.cfg `[ipt-explain]`, or the
file of `--config`.

A configuration can silence the audit, so a file that is not named on the command line must belong to this repository
and this user. The working directory and those above it are searched up to the repository's root (without a repository,
only the working directory), and another user's file is not read.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from ipt_explain.errors import UsageError
from ipt_explain.inputs.files import read_regular
from ipt_explain.inputs.limits import CONFIG_BYTES
from ipt_explain.records import Record, field

if TYPE_CHECKING:
    from pathlib import Path

_NAMES = ("pyproject.toml", "setup.cfg")
_SECTION = "ipt-explain"


class FoundConfig(Record):
    """The nearest file with our section, and its options; `unread` are nearer files of other users."""

    path: Path | None = None
    options: Mapping[str, object] = field(default_factory=dict)
    unread: tuple[Path, ...] = ()


def read_config(path: Path) -> Mapping[str, object]:
    """The options in a file that the user named. Raises UsageError if it has no section of ours or cannot be read."""
    options = _options(path, read_regular(path, CONFIG_BYTES)[0])
    if options is None:
        raise UsageError(f"{path} has no section [{_SECTION}] or [tool.{_SECTION}]")
    return options


def find_config(start: Path | None) -> FoundConfig:
    """The configuration for `start`, the working directory. Raises UsageError if it cannot be used."""
    unread: list[Path] = []
    for name in _candidates(start):
        if os.path.isfile(name):
            text, owner = read_regular(name, CONFIG_BYTES)
            if _SECTION not in text:
                continue
            from pathlib import Path  # most files have no section of ours, and it takes long to load

            path = Path(name)
            if not _is_ours(path, owner):
                unread.append(path)
                continue
            options = _options(path, text)
            if options is not None:
                return FoundConfig(path, options, tuple(unread))
    return FoundConfig(unread=tuple(unread))


def _candidates(start: Path | None) -> Iterator[str]:
    try:
        folders = [os.path.realpath(start or os.getcwd())]
    except OSError:  # the working directory is gone
        return
    while (above := os.path.dirname(folders[-1])) != folders[-1]:
        folders.append(above)
    root = next((place for place, folder in enumerate(folders) if os.path.lexists(os.path.join(folder, ".git"))), 0)
    for folder in folders[: root + 1]:
        yield from (os.path.join(folder, name) for name in _NAMES)


def _is_ours(path: Path, owner: int) -> bool:
    """Whether the user who runs the program owns a file, and the link where it is one."""
    user = getattr(os, "geteuid", None)
    return user is None or user() == owner == path.lstat().st_uid


def _options(path: Path, text: str) -> Mapping[str, object] | None:
    """The options in our section; None if the file has none."""
    from ipt_explain.inputs.json_values import of_characters

    if of_characters(text) != text:
        raise UsageError(f"{path} is not UTF-8 text")
    return _toml_options(path, text) if path.suffix == ".toml" else _ini_options(path, text)


def _ini_options(path: Path, text: str) -> Mapping[str, object] | None:
    if f"[{_SECTION}]" not in text:
        return None  # most projects' file is none of our business, nor are its faults
    import configparser

    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        raise UsageError(f"{path}: {str(error).splitlines()[0]}") from None
    return dict(parser[_SECTION]) if parser.has_section(_SECTION) else None


def _toml_options(path: Path, text: str) -> Mapping[str, object] | None:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        tools = tomllib.loads(text).get("tool")
    except (ValueError, RecursionError) as error:
        if f"[tool.{_SECTION}" not in text:
            return None
        said = "it is nested too deeply" if isinstance(error, RecursionError) else error
        raise UsageError(f"{path}: {said}") from None
    section = tools.get(_SECTION) if isinstance(tools, dict) else None
    if section is not None and not isinstance(section, dict):
        raise UsageError(f"{path}: tool.{_SECTION} must be a table")
    return section
