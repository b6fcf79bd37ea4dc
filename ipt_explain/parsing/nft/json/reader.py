"""Converting `nft -j list ruleset` to a ruleset. The document's objects may come in any order."""

from __future__ import annotations

import json
from typing import Any

from ipt_explain.errors import Diagnostic
from ipt_explain.model import nft
from ipt_explain.parsing.nft.assembly import ChainDraft, RulesetDraft, SetDraft, TableDraft
from ipt_explain.parsing.nft.json.cutting import cut_at, leave_out_parts, whole_items
from ipt_explain.parsing.nft.json.expressions import element_of
from ipt_explain.parsing.nft.json.statements import statement_of
from ipt_explain.parsing.nft.normal import priority_of, usual_reject

_REMEDY = "Give what `nft -j list ruleset` prints, whole."
_OTHER_FLAGS = frozenset({"owner", "persist"})
_OBJECTS = frozenset(
    {"counter", "quota", "limit", "secmark", "synproxy", "flowtable", "ct helper", "ct timeout", "ct expectation"}
)


class JsonReader:
    """Reads one document. Faults are collected, not raised; unknown statements are not faults.

    `line` is where the document begins.
    """

    def __init__(self, source: str) -> None:
        self.draft = RulesetDraft(source)
        self.faults: list[Diagnostic] = []
        self._source = source
        self.line = 1
        self._last_chain: ChainDraft | None = None

    def read(self, text: str, first_line: int) -> None:
        """Read a document that begins at line `first_line` of the source."""
        self.line = first_line
        cut = None
        try:
            document = json.loads(text)
        except json.JSONDecodeError as error:
            document = whole_items(text) if cut_at(text, error) is not None else []
            if not document:
                self._refuse(text, error.lineno, error.colno, f"the JSON of nft ends or breaks here ({error.msg})")
                return
            cut = self.line + error.lineno - 1
        except (RecursionError, ValueError):
            self._refuse(text, 1, 1, "this JSON nests deeper, or holds larger numbers, than nft's does")
            return
        items = document.get("nftables") if isinstance(document, dict) else document
        if not isinstance(items, list):
            self._refuse(text, 1, 1, "this JSON is not nft's: its `nftables` is not a list")
            return
        strange: list[str] = []
        for item in items:
            try:
                ((kind, body),) = item.items()
                self._read_object(kind, body)
            except (KeyError, ValueError, TypeError, AttributeError):
                strange.append(json.dumps(item, ensure_ascii=False)[:60])
        if cut is not None:
            leave_out_parts(self.draft, self._last_chain)
            self.draft.warnings.append(
                f"{self._source}:{cut}: the JSON of nft is cut off here: chains that may lack rules are left out"
            )
        if strange:
            self._refuse(text, 1, 1, f"{len(strange)} of its objects are not nft's: {strange[0]}")

    def _refuse(self, text: str, line: int, column: int, message: str) -> None:
        lines = text.split("\n", line)
        excerpt = lines[line - 1] if line <= len(lines) else ""
        start = max(0, column - 60)
        excerpt, column = excerpt[start : start + 120], column - start
        self.faults.append(Diagnostic(self._source, self.line + line - 1, column, message, excerpt, 1, "", _REMEDY))

    def _read_object(self, kind: str, body: Any) -> None:
        if kind == "rule":
            self._read_rule(body)
        elif kind == "chain":
            self._read_chain(body)
        elif kind in ("set", "map"):
            self._read_set(body, kind == "map")
        elif kind == "table":
            self._read_table(body)
        elif kind == "metainfo":
            self.draft.generator = f"nft v{body['version']}"
        elif kind == "element":
            elements = body["elem"]
            self._set_of(body).pieces.append(tuple([element_of(each, self.line) for each in elements]))
        elif kind in _OBJECTS:
            self._table_of(body).objects.append(f"{kind} {body['name']}")
        else:
            raise ValueError(kind)

    def _table_of(self, body: Any, key: str = "table") -> TableDraft:
        return self.draft.table(nft.TableFamily(body["family"]), str(body[key]), self.line)

    def _read_table(self, body: Any) -> None:
        table = self._table_of(body, "name")
        table.comment = _text(body.get("comment"))
        flags = body.get("flags", ())
        # nft 1.0.6 prints whatever its memory holds for a flag, such as the table's name.
        table.dormant = not _OTHER_FLAGS.issuperset(flags if isinstance(flags, list) else (flags,) if flags else ())

    def _chain_of(self, body: Any, key: str) -> ChainDraft:
        table, name = self._table_of(body), str(body[key])
        chain = table.chains.get(name)
        if chain is None:
            chain = table.chains[name] = ChainDraft(name, self.line)
        return chain

    def _read_chain(self, body: Any) -> None:
        chain = self._chain_of(body, "name")
        chain.comment = _text(body.get("comment"))
        if "hook" in body:
            priority = body["prio"]
            if not isinstance(priority, int):
                priority = priority_of(str(priority), 0, nft.TableFamily(body["family"]))
            if priority is None:
                raise ValueError(priority)
            devices = body.get("dev", ())
            devices = (devices,) if isinstance(devices, str) else tuple(map(str, devices))
            policy = str(body.get("policy", "accept"))
            chain.base = nft.BaseChain(str(body["type"]), str(body["hook"]), priority, policy, devices)

    def _read_rule(self, body: Any) -> None:
        family = nft.TableFamily(body["family"])
        statements = tuple([
            usual_reject(each, family) if isinstance(each, nft.Reject) else each
            for each in map(statement_of, body["expr"])
        ])
        rule = nft.Rule(statements, _text(body.get("comment")), self.line, _number(body.get("handle")))
        self._last_chain = self._chain_of(body, "chain")
        self._last_chain.rules.append(rule)

    def _set_of(self, body: Any) -> SetDraft:
        return self._table_of(body).sets[body["name"]]

    def _read_set(self, body: Any, is_map: bool) -> None:
        draft = SetDraft(str(body["name"]), self.line, is_map)
        self._table_of(body).sets[draft.name] = draft
        draft.types = _types(body["type"])
        if is_map:
            draft.data_types = _types(body["map"])
        flags = body.get("flags", ())
        draft.flags = frozenset(map(str, flags if isinstance(flags, list) else (flags,) if flags else ()))
        draft.timeout, draft.size = _number(body.get("timeout")), _number(body.get("size"))
        draft.comment = _text(body.get("comment"))
        line = self.line
        draft.pieces.append(tuple([element_of(each, line) for each in body.get("elem", ())]))
        draft.statements.extend(statement_of(each) for each in body.get("stmt", ()))


def _types(item: Any) -> tuple[str, ...]:
    """nft prints the parts of a concatenation as a list, those of a map's data as one string."""
    return tuple(item.split(" . ")) if isinstance(item, str) else tuple(map(str, item))


def _text(item: Any) -> str | None:
    return item if isinstance(item, str) else None


def _number(item: Any) -> int | None:
    return item if isinstance(item, int) else None
