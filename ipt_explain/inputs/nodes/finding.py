"""The files of SOURCE arguments: files, directories searched recursively, patterns, URLs, `NAME=PATH`."""

from __future__ import annotations

import glob
import os
from collections.abc import Iterable, Iterator

from ipt_explain.errors import UsageError
from ipt_explain.inputs.nodes.unreadable import UnreadableFile, why_unreadable
from ipt_explain.inputs.nodes.urls import is_url, url_files
from ipt_explain.records import Record, replace

_LOST_AND_FOUND = "lost+found"  # of the file system, and only root may read it


class FoundFile(Record):
    """A file, with the node's name if the command line has it (`NAME=PATH`). `named`: the command line names this very
    file; else `folder` is the directory that it names, if any."""

    path: str
    given: str | None
    named: bool
    folder: str = ""


def found_files(arguments: Iterable[str]) -> Iterator[FoundFile | UnreadableFile]:
    """The files of arguments, and what cannot be read. Raises UsageError for a pattern without matches."""
    for argument in arguments:
        name, equals, rest = argument.partition("=")
        given = bool(equals and name and rest) and "/" not in name and not os.path.exists(argument)
        path = rest if given else argument
        node = name if given else None
        if is_url(path):
            for each in url_files(path):
                yield FoundFile(each, node, each == path)
        elif os.path.isdir(path):
            files, lost = _walked(path)
            if not files and all(each.empty for each in lost):
                why = "there is no file in this directory"
                lost = [UnreadableFile(path, why, folder=True, empty=True, expected=True)]
            yield from (FoundFile(each, node, False, path) for each in files)
            yield from (replace(each, given=node) for each in lost)
        elif not os.path.exists(path) and glob.has_magic(path):
            yield from _matching(path, node)
        else:
            yield FoundFile(path, node, True)


def _matching(pattern: str, node: str | None) -> Iterator[FoundFile | UnreadableFile]:
    """The files that match a pattern, and those in matching directories."""
    files: list[str] = []
    lost: list[UnreadableFile] = []
    for path in sorted(glob.glob(pattern, recursive=True)):
        if os.path.isdir(path):
            inner, lost_there = _walked(path)
            files += inner
            lost += lost_there
        else:
            files.append(path)
    if not files and all(each.empty for each in lost):
        raise UsageError(f"{pattern}: no file matches")
    # `**` follows links, and may find a file several times.
    once: dict[str, str] = {}
    for path in sorted(files, key=len):
        once.setdefault(os.path.realpath(path), path)
    yield from (FoundFile(path, node, False) for path in sorted(once.values()))
    yield from (replace(each, given=node) for each in {each.path: each for each in lost}.values())


def _walked(folder: str) -> tuple[list[str], list[UnreadableFile]]:
    """All regular files below a folder, sorted, without links into the folder itself, which would repeat files; and
    what cannot be read. Links to other directories are not followed: in a copy of a node's files they may lead to this
    machine's own."""
    root = os.path.realpath(folder)
    found: list[str] = []
    lost: list[UnreadableFile] = []

    def leads_out(path: str) -> bool:
        return not f"{os.path.realpath(path)}{os.sep}".startswith(root.rstrip(os.sep) + os.sep)

    def note(error: OSError) -> None:
        lost.append(UnreadableFile(str(error.filename), why_unreadable(error), folder=True))

    for place, folders, names in os.walk(folder, onerror=note):
        if not folders and not names:
            lost.append(UnreadableFile(place, "this directory is empty", folder=True, empty=True))
        folders[:] = sorted(each for each in folders if not each.startswith(".") and each != _LOST_AND_FOUND)
        for path in (os.path.join(place, name) for name in folders):
            if os.path.islink(path) and leads_out(path):
                lost.append(UnreadableFile(path, "links to directories are not followed", folder=True))
        for name in sorted(names):
            path = os.path.join(place, name)
            link = os.path.islink(path)
            if name.startswith("."):
                continue
            if link and not os.path.exists(path):
                lost.append(UnreadableFile(path, "this link leads nowhere"))
            elif os.path.isfile(path) and not (link and not leads_out(path)):
                found.append(path)
    return found, lost
