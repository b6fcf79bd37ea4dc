"""A trace as text: the packet, its path hook by hook, and where it can end up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from shlex import quote

from ipt_explain.model import Chain
from ipt_explain.netfilter.header import format_endpoint, parse_address, protocol_name
from ipt_explain.netfilter.walk.path import Step as IptablesStep
from ipt_explain.render.text.links import with_line_links
from ipt_explain.render.text.outline import Line, TreeNode, draw, line_tail, sentence
from ipt_explain.render.text.safe import escape
from ipt_explain.render.text.terminal import to_text
from ipt_explain.render.trace.outcomes import SIGNS, VERDICTS, failure_words, outcome_words
from ipt_explain.render.trace.path_tree import RuleMet, TablePass, path_tree, shown_endings
from ipt_explain.render.trace.words import effect, step_conditions
from ipt_explain.trace import Outcome, Trace
from ipt_explain.trace.judgement import To, judged
from ipt_explain.trace.near_misses import near_misses
from ipt_explain.trace.obstacle import Obstacle, Reason, WhyNot
from ipt_explain.words import and_more, counted
from ipt_explain.words.percents import percent, percents
from ipt_explain.words.quotes import clipped

_MOST_RULES = 6
_MOST_OUTCOMES = 12
_MOST_MISSES = 3
_MOST_ASSUMPTIONS = 8
_WHOLE = 1 - 1e-9
_ANSWERS = ("=yes", "=no")
_ON_QUESTIONS = "What the dump leaves open counts half each way. Answer it with =yes or =no, for example:"


def trace_text(
    trace: Trace,
    label: str,
    to: To,
    why_not: WhyNot | None,
    verbose: bool,
    width: int,
    color: bool,
    links: bool = False,
) -> Iterator[str]:
    """The trace in pieces of text. `label` names the Service given by the user, `to` is the one whose address the
    packet is sent to; `verbose` adds rules that nearly matched. With `links`, line numbers link to the dump."""
    lines = _lines(trace, label, to, why_not, verbose, width)
    return to_text(with_line_links(lines, trace.dump.source) if links else lines, color)


def _lines(trace: Trace, label: str, to: To, why_not: WhyNot | None, verbose: bool, width: int) -> Iterator[Line]:
    yield from draw(TreeNode(sentence(escape(_headline(trace, label)), "title"), hang=2), width)
    drawer = _Drawer(_mark_names(trace.outcomes), verbose)
    for table in path_tree(trace.outcomes):
        yield []
        yield from draw(drawer.table(table), width)
    if any(outcome.probability_if_so != outcome.probability for outcome in trace.outcomes):
        yield []
        yield from draw(TreeNode(sentence(_ON_QUESTIONS, "unknown")), width)
        yield [(f"  {escape(clipped(_example(trace.outcomes)))}", "unknown")]  # never broken, to be copied
    yield []
    yield from _outcome_lines(trace, to, width)
    if why_not is not None:
        yield []
        yield from _why_not_lines(why_not, width)


def _example(outcomes: Sequence[Outcome]) -> str:
    """How to answer an open question: `--assume '-i cali+=yes'`."""
    asked = [text for outcome in outcomes for text in outcome.assumptions if text.endswith(_ANSWERS)]
    alone = [text for text in asked if " or " not in text and " and " not in text]
    question = next(iter([*alone, *asked]), "TEXT=yes").rpartition("=")[0]
    return f"--assume {quote(f'{question}=yes')}"


def _headline(trace: Trace, label: str) -> str:
    packet, connection = trace.packet, trace.packet.connection()
    where = "from the node itself (OUTPUT)" if connection.local else "arriving (PREROUTING)"
    if not connection.local:
        where = f"arriving on {packet.in_interface} (PREROUTING)" if packet.in_interface else where
    to = format_endpoint(parse_address(packet.destination), trace.bound.sent.port, connection.family)
    named = f"{label} " if label else ""
    return f"{protocol_name(connection.protocol)} {packet.source} → {named}{to}, {where}"


def _mark_names(outcomes: Sequence[Outcome]) -> Mapping[int, str]:
    """Names of mark bits, if a rule on the path tests or sets marks; else their analyzer is not imported."""
    for ending in shown_endings(outcomes):
        for step in ending.steps:
            if isinstance(step, IptablesStep) and step.rule is not None and (
                step.rule.target in ("MARK", "CONNMARK") or step.rule.shape.has_match("mark")
            ):
                from ipt_explain.analyzers.profiles.mark_bits import DEFAULT_MARKS

                return DEFAULT_MARKS
    return {}


class _Drawer:
    """Tables and their rules as nodes of a tree."""

    def __init__(self, marks: Mapping[int, str], verbose: bool) -> None:
        self._marks = marks
        self._verbose = verbose

    def table(self, table: TablePass) -> TreeNode:
        """A table's heading, with its rules below."""
        rules = table.rules()
        root = TreeNode(sentence(f"{table.table} {table.hook}", "name"))
        for met in rules:
            self._add(root, met, table.share)
        first = rules[0].step
        if isinstance(first, IptablesStep):
            self._add_misses(root, first.chain, first, rules)
        return root

    def _add(self, parent: TreeNode, met: RuleMet, whole: float) -> None:
        """Add a rule and all below it, without recursion: the input decides the depth."""
        waiting = [(parent, met, whole)]
        while waiting:
            above, one, share = waiting.pop()
            node = TreeNode(self._words(one, share), line_tail(one.step.line), hang=2)
            above.children.append(node)
            inner = one.rules()
            shown = inner if len(inner) <= _MOST_RULES else inner[: _MOST_RULES - 1]
            waiting.extend((node, below, one.share) for below in reversed(shown))
            if len(shown) < len(inner):
                left = len(inner) - len(shown)
                rest = sum(below.share for below in inner[len(shown) :])
                note = f"… {counted(left, 'more rule')}, {percent(rest)} of the packets, to line {inner[-1].step.line}"
                node.children.append(TreeNode(sentence(note, "guide")))
            if isinstance(one.step, IptablesStep) and one.step.into is not None:
                self._add_misses(node, one.step.into, one.step, inner)

    def _words(self, met: RuleMet, whole: float) -> list[tuple[str, str]]:
        words: list[tuple[str, str]] = []
        if met.share < whole * _WHOLE:
            words.append((f"{percents((met.share,))[0]}  ", "share"))
        step = met.step
        text = step_conditions(step, self._marks)
        done = effect(step, self._marks)
        if text:
            words += [*sentence(escape(clipped(f"{text}:"))), (" ", "")]
        if done.startswith("→"):
            hidden = isinstance(step, IptablesStep) and step.into is None
            back = "" if met.inside or step.after is None else " (not in this input)" if hidden else ", and back"
            return [*words, (escape(done) + back, "")]  # never break a line between an arrow and its chain
        return words + sentence(escape(clipped(done)))

    def _add_misses(self, node: TreeNode, chain: Chain, step: IptablesStep, rules: Sequence[RuleMet]) -> None:
        """Add the rules of a chain that nearly matched, up to where the packets left it."""
        if not self._verbose:
            return
        seen = {id(met.step.rule) for met in rules}
        left_at = max((met.step.line or 0 for met in rules if met.share > 0), default=0)
        passed = [rule for rule in chain.rules if id(rule) not in seen and (not left_at or rule.line < left_at)]
        misses, count = near_misses(passed, step.before, step.bound, _MOST_MISSES)
        for miss in misses:
            target = f"→ {miss.rule.target}" if miss.rule.target else "counted"
            words = f"not {target}: {miss.condition} does not fit"
            node.children.append(TreeNode(sentence(escape(clipped(words)), "guide"), f"line {miss.rule.line}", hang=4))
        if count > len(misses):
            more = counted(count - len(misses), "more rule")
            node.children.append(TreeNode(sentence(f"… {more} missed by one condition", "guide")))


