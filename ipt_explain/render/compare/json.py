"""Output of `compare -o json` for two dumps and for many nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from json.encoder import encode_basestring_ascii

from ipt_explain.columns import columns
from ipt_explain.compare.differences import JSON_FIELDS, Difference, Value
from ipt_explain.compare.fleet.comparison import FleetComparison
from ipt_explain.render.json_text import json_text
from ipt_explain.services.json_columns import texts

SCHEMA = "ipt-explain/compare/2"

_NEXT = "\n" + " " * 6
_DIFFERENCE = "\n    {" + ",".join(f'{_NEXT}"{field}": %s' for field in JSON_FIELDS) + "\n    }"
_MOST_NAMES = 200_000
"""If all sets of nodes together have more names, the larger side of a difference is shortened."""


def compare_json(differences: Sequence[Difference], notes: Sequence[str], equal: bool) -> Iterator[str]:
    """The differences of two dumps as one JSON document, in pieces. `notes` say what could not be compared, `equal`
    whether all was."""
    kinds, services, protocols, families, subjects, *values = columns(differences, JSON_FIELDS)
    words = [[each.value for each in enums] for enums in (kinds, families)]
    in_order = (words[0], services, protocols, words[1], subjects, *values)
    yield from _document({"schema": SCHEMA, "equal": equal}, zip(*map(_in_json, in_order)), notes)


def fleet_json(comparison: FleetComparison) -> Iterator[str]:
    """The differences of many nodes as one JSON document, in pieces. It names each set of nodes once."""
    sets = _NodeSets(comparison)
    differences = [difference.to_json(sets.sides(difference)) for difference in comparison.differences]
    releases: dict[str, list[str]] = {}
    for node, release in comparison.release_of.items():
        releases.setdefault(release, []).append(node)
    document = {
        "schema": SCHEMA,
        "equal": comparison.equal,
        "nodes": comparison.nodes,
        "services": {"agreed": comparison.services, "of": comparison.of},
        "node_sets": sets.to_json(),
        "not_compared": [
            {"node": each.node, "family": each.family, "why": each.reason} for each in comparison.not_compared
        ],
        "releases": dict(sorted(releases.items())),
    }
    yield from _document(document, (map(_nested, each.values()) for each in differences), comparison.notes)


def _document(first: Mapping[str, object], differences: Iterable[Iterable[str]], notes: Sequence[str]) -> Iterator[str]:
    """A document's first members, then its differences, each by its values in JSON, and notes. It is indented as by
    `json_text`, which takes ten times as long.
    """
    yield json_text(first, indent=2).removesuffix("\n}") + ',\n  "differences": ['
    end = "]"
    for number, difference in enumerate(differences):
        yield ("," if number else "") + _DIFFERENCE % tuple(difference)
        end = "\n  ]"
    yield end + json_text({"notes": list(notes)}, indent=2).replace("{", ",", 1) + "\n"


def _in_json(values: Sequence[Value]) -> Iterable[str]:
    """The values of one member of many differences."""
    if set(map(type, values)) == {str}:
        mark, each = texts(values)  # type: ignore[arg-type]  # as just asked
        return [f"{mark}{text}{mark}" for text in each]
    return map(_nested, values)


def _nested(value: Value) -> str:
    """The value of a difference's member."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return encode_basestring_ascii(value).replace("\x7f", "\\u007f")
    return json_text(value, indent=2).replace("\n", _NEXT)


class _NodeSets:
    """Sets of nodes by number. If they would hold too many names, the majority's side lists only the nodes that are on
    it in every difference: `before` is true of all of them, and perhaps of others."""

    def __init__(self, comparison: FleetComparison) -> None:
        self._ids: dict[tuple[str, ...], int] = {}
        pairs = {difference.nodes for difference in comparison.differences if difference.nodes is not None}
        self._common: tuple[str, ...] | None = None
        if sum(len(each) for each in {side for pair in pairs for side in pair}) > _MOST_NAMES:
            odd = {node for pair in pairs for node in pair[1]}
            self._common = tuple(node for node in max((pair[0] for pair in pairs), key=len) if node not in odd) or None

    def sides(self, difference: Difference) -> Value:
        """The ids of the sets on both sides of a difference."""
        if difference.nodes is None:
            return None
        before, after = difference.nodes
        if self._common is not None and len(before) >= len(self._common):
            before = self._common
        return {"before": self._id(before), "after": self._id(after)}

    def to_json(self) -> dict[str, list[str]]:
        """All sets that were named, by id."""
        return {str(number): list(names) for names, number in self._ids.items()}

    def _id(self, names: tuple[str, ...]) -> int:
        return self._ids.setdefault(names, len(self._ids) + 1)
