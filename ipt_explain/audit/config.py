"""The audit's configuration: setup.cfg `[ipt-explain]`, pyproject.toml `[tool.ipt-explain]`, or a file named by
`--config`.

Without `--config` the working directory and then each directory above it is searched, up to the root of a repository;
the first file with such a section counts. Options: `select`, `ignore`, `fail-on`, `baseline`. Anything else there is
an error, for a misspelt option must not silently mean the default.
"""

from __future__ import annotations

import configparser
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ipt_explain.audit.selection import nearest, parse_ids
from ipt_explain.errors import UsageError

OPTIONS = ("select", "ignore", "fail-on", "baseline")
FAIL_ON = ("error", "warning", "info", "never")
_SECTION = "ipt-explain"


@dataclass(frozen=True, slots=True)
class Config:
    """What a configuration file says; None where it says nothing. `baseline` is relative to the file's directory."""

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    fail_on: str | None = None
    baseline: Path | None = None


def load_config(path: Path | None, known_ids: Iterable[str], start: Path | None = None) -> Config:
    """The configuration in `path`, or in the nearest file from `start` (the working directory) upward.

    Raises UsageError for a file that cannot be read, an unknown option, rule ID or value.
    """
    if path is not None:
        options = _read(path)
        if options is None:
            raise UsageError(f"{path} has no section [{_SECTION}] or [tool.{_SECTION}]")
        return _config(path, options, known_ids)
    for directory in _upward((start or Path.cwd()).resolve()):
        for name in ("pyproject.toml", "setup.cfg"):
            candidate = directory / name
            options = _read(candidate) if candidate.is_file() else None
            if options is not None:
                return _config(candidate, options, known_ids)
    return Config()


def _upward(start: Path) -> Iterable[Path]:
    for directory in (start, *start.parents):
        yield directory
        if (directory / ".git").exists():
            return


def _read(path: Path) -> Mapping[str, object] | None:
    """The options of the section that is ours; None where the file has none."""
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UsageError(f"{path} is not UTF-8 text") from None
    if path.suffix == ".toml":
        return _read_toml(path, text)
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(text)
    except configparser.Error as error:
        if f"[{_SECTION}]" not in text:
            return None
        raise UsageError(f"{path}: {str(error).splitlines()[0]}") from None
    return dict(parser[_SECTION]) if parser.has_section(_SECTION) else None


def _read_toml(path: Path, text: str) -> Mapping[str, object] | None:
    if f"[tool.{_SECTION}" not in text:
        return None  # most projects' file is none of our business, nor are its faults
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    try:
        tools = tomllib.loads(text).get("tool", {})
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: {error}") from None
    section = tools.get(_SECTION)
    return section if isinstance(section, dict) else None


def _config(path: Path, options: Mapping[str, object], known_ids: Iterable[str]) -> Config:
    for option in options:
        if option not in OPTIONS:
            raise UsageError(f"{path}: unknown option {option}{nearest(option, OPTIONS)} (known: {', '.join(OPTIONS)})")
    fail_on = _text(path, options, "fail-on")
    if fail_on is not None and fail_on not in FAIL_ON:
        raise UsageError(f"{path}: fail-on is {fail_on}{nearest(fail_on, FAIL_ON)} (one of {', '.join(FAIL_ON)})")
    baseline = _text(path, options, "baseline")
    ids = list(known_ids)
    return Config(
        select=_ids(path, options, "select", ids),
        ignore=_ids(path, options, "ignore", ids),
        fail_on=fail_on,
        baseline=None if baseline is None else path.parent / baseline,
    )


def _text(path: Path, options: Mapping[str, object], name: str) -> str | None:
    value = options.get(name)
    if value is None or isinstance(value, str):
        return value
    raise UsageError(f"{path}: {name} must be a string")


def _ids(path: Path, options: Mapping[str, object], name: str, known: list[str]) -> tuple[str, ...] | None:
    value = options.get(name)
    if value is None:
        return None
    words = value if isinstance(value, list) else [value]
    texts = [word for word in words if isinstance(word, str)]
    if len(texts) < len(words):
        raise UsageError(f"{path}: {name} must be a list of rule IDs")
    return parse_ids(texts, known, f"{path}: {name}")
