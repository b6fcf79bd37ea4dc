"""The audit's configuration: `select`, `ignore`, `fail-on`, `baseline`, and the tables `severities` and
`per-path-ignores` (overrides.py).

Any other option is an error, as a misspelt one must not silently mean the default.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from ipt_explain.audit.settings.config_files import find_config, read_config
from ipt_explain.audit.settings.overrides import PATHS, SEVERITIES, Overrides, read_overrides
from ipt_explain.audit.settings.selection import Names, nearest, parse_ids
from ipt_explain.errors import UsageError
from ipt_explain.records import dataclass, field, replace

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = ("select", "ignore", "fail-on", "baseline", SEVERITIES, PATHS)
FAIL_ON = ("error", "warning", "info", "never")


@dataclass(frozen=True, slots=True)
class Config:
    """A configuration file's options; None for those that it does not set. `baseline` is relative to the file's
    directory.

    `path` is the file, None if there is none; `unread` are files that were found but not trusted.
    """

    select: tuple[str, ...] | None = None
    ignore: tuple[str, ...] | None = None
    fail_on: str | None = None
    baseline: Path | None = None
    path: Path | None = None
    unread: tuple[Path, ...] = ()
    overrides: Overrides = field(default_factory=Overrides)


def load_config(path: Path | None, known: Names, start: Path | None = None) -> Config:
    """The configuration in `path`, or in the file found from `start` (the working directory).

    Raises UsageError for a file that cannot be read, an unknown option, rule ID or value.
    """
    if path is not None:
        return _config(path, read_config(path), known)
    found = find_config(start)
    if found.path is None:
        return Config(unread=found.unread)
    return replace(_config(found.path, found.options, known), unread=found.unread)


def _config(path: Path, options: Mapping[str, object], known: Names) -> Config:
    for option in options:
        if option not in OPTIONS:
            raise UsageError(f"{path}: unknown option {option}{nearest(option, OPTIONS)} (known: {', '.join(OPTIONS)})")
    fail_on = _text(path, options, "fail-on")
    if fail_on is not None and fail_on not in FAIL_ON:
        raise UsageError(f"{path}: fail-on is {fail_on}{nearest(fail_on, FAIL_ON)} (one of {', '.join(FAIL_ON)})")
    baseline = _text(path, options, "baseline")
    return Config(
        select=_ids(path, options, "select", known),
        ignore=_ids(path, options, "ignore", known),
        fail_on=fail_on,
        baseline=None if baseline is None else path.parent / baseline,
        path=path,
        overrides=read_overrides(path, options, known),
    )


def _text(path: Path, options: Mapping[str, object], name: str) -> str | None:
    value = options.get(name)
    if value is None or isinstance(value, str):
        return value
    raise UsageError(f"{path}: {name} must be a string")


def _ids(path: Path, options: Mapping[str, object], name: str, known: Names) -> tuple[str, ...] | None:
    value = options.get(name)
    if value is None:
        return None
    words = value if isinstance(value, list) else [value]
    texts = [word for word in words if isinstance(word, str)]
    if len(texts) < len(words):
        raise UsageError(f"{path}: {name} must be a list of rule IDs")
    return parse_ids(texts, known, f"{path}: {name}")
