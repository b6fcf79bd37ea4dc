"""Which files belong to which node, and which nodes have no usable file."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ipt_explain.compare.fleet.places import NodeFolders, NodePlaces, named_by_folder
from ipt_explain.inputs.nodes.kinds import FileKind
from ipt_explain.inputs.nodes.names import node_names
from ipt_explain.inputs.nodes.sources import SourceFile, Survey
from ipt_explain.inputs.nodes.unreadable import UnreadableFile
from ipt_explain.records import Record, replace

_DOCUMENT = re.compile(
    r"(?:readme|licen[cs]e|notes?|changelog|version|timestamp)\b|.*\.(?:md|html?|png|svg|sh|py)$", re.IGNORECASE
)


class NotCompared(Record):
    """A node that cannot be compared, or not in `family` (a word as in JSON), and why; `path` is the file at fault, if
    any. It never counts as equal."""

    node: str
    why: str
    family: str | None = None
    path: str | None = None

    @property
    def reason(self) -> str:
        """The reason, with the file."""
        named = self.path is None or self.why.startswith(f"{self.path}: ")
        return self.why if named else f"{self.path}: {self.why}"


class NodeJob(Record):
    """A node and its files, from which its digest is made."""

    node: str
    entries: tuple[SourceFile, ...]


class NodeFiles(Record):
    """The nodes of all sources, with their files. `passed_over` counts files that say nothing about any node; `unread`
    cannot be read, and are hardly a node's."""

    jobs: tuple[NodeJob, ...]
    not_compared: tuple[NotCompared, ...]
    passed_over: int
    unread: tuple[UnreadableFile, ...] = ()


def node_files(survey: Survey, node_from: re.Pattern[str] | None) -> NodeFiles:
    """All nodes in the files of a survey. The first group of `node_from` finds a node's name in a path."""
    strays = stray_files(survey)
    nodes = _names([*survey.entries, *strays], node_from)
    named = list(zip(survey.entries, nodes))
    lost, unread = _lost_and_unread(survey, named)
    lost += _fruitless(survey, strays, lost)
    files: dict[str, list[SourceFile]] = {}
    for entry, node in named:
        files.setdefault(node, []).append(entry)
    not_compared = [
        NotCompared(node, item.why, path=item.path)
        for item, node in zip(lost, _names_of_lost(lost, [*survey.entries, *strays], node_from))
    ]
    reported = 0
    for entry, node in zip(strays, nodes[len(named) :]):
        # If the node's other files are readable, the comparison reports the families it lacks.
        if node not in files:
            not_compared.append(NotCompared(node, why_no_rules(entry), path=entry.path))
            reported += 1
    jobs = []
    for node, entries in files.items():
        if any(entry.kind.holds_rules or entry.named for entry in entries):
            jobs.append(NodeJob(node, tuple(entries)))
        else:
            kinds = " and ".join(sorted({entry.kind.value for entry in entries}))
            not_compared.append(NotCompared(node, f"only the output of {kinds}, no rules", path=entries[0].path))
    return NodeFiles(tuple(jobs), tuple(not_compared), len(survey.passed_over) - reported, tuple(unread))


def _lost_and_unread(
    survey: Survey, named: Sequence[tuple[SourceFile, str]]
) -> tuple[list[UnreadableFile], list[UnreadableFile]]:
    """What cannot be read and should hold a node's rules, and what need not: a node's other files."""
    places = NodePlaces(survey.entries)
    folders = NodeFolders(named)
    lost: list[UnreadableFile] = []
    unread: list[UnreadableFile] = []
    for each in survey.unreadable:
        if folders.has_like(each.path):
            # If it is a link that leads nowhere, it was one to a directory.
            lost.append(replace(each, folder=True))
        elif each.expected or each.given is not None or not named or (not each.folder and places.has_like(each.path)):
            lost.append(each)
        elif not each.empty:
            unread.append(each)
    return lost, unread


def _fruitless(survey: Survey, strays: Sequence[SourceFile], lost: Sequence[UnreadableFile]) -> list[UnreadableFile]:
    """The sources that should have a node's rules and have none, unless one of their files is reported."""
    if not survey.entries:
        return []
    places = NodePlaces(survey.entries)
    reported = [*(each.path for each in strays), *(each.path for each in lost)]
    return [
        UnreadableFile(each.path, "no file in it holds a node's rules", each.given, folder=True)
        for each in survey.fruitless
        if (each.named or each.given is not None or places.has_like(each.path))
        and not any(path.startswith(f"{each.path.rstrip('/')}/") for path in reported)
    ]


def _names_of_lost(
    lost: Sequence[UnreadableFile], others: Sequence[SourceFile], node_from: re.Pattern[str] | None
) -> list[str]:
    """The nodes of unreadable files and directories. Other files show which part of a file's path names the node."""
    shown = [SourceFile(each.path, each.path, FileKind.EMPTY, each.given) for each in lost if not each.folder]
    of_files = iter(_names([*shown, *others], node_from))
    return [
        each.given or _matched(each.path, node_from) or named_by_folder(each.path) if each.folder else next(of_files)
        for each in lost
    ]


def _names(entries: Sequence[SourceFile], node_from: re.Pattern[str] | None) -> list[str]:
    unknown = [entry.path for entry in entries if entry.given is None]
    guessed = dict(zip(unknown, node_names(unknown)))
    return [entry.given or _matched(entry.path, node_from) or guessed[entry.path] for entry in entries]


def _matched(path: str, node_from: re.Pattern[str] | None) -> str | None:
    found = None if node_from is None else node_from.search(path)
    return None if found is None else (found[1] if found.re.groups else found[0])


def stray_files(survey: Survey) -> list[SourceFile]:
    """The files without rules that should have some."""
    places = NodePlaces(survey.entries)
    return [entry for entry in survey.passed_over if _is_a_nodes(entry, places)]


def _is_a_nodes(entry: SourceFile, places: NodePlaces) -> bool:
    """Whether a file without rules should have some: it is named like a tool's output, or located like other dumps."""
    if entry.named or entry.given is not None:
        return True
    name = entry.path.rpartition("/")[2]
    if _DOCUMENT.match(name) or entry.first_line.startswith(("{", "[", "<", "apiVersion:")):
        return False
    return places.has_like(entry.path)


def why_no_rules(entry: SourceFile) -> str:
    """Why a file says nothing about its node: `it is empty: …`."""
    if entry.kind is FileKind.EMPTY:
        return "it is empty: the command that wrote it failed, or had no permission to read the rules"
    if entry.kind is FileKind.OTHER:
        return f"there are no rules in it; it begins with: {entry.first_line}"
    return f"this is {entry.kind.value}, not a node's rules"
