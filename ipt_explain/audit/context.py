"""The subject of rules: the dump, its rulesets in every backend, and the facts that analyzers found in them.

Everything else that rules need is a fact of its own (`audit.fact`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING

from ipt_explain.analyzers.iptables.plans import Plans
from ipt_explain.analyzers.names import ChainRole, is_kube_chain, role_of
from ipt_explain.analyzers.versions import VersionRange
from ipt_explain.audit.backends import BackendContext, IpvsContext, NftContext
from ipt_explain.graph.jump_sets import JumpSets
from ipt_explain.model import Backend, Chain, Dump, Extent, Form, Layout, Ruleset, Table, TargetKind
from ipt_explain.model.by_shape import ByLayout, RulesByShape, SameLayout, by_layout, rules_by_shape
from ipt_explain.model.dump import SourceText
from ipt_explain.model.node.joining import joined_facts
from ipt_explain.records import replace
from ipt_explain.services.explanation import Explanation

if TYPE_CHECKING:
    from ipt_explain.analyzers.fates.vantages import Surroundings
    from ipt_explain.graph.chains import ChainGraph
    from ipt_explain.graph.cycles import Cycle
    from ipt_explain.netfilter.walk.stages import NodeRules

_ROLES = {role.value: role for role in ChainRole}
_SAMPLE = 1000


class DumpContext:
    """One node's rules: usually one dump, or several if each tool on the node printed its own.

    `explanation` may be given if the caller already has it.
    """

    def __init__(self, *dumps: Dump, explanation: Explanation | None = None) -> None:
        self.dumps = dumps
        self._explanation = explanation
        found = {id(ruleset): (dump, ruleset) for dump in dumps for ruleset in dump.rulesets}
        self.rulesets = tuple(
            RulesetContext(self, dump.text, ruleset, number) for number, (dump, ruleset) in enumerate(found.values())
        )

    @cached_property
    def whole(self) -> Dump:
        """The dumps as one."""
        first, *others = self.dumps
        if not others:
            return first
        return replace(
            first,
            rulesets=tuple(each.ruleset for each in self.rulesets),
            node=joined_facts(dump.node for dump in self.dumps),
            nft=next((dump.nft for dump in self.dumps if dump.nft is not None), None),
        )

    @cached_property
    def contexts(self) -> tuple[BackendContext, ...]:
        """The rulesets of iptables, then those of nftables and IPVS, numbered as in the explanation."""
        return (*self.rulesets, *self._of_other_modes())

    def of_nftables(self) -> Iterator[NftContext]:
        """The nftables rules, family by family."""
        return (each for each in self.contexts if isinstance(each, NftContext))

    def of_ipvs(self) -> Iterator[IpvsContext]:
        """IPVS, family by family."""
        return (each for each in self.contexts if isinstance(each, IpvsContext))

    def _of_other_modes(self) -> Iterator[BackendContext]:
        whole = self.whole
        if whole.nft is None and not whole.node:
            return
        texts = {dump.source: dump.text for dump in self.dumps}
        for number, facts in enumerate(self.explanation.rulesets[len(self.rulesets) :], len(self.rulesets)):
            text = texts.get(facts.source, whole.text)
            if facts.backend is Backend.NFTABLES and whole.nft is not None:
                yield NftContext(self, text, whole.nft, facts.family, number)
            else:
                yield IpvsContext(self, text, whole.node, facts, number)

    @property
    def explanation(self) -> Explanation:
        """What the analyzers say about the node's Services, with all of its rulesets walked together; computed once."""
        if self._explanation is None:
            from ipt_explain.analyzers import explain

            self._explanation = explain(self.whole)
        return self._explanation


