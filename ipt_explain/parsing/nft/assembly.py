"""Assembling a ruleset: rules into chains, elements into sets, both into tables."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

from ipt_explain.model import nft
from ipt_explain.model.kernel import BUILT_IN_CHAINS, HOOKS
from ipt_explain.parsing.nft.normal import with_usual_constants
from ipt_explain.records import Record, field

_PIECES = 16


class ChainDraft(Record, frozen=False):
    """A chain while it is read."""

    name: str
    line: int
    base: nft.BaseChain | None = None
    comment: str | None = None
    rules: list[nft.Rule] = field(default_factory=list)


class SetDraft(Record, frozen=False):
    """A set or map while it is read."""

    name: str
    line: int
    is_map: bool
    types: tuple[str, ...] = ()
    data_types: tuple[str, ...] | None = None
    flags: frozenset[str] = frozenset()
    timeout: int | None = None
    size: int | None = None
    pieces: list[Sequence[nft.Element]] = field(default_factory=list)
    statements: list[nft.Statement] = field(default_factory=list)
    comment: str | None = None
    elided: bool = False

    @property
    def elements(self) -> Sequence[nft.Element]:
        """Its elements so far, in columns if they were read so."""
        return self.pieces[0] if len(self.pieces) == 1 else tuple(itertools.chain.from_iterable(self.pieces))

    def finished(self) -> nft.Set:
        """The finished set."""
        data_types = (self.data_types or ()) if self.is_map else None
        return nft.Set(
            self.name,
            self.types,
            data_types,
            self.flags,
            self.timeout,
            self.size,
            with_usual_constants(self.elements, self.types, self.data_types),
            tuple(self.statements),
            self.comment,
            self.line,
            self.elided,
        )


class TableDraft(Record, frozen=False):
    """A table while it is read. It may be printed in several pieces (`nft list chain`)."""

    family: nft.TableFamily
    name: str
    line: int
    comment: str | None = None
    dormant: bool = False
    xtables: bool = False
    chains: dict[str, ChainDraft] = field(default_factory=dict)
    sets: dict[str, SetDraft] = field(default_factory=dict)
    objects: list[str] = field(default_factory=list)

    def finished(self) -> nft.Table:
        """The finished table."""
        return nft.Table(
            self.family,
            self.name,
            {
                name: nft.Chain(name, tuple(chain.rules), chain.base, chain.comment, chain.line)
                for name, chain in self.chains.items()
            },
            {name: draft.finished() for name, draft in self.sets.items()},
            self.comment,
            self.dormant,
            tuple(self.objects),
            self.xtables or self._looks_like_xtables(),
            self.line,
        )

    def gaps(self) -> Iterator[tuple[int, str]]:
        """Evidence that lines of the table are missing, by line: the kernel refuses rules that use a missing set, and
        maps that lead to missing chains."""
        if not self.chains:
            for draft in self.sets.values():
                for element in draft.elements:
                    if isinstance(element.data, nft.Verdict) and element.data.chain is not None:
                        yield element.line or draft.line, f"{draft.name} leads to chains, but the text has none"
                        return
        led = self._led_to()
        if led and not any(chain in self.chains for chain in led.values()):
            line, chain = next(iter(led.items()))
            yield line, f"this rule leads to {chain}, which is not in the text"
            return
        if len(self.hooked()) < len(self.chains) and not self.sets and not self.has_rules():
            yield self.line, "none of its chains has a rule, as `nft list chains` prints them"
        for rule in (rule for chain in self.chains.values() for rule in chain.rules):
            for statement in rule.statements:
                data = statement.right if isinstance(statement, nft.Match) else None
                data = statement.data if isinstance(statement, nft.VerdictMap) else data
                if isinstance(data, nft.SetReference) and data.name not in self.sets:
                    yield rule.line, f"this rule needs {data.name}, which is not in the text"
                    return

        if self.is_terse():
            yield self.line, "its sets and maps are shown without elements, as `nft --terse` prints them"

    def elide(self) -> None:
        """Note that the sets may have elements that are not shown."""
        for draft in self.sets.values():
            draft.elided = True

    def is_terse(self) -> bool:
        """Whether no set has elements, though chains that only maps could lead to lead on to others."""
        if not self.sets or any(any(draft.pieces) for draft in self.sets.values()):
            return False
        onward = {name: _targets(chain) for name, chain in self.chains.items()}
        led = set().union(*onward.values())
        return any(onward[name] and chain.base is None and name not in led for name, chain in self.chains.items())

    def _led_to(self) -> dict[int, str]:
        """The chain that the first jump or goto of each chain leads to, by line."""
        found: dict[int, str] = {}
        for chain in self.chains.values():
            for rule in chain.rules:
                last = rule.statements[-1] if rule.statements else None
                if isinstance(last, nft.Verdict) and last.chain is not None:
                    found[rule.line or id(rule)] = last.chain
                    break
        return found

    def has_rules(self) -> bool:
        """Whether any of its chains has a rule."""
        return any(chain.rules for chain in self.chains.values())

    def hooked(self) -> frozenset[str]:
        """The chains that hooks run."""
        return frozenset(name for name, chain in self.chains.items() if chain.base is not None)

    def says_as(self, other: TableDraft) -> bool:
        """Whether another output has the same rules and elements, but for what packets change."""
        return self._content() == other._content()

    def _content(self) -> tuple[object, ...]:
        rules = {
            name: [[each for each in rule.statements if not isinstance(each, nft.Counter)] for rule in chain.rules]
            for name, chain in self.chains.items()
        }
        elements = {
            name: {(each.key, each.data) for each in draft.elements}
            for name, draft in self.sets.items()
            if draft.timeout is None and "dynamic" not in draft.flags
        }
        return rules, elements

    def _looks_like_xtables(self) -> bool:
        """Whether iptables-nft made the table: all names are iptables', and it has no named set or object, which it
        never makes; or it has something that only xtables has."""
        if self.family not in (nft.TableFamily.IP, nft.TableFamily.IP6):
            return False
        bases = [chain.name for chain in self.chains.values() if chain.base is not None]
        named = self.sets or self.objects
        if self.name in BUILT_IN_CHAINS and bases and set(HOOKS).issuperset(bases) and not named:
            return True
        return any(rule.of(nft.Xtables) for chain in self.chains.values() for rule in chain.rules)


def _targets(chain: ChainDraft) -> set[str]:
    """The chains that a chain's rules lead to, without named maps."""
    found: set[str | None] = set()
    for statement in (statement for rule in chain.rules for statement in rule.statements):
        if isinstance(statement, nft.Verdict):
            found.add(statement.chain)
        elif isinstance(statement, nft.VerdictMap) and isinstance(statement.data, nft.SetLiteral):
            found |= {each.data.chain for each in statement.data.elements if isinstance(each.data, nft.Verdict)}
    return {name for name in found if name is not None}


