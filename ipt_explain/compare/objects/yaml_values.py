"""YAML documents as Python values, built from the parser's events in one pass.

PyYAML's own loader makes a node for every value and resolves its type each time, which is six times slower. Kubernetes
objects repeat the same words, so here each plain word's type is resolved once. Limits on nesting and on aliases are
checked before anything larger is built.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from ipt_explain.errors import UsageError
from ipt_explain.inputs.limits import LONGEST_NUMBER, NESTING, YAML_ALIAS_NODES

# Numbers in all forms of YAML 1.1; converting one takes time quadratic in its length.
_NUMBER = re.compile(r"[-+.0-9][-+.0-9_:a-fA-Fxo]*\Z")
_MOST_WORDS = 1 << 16
_PREFIX = "tag:yaml.org,2002:"
_COLLECTIONS = (f"{_PREFIX}map", f"{_PREFIX}seq")
_MERGE = object()


def yaml_documents(text: str, source: str) -> Iterator[Any]:
    """The documents of a YAML text. Raises UsageError for other text, and beyond a limit."""
    import yaml

    try:
        yield from _Builder(text, source).documents()
    except (yaml.YAMLError, ValueError) as error:
        raise _no_yaml(error, source) from None
    except (KeyError, IndexError, TypeError, AttributeError):
        # PyYAML's constructors trust a tag: `!!bool maybe`, `!!int ""`, `!!timestamp x`.
        raise UsageError(f"{source}: a tag (!!) on a value that is not of its type") from None


class _Open:
    """A mapping or list that is being filled."""

    __slots__ = ("anchor", "before", "key", "merged", "value")

    def __init__(self, value: dict[Any, Any] | list[Any], anchor: str | None, before: int) -> None:
        self.value = value
        self.anchor = anchor
        self.before = before
        self.key: Any = _Open  # no key waits for a value
        self.merged: list[dict[Any, Any]] = []

    def take(self, value: Any) -> None:
        if isinstance(self.value, list):
            self.value.append(value)
        elif self.key is _Open:
            self.key = value
        else:
            if self.key is _MERGE:
                self.merged += value if isinstance(value, list) else [value]
            else:
                self.value[self.key] = value
            self.key = _Open

    def finish(self) -> None:
        """Add the mapping named by `<<`, except for keys that already exist."""
        if isinstance(self.value, dict):
            for mapping in self.merged:
                for key, value in dict(mapping).items():
                    self.value.setdefault(key, value)


class _Builder:
    def __init__(self, text: str, source: str) -> None:
        import yaml

        self._yaml = yaml
        self._loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        self._source = source
        self._words: dict[str, Any] = {}
        self._anchors: dict[str, Any] = {}
        self._sizes: dict[str, int] = {}  # of anchored values, with every alias in them expanded
        self._count = 0
        self._repeated = 0
        self._most_repeated = YAML_ALIAS_NODES.value()

    def documents(self) -> Iterator[Any]:
        """Each document, as soon as it ends."""
        yaml = self._yaml
        most_depth = NESTING.value()
        next_event = self._loader.get_event
        stack: list[_Open] = []
        document: Any = None
        while True:
            event = next_event()
            kind = type(event)
            if kind is yaml.ScalarEvent:
                value = self._scalar(event)
            elif kind is yaml.MappingStartEvent or kind is yaml.SequenceStartEvent:
                if len(stack) == most_depth:
                    raise NESTING.exceeded(self._source, "it is nested")
                if event.tag is not None and event.tag not in _COLLECTIONS:
                    raise ValueError(f"could not determine a constructor for the tag {event.tag!r}")
                self._count += 1
                value = {} if kind is yaml.MappingStartEvent else []
                stack.append(_Open(value, event.anchor, self._count))
                if event.anchor is not None:
                    self._anchors[event.anchor] = value
                continue
            elif kind is yaml.MappingEndEvent or kind is yaml.SequenceEndEvent:
                done = stack.pop()
                done.finish()
                if done.anchor is not None:
                    self._sizes[done.anchor] = self._count - done.before + 1
                value = done.value
            elif kind is yaml.AliasEvent:
                value = self._alias(event.anchor)
            elif kind is yaml.DocumentStartEvent:
                self._anchors.clear()
                self._sizes.clear()
                document = None
                continue
            elif kind is yaml.DocumentEndEvent:
                yield document
                continue
            elif kind is yaml.StreamEndEvent:
                return
            else:
                continue
            if stack:
                stack[-1].take(value)
            else:
                document = value

    def _alias(self, anchor: str) -> Any:
        if anchor not in self._anchors:
            raise ValueError(f"found undefined alias {anchor!r}")
        size = self._sizes.get(anchor, 1)
        self._count += size
        self._repeated += size
        if self._repeated > self._most_repeated:
            raise YAML_ALIAS_NODES.exceeded(self._source, "its aliases repeat")
        return self._anchors[anchor]

    def _scalar(self, event: Any) -> Any:
        self._count += 1
        text = event.value
        if len(text) > LONGEST_NUMBER and _NUMBER.match(text):
            raise UsageError(f"{self._source}: a number of {len(text):,} digits fits no field")
        if event.tag is not None:
            value = self._of_tag(event.tag, text)
        elif event.style:
            value = text
        else:
            value = self._words.get(text, _Open)
            if value is _Open:
                value = self._plain(text)
                if len(self._words) < _MOST_WORDS:
                    self._words[text] = value
        if event.anchor is not None:
            self._anchors[event.anchor] = value
            self._sizes[event.anchor] = 1
        return value

    def _plain(self, text: str) -> Any:
        tag = self._loader.resolve(self._yaml.ScalarNode, text, (True, False))
        if tag == f"{_PREFIX}str":
            return text
        return _MERGE if tag == f"{_PREFIX}merge" else self._of_tag(tag, text)

    def _of_tag(self, tag: str, text: str) -> Any:
        if tag in (f"{_PREFIX}str", "!"):
            return text
        return self._loader.construct_object(self._yaml.ScalarNode(tag, text))


def _no_yaml(error: Exception, source: str) -> UsageError:
    why = (str(getattr(error, "problem", None) or error).splitlines() or ["it cannot be read"])[0]
    mark = getattr(error, "problem_mark", None)
    place = f":{mark.line + 1}:{mark.column + 1}" if mark is not None else ""
    return UsageError(f"{source}{place}: this is neither JSON nor YAML: {why}")
