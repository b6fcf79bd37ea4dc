"""The content of a dump as frozen objects: rulesets, tables, chains, rules. They only answer questions."""

from ipt_explain.model.chain import Chain, Extent, column, lines, packets
from ipt_explain.model.dump import Dump, Form, Ruleset, Table
from ipt_explain.model.kernel import Backend, Family
from ipt_explain.model.rule import Counters, Rule
from ipt_explain.model.shape import Command, Hidden, Layout, Match, Option, Shape, Target, TargetKind

__all__ = [
    "Backend",
    "Chain",
    "Command",
    "Counters",
    "Dump",
    "Extent",
    "Family",
    "Form",
    "Hidden",
    "Layout",
    "Match",
    "Option",
    "Rule",
    "Ruleset",
    "Shape",
    "Table",
    "Target",
    "TargetKind",
    "column",
    "lines",
    "packets",
]