class RulesetDraft(Record, frozen=False):
    """A ruleset while it is read."""

    source: str
    generator: str | None = None
    fragment: bool = False
    tables: dict[tuple[nft.TableFamily, str], TableDraft] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)

    def table(self, family: nft.TableFamily, name: str, line: int) -> TableDraft:
        """The table with this family and name, created if needed."""
        key = family, name
        draft = self.tables.get(key)
        if draft is None:
            draft = self.tables[key] = TableDraft(family, name, line)
        return draft

    def join(self, earlier: TableDraft, later: TableDraft) -> None:
        """Join two outputs of a table. Pieces of it complete each other; of two whole outputs, the later one counts."""
        key = later.family, later.name
        # A table with far fewer chains is a piece. Looking at all chains for every piece would take too long.
        piece = len(later.chains) * _PIECES < len(earlier.chains) or not later.hooked()
        if piece or later.hooked() != earlier.hooked():
            earlier.chains.update(later.chains)
            earlier.sets.update(later.sets)
            earlier.objects += later.objects
            self.tables[key] = earlier
            return
        self.tables[key] = later
        if not later.says_as(earlier):
            self.warn_of_two(later, earlier, "later")

    def warn_of_two(self, table: TableDraft, other: TableDraft, right: str) -> None:
        """Say that two outputs of a table differ, and which one counts."""
        self.warnings.append(
            f"{self.source}:{table.line}: table {table.family.value} {table.name} is shown with different rules than "
            f"on line {other.line}: the {right} output counts. If these are two nodes, or one node at two "
            "times, read them separately"
        )

    def finished(self) -> nft.Ruleset:
        """The finished ruleset."""
        # A ruleset without any hook is incomplete: nobody writes rules that never run.
        unhooked = not any(draft.hooked() for draft in self.tables.values())
        terse = any(draft.is_terse() for draft in self.tables.values())
        for draft in self.tables.values():
            gaps = list(draft.gaps())
            if unhooked and (draft.has_rules() or (draft.sets and not draft.chains and not gaps)):
                gaps.insert(0, (draft.line, "no chain of this table is attached to a hook"))
            if terse:
                draft.elide()
            for line, proof in gaps:
                self.fragment = True
                self.warnings.append(
                    f"{self.source}:{line}: {proof}, so lines of table {draft.family.value} {draft.name} are missing:"
                    " what is not in the text is unknown"
                )
        tables = {key: draft.finished() for key, draft in self.tables.items()}
        return nft.Ruleset(self.source, tables, self.generator, self.fragment)
