"""SOURCE arguments (files, directories read recursively, patterns, archives, `NAME=PATH`) and the files in them."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from typing import BinaryIO

from ipt_explain import progress
from ipt_explain.errors import UsageError
from ipt_explain.inputs.decoding import read_stream
from ipt_explain.inputs.files import STANDARD_INPUT
from ipt_explain.inputs.nodes.archives import DAMAGE, Member, members
from ipt_explain.inputs.nodes.finding import FoundFile, found_files
from ipt_explain.inputs.nodes.kinds import FileKind, kind_of
from ipt_explain.inputs.nodes.packing import HEAD, Unpacked, unpacked
from ipt_explain.inputs.nodes.unreadable import UnreadableFile, why_unreadable
from ipt_explain.inputs.nodes.urls import is_url, open_url
from ipt_explain.records import Record, field

_SHOWN = 120


class SourceFile(Record):
    """A file, or a member of an archive.

    `path` is its name for people; `container` the file on disk that holds it: `path` itself or an archive. `given` is
    the node's name if the command line has it (`NAME=PATH`), `named` whether it names this very file. `first_line` is
    the start of a text without a node's rules.
    """

    path: str
    container: str
    kind: FileKind
    given: str | None = None
    named: bool = False
    first_line: str = ""

    @property
    def in_archive(self) -> bool:
        """Whether it has to be read through its archive."""
        return self.path != self.container


class FruitlessSource(Record):
    """A source without a node's rules. `named`: the command line names it."""

    path: str
    given: str | None
    named: bool


class Survey(Record, frozen=False):
    """The files in the sources. `passed_over` are the empty files and those without a node's rules, `fruitless` the
    archives and the directories on the command line that have no others."""

    entries: list[SourceFile] = field(default_factory=list)
    unreadable: list[UnreadableFile] = field(default_factory=list)
    passed_over: list[SourceFile] = field(default_factory=list)
    fruitless: list[FruitlessSource] = field(default_factory=list)


class Sources:
    """The files of many nodes. First recognises all of them, then reads the wanted ones, one at a time."""

    def __init__(self, arguments: Iterable[str]) -> None:
        expanded = list(found_files(arguments))
        self._files = [each for each in expanded if isinstance(each, FoundFile)]
        self._lost = [each for each in expanded if isinstance(each, UnreadableFile)]
        if self._lost and not self._files and all(each.empty for each in self._lost):
            raise UsageError("; ".join(f"{each.path}: {each.why}" for each in self._lost if each.expected))
        if sum(file.path == STANDARD_INPUT for file in self._files) > 1:
            raise UsageError("standard input (-) can be read only once")
        self._standard_input: bytes | None = None

    def survey(self) -> Survey:
        """The kind of each file, by its beginning. Faults are recorded and do not stop the survey."""
        found = Survey(unreadable=list(self._lost))
        fruitless = {file.folder: FruitlessSource(file.folder, file.given, True) for file in self._files if file.folder}
        for file in progress.each_of(self._files, "looking for dumps"):
            known = len(found.entries) + len(found.unreadable)
            is_archive = opened = False
            try:
                with self._opened(file.path) as raw:
                    opened = True
                    stream = unpacked(raw, file.path)
                    inner = members(stream, file.path)
                    if inner is None:
                        self._note(found, _entry(file.path, file, stream.peek(HEAD)))
                    else:
                        is_archive = True
                        for member in inner:
                            self._note(found, _entry(f"{file.path}/{member.path}", file, member.stream.peek(HEAD)))
            except DAMAGE as error:
                why = why_unreadable(error)
                found.unreadable.append(UnreadableFile(file.path, why, file.given, expected=opened or file.named))
            if len(found.entries) + len(found.unreadable) > known:
                fruitless.pop(file.folder, None)
            elif is_archive:
                found.fruitless.append(FruitlessSource(file.path, file.given, file.named))
        found.fruitless += fruitless.values()
        return found

    @staticmethod
    def _note(found: Survey, entry: SourceFile) -> None:
        # Read a file named on the command line as a dump even if it looks different, to report its faults by line.
        useful = entry.kind.belongs_to_a_node or (entry.named and entry.kind is not FileKind.EMPTY)
        (found.entries if useful else found.passed_over).append(entry)

    def contents(self, entries: Sequence[SourceFile]) -> Iterator[tuple[SourceFile, bytes | UnreadableFile]]:
        """The bytes of entries, unpacked; those of one archive in its order, in a single pass."""
        by_container: dict[str, dict[str, list[SourceFile]]] = {}
        for entry in entries:
            by_container.setdefault(entry.container, {}).setdefault(entry.path, []).append(entry)
        for container, wanted in by_container.items():
            try:
                with self._opened(container) as raw:
                    yield from self._wanted(container, unpacked(raw, container), wanted)
            except DAMAGE as error:
                for entry in [each for of_path in wanted.values() for each in of_path]:
                    yield entry, UnreadableFile(entry.path, why_unreadable(error), entry.given)

    @staticmethod
    def _wanted(
        container: str, stream: Unpacked, wanted: dict[str, list[SourceFile]]
    ) -> Iterator[tuple[SourceFile, bytes | UnreadableFile]]:
        inner = members(stream, container)
        for member in [Member("", stream)] if inner is None else inner:
            path = f"{container}/{member.path}" if member.path else container
            entries = wanted.pop(path, None)
            if entries:
                content = _content(path, member.stream)
                yield from ((entry, content) for entry in entries)
            if not wanted:
                return
        for path, entries in wanted.items():
            yield from ((entry, UnreadableFile(path, "it has gone since the search")) for entry in entries)

    def _opened(self, path: str) -> BinaryIO:
        if is_url(path):
            return open_url(path)
        if path != STANDARD_INPUT:
            return open(path, "rb")
        if self._standard_input is None:
            if sys.stdin is None:
                raise UsageError("standard input (-) is closed")
            # Standard input is read twice: for the survey and for its content.
            self._standard_input = read_stream(sys.stdin.buffer, "standard input")
        return io.BytesIO(self._standard_input)


def _entry(path: str, file: FoundFile, head: bytes) -> SourceFile:
    kind = kind_of(head)
    first_line = ""
    if kind is FileKind.OTHER:
        first_line = head.strip().split(b"\n", 1)[0][:_SHOWN].decode("utf-8", "backslashreplace").strip()
    return SourceFile(path, file.path, kind, file.given, file.named and path == file.path, first_line)


def _content(path: str, stream: Unpacked) -> bytes | UnreadableFile:
    """All of a file. A fault in one file of an archive does not affect others that can still be reached."""
    try:
        return read_stream(stream, path)
    except DAMAGE as error:
        return UnreadableFile(path, why_unreadable(error))
