"""DUMP arguments that are directories, for commands that read all rules in them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ipt_explain.cli.shared.options import MAX_DIAGNOSTICS
from ipt_explain.cli.shared.stdio import warn
from ipt_explain.errors import UsageError
from ipt_explain.words import counted

if TYPE_CHECKING:
    from ipt_explain.inputs.nodes.sources import Survey


def files_of(dumps: Sequence[str]) -> tuple[str, ...]:
    """The DUMP arguments with each directory replaced by its files of rules. Warns of files that should have some.

    Raises UsageError for a directory without rules.
    """
    found: list[str] = []
    for path in dumps:
        found += _rules_in(path) if os.path.isdir(path) else [path]
    return tuple(found)


def _rules_in(folder: str) -> list[str]:
    from ipt_explain.inputs.nodes.kinds import FileKind
    from ipt_explain.inputs.nodes.sources import Sources

    survey = Sources([folder]).survey()
    entries = [entry for entry in survey.entries if entry.kind.holds_rules and entry.kind is not FileKind.DIGEST]
    if survey.passed_over or survey.unreadable or any(entry.in_archive for entry in entries):
        _warn_of_skipped(survey)
    files = [entry.path for entry in entries if not entry.in_archive]
    if not files:
        raise UsageError(f"{folder}: no file in this directory holds a node's rules")
    return files


def _warn_of_skipped(survey: Survey) -> None:
    """Name the files of a directory that are not read although a node's rules should be in them."""
    from ipt_explain.compare.fleet.nodes import stray_files, why_no_rules

    archives = dict.fromkeys(entry.container for entry in survey.entries if entry.in_archive)
    skipped = [f"{path} skipped: unpack the archive, or use compare --nodes" for path in archives]
    strays = [entry for entry in stray_files(survey) if not entry.in_archive]
    skipped += [f"{entry.path} skipped: {why_no_rules(entry)}" for entry in strays]
    skipped += [f"{each.path} skipped: {each.why}" for each in survey.unreadable]
    more = len(skipped) - MAX_DIAGNOSTICS
    warn([*skipped[:MAX_DIAGNOSTICS], *([f"{counted(more, 'more file')} skipped"] if more > 0 else [])])