class RulesetContext(BackendContext):
    """One iptables ruleset under audit, and everything known about it."""

    def __init__(self, node: DumpContext, text: SourceText, ruleset: Ruleset, number: int) -> None:
        super().__init__(node, text, ruleset.source, ruleset.family, ruleset.backend, number)
        self.ruleset = ruleset
        self._graphs: dict[str, ChainGraph] = {}
        self._jumps: dict[str, JumpSets] = {}
        self._cycles: dict[str, tuple[Cycle, ...]] = {}

    # What the text shows, and what its absence means.

    @property
    def complete(self) -> bool:
        """Whether what the text lacks does not exist: false for fragments, cut dumps and input of `iptables-restore
        --noflush`."""
        return not self.ruleset.fragment and all(table.committed for table in self.ruleset.tables.values())

    def table(self, name: str) -> Table | None:
        """A table, if the text has it. Even a complete dump may lack a table; then nothing is known about it."""
        return self.ruleset.tables.get(name)

    def chain(self, table: str, name: str) -> Chain | None:
        """A chain, if the text has it."""
        return self.ruleset.chain(table, name)

    def table_of(self, chain: str | None, line: int | None) -> str | None:
        """The table of a chain whose name occurs in several tables: the one where `line` declares the chain or is one
        of its rules."""
        if chain is None:
            return None
        tables = [(name, table.chains[chain]) for name, table in self.ruleset.tables.items() if chain in table.chains]
        if len(tables) > 1 and line is not None:
            spans = [(name, found) for name, found in tables if _spans(found, line)]
            for name, found in spans if len(spans) > 1 else ():
                if line in map(found.line_of, range(len(found.layout.shapes))):
                    return name
            tables = spans or tables
        return tables[0][0] if tables else None

    def knows_table(self, name: str) -> bool:
        """Whether a chain or rule that this table lacks does not exist in the kernel."""
        return self.complete and name in self.ruleset.tables

    def knows_chain(self, chain: Chain) -> bool:
        """Whether the chain has exactly the rules that the text shows.

        This is true in complete dumps; in restore input for the chains that it declares, which empties them first; and
        in a text that is cut or has unreadable lines for the chains that this does not affect.
        """
        if self.ruleset.form is Form.RESTORE:
            return chain.declared
        return self.complete or (chain.declared and chain.extent is Extent.WHOLE)

    def tells_table(self, table: str, chain: str) -> bool:
        """Whether the text shows that all rules of a chain are in this table. Bare rules do not: several tables have
        chains of the same name, except kube-proxy's."""
        found = self.ruleset.chain(table, chain)
        return is_kube_chain(chain) or self.ruleset.form is Form.RESTORE or (found is not None and found.declared)

    # What analyzers found.

    @cached_property
    def lacks_lines(self) -> bool:
        """Whether lines are missing here and there. If the line that opens a table is missing, its rules count as
        another table's."""
        tables = self.ruleset.tables.values()
        return any(
            chain.extent is Extent.HOLED
            for table in tables
            if table.extent is not Extent.WHOLE
            for chain in table.chains.values()
        )

    @cached_property
    def version(self) -> VersionRange:
        """The releases of kube-proxy that may have written the ruleset."""
        return VersionRange(*self.facts.releases, ())

    @cached_property
    def around(self) -> tuple[NodeRules, Surroundings]:
        """The rules to send packets through, and who may send."""
        from ipt_explain.analyzers.fates.vantages import Surroundings
        from ipt_explain.netfilter.walk.stages import NodeRules

        node = NodeRules([self.ruleset])
        return node, Surroundings.of(self.ruleset.family, self.services, node.indexes.destinations)

    @cached_property
    def plans(self) -> Plans:
        """What the shapes of its rules mean to kube-proxy, each worked out once."""
        return Plans()

    def shows(self, subject: str) -> bool:
        """Whether the text has what a rule of the catalogue is `about`: a chain of this name, one of the chains with
        this prefix (`KUBE-SVC-`), a match (`-m recent`), a target (`-j DROP`), a goto (`-g`), or counters (`-c`)."""
        role = _ROLES.get(subject)
        if role is not None:
            return bool(self.hashed[role])
        if subject == "-c":
            return self._has_counters
        return subject in self._options or self.ruleset.has_chain(subject)

    @property
    def _has_counters(self) -> bool:
        """Whether nat's rules have counters: iptables-save prints them for all rules or for none."""
        nat = self.table("nat")
        filled = (chain for chain in nat.chains.values() if len(chain.layout)) if nat is not None else ()
        return any(chain.counters_of(0) is not None for chain in islice(filled, _SAMPLE))

    @cached_property
    def _options(self) -> frozenset[str]:
        shapes = {shape for shapes in self.by_shape.values() for shape in shapes}
        targets = [shape.target for shape in shapes if shape.target is not None]
        gotos = ("-g" for target in targets if target.kind is TargetKind.GOTO)
        modules = (f"-m {match.module}" for shape in shapes for match in shape.matches)
        return frozenset((*modules, *gotos, *(f"-j {target.name}" for target in targets)))

    @cached_property
    def hashed(self) -> Mapping[ChainRole, Mapping[Layout, SameLayout]]:
        """kube-proxy's chains of single Services and endpoints in nat, by role and layout, in the order of the text."""
        found: dict[ChainRole, dict[Layout, SameLayout]] = {role: {} for role in ChainRole}
        for layout, alike in self.by_layout.get("nat", {}).items():
            role = role_of(min(alike.names))
            if role is not None and role is role_of(max(alike.names)):  # then it is that of all between them
                found[role][layout] = alike
                continue
            for place, chain in zip(alike.places, alike.chains):
                role = role_of(chain.name)
                if role is not None:
                    found[role].setdefault(layout, SameLayout(layout)).add(place, chain)
        return found

    @cached_property
    def by_layout(self) -> ByLayout:
        """The chains by table and layout."""
        return by_layout(self.ruleset)

    @cached_property
    def by_shape(self) -> RulesByShape:
        """The rules by table and shape."""
        return rules_by_shape(self.by_layout)

    def graph(self, table: str) -> ChainGraph | None:
        """The chain graph of a table, if the text has it; built once."""
        found = self.ruleset.tables.get(table)
        if found is None:
            return None
        if table not in self._graphs:
            from ipt_explain.graph.chains import ChainGraph

            self._graphs[table] = ChainGraph.of(found, self.ruleset.form)
        return self._graphs[table]

    def jumps(self, table: str) -> JumpSets | None:
        """Where the jumps of a table lead, if the text has it: cheaper than the graph if order does not matter."""
        found = self.ruleset.tables.get(table)
        if found is None:
            return None
        if table not in self._jumps:
            self._jumps[table] = JumpSets.of(found, self.by_shape[table])
        return self._jumps[table]

    def is_called(self, table: str, chain: str) -> bool:
        """Whether any rule of a table leads to a chain."""
        jumps = self.jumps(table)
        return jumps is not None and chain in jumps.called

    def cycles(self, table: str) -> tuple[Cycle, ...]:
        """The groups of chains of a table that lead to each other. Costs little if there are none."""
        if table not in self._cycles:
            jumps = self.jumps(table)
            graph = self.graph(table) if jumps is not None and jumps.may_loop() else None
            self._cycles[table] = () if graph is None else graph.cycles
        return self._cycles[table]


def _spans(chain: Chain, line: int) -> bool:
    """Whether a line is the chain's declaration, or is between its first rule and its last."""
    count = len(chain.layout.shapes)
    return line == chain.line or (count > 0 and chain.line_of(0) <= line <= chain.line_of(count - 1))
