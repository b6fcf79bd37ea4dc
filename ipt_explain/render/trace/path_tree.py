"""The paths of a trace's outcomes as one tree: tables, and in them the rules met, each with its share of packets."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from ipt_explain.netfilter.packet import Heading
from ipt_explain.netfilter.walk.path import Step as IptablesStep
from ipt_explain.records import Record, field
from ipt_explain.trace import Outcome, Step
from ipt_explain.trace.outcome import Ending

MOST_SHOWN = 300
"""The most paths shown, likeliest first."""

_Key = tuple[int, int, int, "Heading | None"]  # line, rule, the chain entered, the endpoint chosen
_TableKey = tuple[str, str, bool]  # table, hook, whether the packet is there again


class RuleMet(Record, frozen=False):
    """A rule on the path, or a policy, with the rules met in the chain that it jumps to."""

    step: Step
    share: float = 0.0
    inside: dict[_Key, RuleMet] = field(default_factory=dict)

    def rules(self) -> list[RuleMet]:
        """The rules inside, in the order of the chain."""
        return sorted(self.inside.values(), key=_place)


class TablePass(Record, frozen=False):
    """One table in one hook."""

    table: str
    hook: str
    share: float = 0.0
    inside: dict[_Key, RuleMet] = field(default_factory=dict)

    def rules(self) -> list[RuleMet]:
        """The rules of the built-in chain that packets met, in order."""
        return sorted(self.inside.values(), key=_place)


def path_tree(outcomes: Iterable[Outcome]) -> list[TablePass]:
    """The tables in which packets met rules on their paths to these outcomes, in the order met."""
    tables: dict[_TableKey, TablePass] = {}
    for ending in shown_endings(outcomes):
        _add_path(ending, float(ending.share), tables)
    return [tables[key] for key in sorted(tables, key=lambda key: _HOOK_ORDER[key[1]] + 10 * key[2])]


# A stable sort by hook keeps the tables of a hook in the order met; those of a packet that returned over lo come last.
_HOOK_ORDER = {"PREROUTING": 0, "OUTPUT": 1, "INPUT": 2, "FORWARD": 3, "POSTROUTING": 4}


def shown_endings(outcomes: Iterable[Outcome]) -> list[Ending]:
    """The paths that are shown."""
    return list(islice((ending for outcome in outcomes for ending in outcome.endings), MOST_SHOWN))


def _add_path(ending: Ending, share: float, tables: dict[_TableKey, TablePass]) -> None:
    entered: set[_TableKey] = set()
    above: list[RuleMet] = []
    seen: set[int] = set()
    balanced = False
    for step in ending.steps:
        local, hook = step.before.connection.local, step.before.hook.value
        balanced = balanced or (not local and hook == "OUTPUT")  # IPVS sent it there from INPUT
        again = balanced or (local and hook in ("PREROUTING", "INPUT"))
        key = (step.table, hook, again)
        table = tables.setdefault(key, TablePass(step.table, hook))
        if key not in entered:
            entered.add(key)
            table.share += share
            above = []
        del above[step.depth :]
        siblings = above[-1].inside if above else table.inside
        met = siblings.setdefault((step.line or 0, id(step.rule), id(step.into), _sent_to(step)), RuleMet(step))
        if id(met) not in seen:
            seen.add(id(met))
            met.share += share
        above.append(met)


def _sent_to(step: Step) -> Heading | None:
    """Where one of several endpoints of a single nftables rule or virtual server is."""
    if isinstance(step, IptablesStep) or step.after is None:
        return None
    return step.to_after if step.after.destination_decided > step.before.destination_decided else None


def _place(met: RuleMet) -> tuple[bool, int]:
    return met.step.rule is None, met.step.line or 0