def _outcome_lines(trace: Trace, to: To, width: int) -> Iterator[Line]:
    outcomes = trace.outcomes
    shares = percents([outcome.probability for outcome in outcomes[:_MOST_OUTCOMES]])
    column = max(map(len, shares))
    supposed = _supposed(outcomes)
    for outcome, share in zip(outcomes, shares):
        judgement = judged(outcome, trace.packet, to)
        sign, style = SIGNS[judgement]
        phrase = sentence(escape(clipped(outcome_words(outcome, judgement, trace.packet, to))), style)
        words = [(f"{sign} ", style), (f"{share:>{column}}  ", "share"), *phrase]
        yield from draw(TreeNode(words, hang=column + 4), width)
        for line in failure_words(judgement, trace.packet, to):
            yield from _indented(line, " " * (column + 4), "", width)
        open_ones = [text for text in outcome.assumptions if text not in supposed and text != outcome.reason]
        yield from _assumption_lines(outcome, open_ones, " " * (column + 4), width)
    left = outcomes[_MOST_OUTCOMES:]
    for (verdict, masqueraded), group in groupby(sorted(left, key=_kind), key=_kind):
        members = list(group)
        rest = percents((sum(outcome.probability for outcome in members),))[0]
        more = counted(len(members), "more outcome")
        text = f"{more}: {VERDICTS[verdict]}, {'masqueraded' if masqueraded else 'source kept'}"
        yield from draw(TreeNode([(f"  {rest:>{column}}  ", "share"), *sentence(text)], hang=column + 4), width)
    if supposed:
        yield []
    for text in supposed:
        words = sentence(escape(clipped(f"Assumed: {text}.")), "unknown")
        yield from draw(TreeNode(words, hang=len("Assumed: ")), width)


