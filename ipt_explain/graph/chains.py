"""The chain graph of one table."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from itertools import repeat, starmap

from ipt_explain.graph.cycles import Cycle, circle, groups_of, leading_into_cycles
from ipt_explain.graph.jumps import Jump, JumpIndex, index_jumps
from ipt_explain.graph.reach import reached_from
from ipt_explain.model import Form, Rule, Table
from ipt_explain.model.kernel import BUILT_IN_CHAINS


class ChainGraph:
    """The jumps between the chains of one table.

    It is built in one pass over the rules; other answers are computed on first use and kept. Nothing recurses or
    enumerates paths: even for a thousand nested jumps or a forty-layer diamond the cost is linear in the rules.
    """

    def __init__(self, table: Table, form: Form, index: JumpIndex) -> None:
        self.table = table
        self.form = form
        self._index = index

    @classmethod
    def of(cls, table: Table, form: Form = Form.SAVE) -> ChainGraph:
        """The graph of `table`, which was read from text of the given form."""
        return cls(table, form, index_jumps(table))

    # --- jumps ------------------------------------------------------------------------------------------------------

    def jumps(self, chain: str) -> tuple[Jump, ...]:
        """The jumps from `chain`, in rule order; a target may occur several times."""
        numbers = self._index.leaving.get(chain)
        return tuple(map(Jump, repeat(self.table.chains[chain]), numbers)) if numbers else ()

    def jumping(self, chain: str) -> frozenset[int]:
        """The numbers (from 0) of the rules of `chain` that jump."""
        return frozenset(self._index.leaving.get(chain, ()))

    def callers(self, chain: str) -> tuple[Jump, ...]:
        """The jumps to `chain`, in the order of the text."""
        return tuple(starmap(Jump, self._index.entering.get(chain, ())))

    def calling_rules(self, chain: str) -> list[Rule]:
        """The rules of `callers`."""
        return [caller.rule(number) for caller, number in self._index.entering.get(chain, ())]

    def is_called(self, chain: str) -> bool:
        """Whether any rule jumps to `chain`."""
        return chain in self._index.entering

    @cached_property
    def targets(self) -> Mapping[str, tuple[str, ...]]:
        """The chains that each chain jumps to, once each, in the order of the first jump.

        Chains without jumps are absent.
        """
        return {name: self.targets_of(name) for name in self._index.leaving}

    def targets_of(self, chain: str) -> tuple[str, ...]:
        """The chains that one chain jumps to, as in `targets`."""
        numbers = self._index.leaving.get(chain)
        if not numbers:
            return ()
        return tuple([target or "" for target in dict.fromkeys(map(self.table.chains[chain].target_of, numbers))])

    @cached_property
    def dangling(self) -> tuple[Jump, ...]:
        """Jumps to chains that the text lacks, in the order of the text.

        They are errors in a complete dump; in a fragment or in restore input for a running kernel, the chain may exist.
        """
        chains = self.table.chains
        missing = [target for target in self._index.entering if target not in chains]
        jumps = [jump for target in missing for jump in self.callers(target)]
        return tuple(sorted(jumps, key=lambda jump: jump.line))

    # --- reach ------------------------------------------------------------------------------------------------------

    @cached_property
    def hooks(self) -> tuple[str, ...]:
        """The built-in chains in the text, in the order packets meet them."""
        return tuple(name for name in BUILT_IN_CHAINS.get(self.table.name, ()) if name in self.table.chains)

    @cached_property
    def reachable(self) -> frozenset[str]:
        """Every chain that a hook leads to, including the hooks and dangling targets."""
        return reached_from(self.hooks, self._onward)

    @cached_property
    def unreachable(self) -> tuple[str, ...]:
        """The chains that no hook leads to, in the order of the text."""
        return tuple(name for name in self.table.chains if name not in self.reachable)

    def reachable_from(self, *chains: str) -> frozenset[str]:
        """Every chain that these lead to, including these."""
        return reached_from(chains, self._onward)

    def _onward(self, chain: str) -> tuple[str, ...]:
        return self.targets.get(chain, ())

    def leading_to(self, *chains: str) -> frozenset[str]:
        """Every chain that leads to these, including these."""
        return reached_from(chains, lambda name: [caller.name for caller, _ in self._index.entering.get(name, ())])

    # --- cycles -----------------------------------------------------------------------------------------------------

    @cached_property
    def cycles(self) -> tuple[Cycle, ...]:
        """The groups of chains that call each other, in the order of the text. networkx sees only possible members."""
        core = leading_into_cycles(self.table.chains, self._index)
        return tuple(
            Cycle(circle(group, self.targets), tuple(group), group[0] in self.reachable)
            for group in (groups_of(core, self.targets) if core else ())
        )
