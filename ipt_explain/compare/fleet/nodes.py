"""Which files belong to which node, and which nodes have no usable file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ipt_explain.inputs.nodes.kinds import FileKind
from ipt_explain.inputs.nodes.names import is_tools, node_names
from ipt_explain.inputs.nodes.sources import SourceFile, Survey
from ipt_explain.records import Record

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
        return self.why if self.path is None else f"{self.path}: {self.why}"


class NodeJob(Record):
    """A node and its files, from which its digest is made."""

    node: str
    entries: tuple[SourceFile, ...]


class NodeFiles(Record):
    """The nodes of all sources, with their files. `passed_over` counts files that say nothing about any node."""

    jobs: tuple[NodeJob, ...]
    not_compared: tuple[NotCompared, ...]
    passed_over: int


def node_files(survey: Survey, node_from: re.Pattern[str] | None) -> NodeFiles:
    """All nodes in the files of a survey. The first group of `node_from` finds a node's name in a path."""
    strays = stray_files(survey)
    all_files = [*survey.entries, *strays]
    named = list(zip(all_files, _names(all_files, node_from)))
    files: dict[str, list[SourceFile]] = {}
    for entry, node in named[: len(survey.entries)]:
        files.setdefault(node, []).append(entry)
    not_compared = [
        NotCompared(item.given or node_names([item.path])[0], item.why, path=item.path) for item in survey.unreadable
    ]
    lost = 0
    for entry, node in named[len(survey.entries) :]:
        # If the node's other files are readable, the comparison reports the families it lacks.
        if node not in files:
            not_compared.append(NotCompared(node, why_no_rules(entry), path=entry.path))
            lost += 1
    jobs = []
    for node, entries in files.items():
        if any(entry.kind.holds_rules or entry.named for entry in entries):
            jobs.append(NodeJob(node, tuple(entries)))
        else:
            kinds = " and ".join(sorted({entry.kind.value for entry in entries}))
            not_compared.append(NotCompared(node, f"only the output of {kinds}, no rules", path=entries[0].path))
    return NodeFiles(tuple(jobs), tuple(not_compared), len(survey.passed_over) - lost)


def _names(entries: Sequence[SourceFile], node_from: re.Pattern[str] | None) -> list[str]:
    unknown = [entry.path for entry in entries if entry.given is None]
    guessed = dict(zip(unknown, node_names(unknown)))
    return [entry.given or _matched(entry.path, node_from) or guessed[entry.path] for entry in entries]


def _matched(path: str, node_from: re.Pattern[str] | None) -> str | None:
    found = None if node_from is None else node_from.search(path)
    return None if found is None else (found[1] if found.re.groups else found[0])


def stray_files(survey: Survey) -> list[SourceFile]:
    """The files without rules that should have some."""
    return [entry for entry in survey.passed_over if _is_a_nodes(entry, survey.entries)]


def _is_a_nodes(entry: SourceFile, accepted: Sequence[SourceFile]) -> bool:
    """Whether a file without rules should have some: it is named like a tool's output, or located like other dumps."""
    if entry.named or entry.given is not None:
        return True
    name = entry.path.rpartition("/")[2]
    if _DOCUMENT.match(name) or entry.first_line.startswith(("{", "[", "<", "apiVersion:")):
        return False
    return not accepted or is_tools(name) or not _places([entry]).isdisjoint(_places(accepted))


def _places(entries: Iterable[SourceFile]) -> set[tuple[str, ...]]:
    """The paths without one of their parts: files that differ in one part are the same file on different nodes."""
    found: set[tuple[str, ...]] = set()
    for entry in entries:
        parts = entry.path.split("/")
        suffix = parts[-1].partition(".")[2] if len(parts[-1].split(".")) == 2 else parts[-1].rpartition(".")[2]
        for index in range(len(parts) - 1):
            found.add((*parts[:index], "*", *parts[index + 1 :]))
        found.add((*parts[:-1], f"*.{suffix}"))
    return found


def why_no_rules(entry: SourceFile) -> str:
    """Why a file says nothing about its node: `it is empty: …`."""
    if entry.kind is FileKind.EMPTY:
        return "it is empty: the command that wrote it failed, or had no permission to read the rules"
    if entry.kind is FileKind.OTHER:
        return f"there are no rules in it; it begins with: {entry.first_line}"
    return f"this is {entry.kind.value}, not a node's rules"