def _supposed(outcomes: Sequence[Outcome]) -> list[str]:
    """Assumptions of all outcomes about chains that a fragment does not show."""
    first, *others = outcomes
    return [
        text
        for text in first.assumptions
        if text != first.reason
        and not text.endswith(_ANSWERS)
        and all(text in outcome.assumptions for outcome in others)
    ]


def _assumption_lines(outcome: Outcome, open_ones: Sequence[str], indent: str, width: int) -> Iterator[Line]:
    """The outcome's assumptions beyond the dump, and its chance if they hold."""
    for assumption in open_ones[:_MOST_ASSUMPTIONS]:
        yield from _indented(_condition(assumption), indent, "unknown", width)
    left = len(open_ones) - _MOST_ASSUMPTIONS
    if left > 0:
        yield from _indented(f"…{and_more(left, 'condition')}, which -o json names", indent, "unknown", width)
    if outcome.probability_if_so != outcome.probability:
        yield from _indented(f"then {percent(outcome.probability_if_so)}", indent, "share", width)


def _condition(assumption: str) -> str:
    """`if -i cali+`, `unless 10.0.0.1 is an address of this node`."""
    if not assumption.endswith(_ANSWERS):
        return f"if {assumption}"
    question, _, answer = assumption.rpartition("=")
    return f"{'if' if answer == 'yes' else 'unless'} {question}"


def _indented(text: str, indent: str, style: str, width: int) -> Iterator[Line]:
    for line in draw(TreeNode(sentence(escape(clipped(text)), style), hang=len("if ")), max(20, width - len(indent))):
        yield [(indent, ""), *line]


def _kind(outcome: Outcome) -> tuple[str, bool]:
    return outcome.verdict, outcome.masqueraded


def _why_not_lines(why_not: WhyNot, width: int) -> Iterator[Line]:
    share = percent(why_not.probability)
    if not why_not.reasons:
        yield from draw(TreeNode(sentence(f"{why_not.endpoint} gets {share} of such packets.", "good")), width)
        return
    root = TreeNode(sentence(f"{why_not.endpoint} gets {share} of such packets, because", "name"))
    for reason in why_not.reasons:
        words = sentence(escape(clipped(_obstacle(reason))))
        root.children.append(TreeNode(words, line_tail(reason.line), hang=2))
    yield from draw(root, width)


def _obstacle(reason: Reason) -> str:
    if reason.obstacle is Obstacle.DOES_NOT_MATCH:
        return f"{reason.condition} fails in {reason.rule}"
    if reason.obstacle is Obstacle.NONE_LEADS_THERE:
        return "no rule DNATs to it"
    if reason.obstacle is Obstacle.NO_WAY_IN:
        return "no built-in chain that the packet passes leads to the rules that DNAT to it"
    if reason.obstacle is Obstacle.COMES_FIRST:
        return f"this rule takes the packet first: {reason.rule}"
    return f"it is sent there, but stopped by {reason.rule}"
