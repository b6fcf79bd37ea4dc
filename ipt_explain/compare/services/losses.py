"""Lost connections to a service port and the rules that lose them, in a form that can be compared.

Shares that the Service itself refuses are its verdict, not a loss, and differ between nodes by design (policy Local).
What may be lost counts, too, unless it depends only on what healthy nodes leave open as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

from ipt_explain.columns import column
from ipt_explain.compare.differences import Difference, DifferenceKind, Value
from ipt_explain.netfilter.condition import OF_THIS_NODE
from ipt_explain.records import Record, replace
from ipt_explain.services.fates import Loss, Lost, Vantage
from ipt_explain.services.health import unanswered
from ipt_explain.services.losses import at_other_address, declined_anyway
from ipt_explain.services.ports import Frontend
from ipt_explain.words import both, counted, front, listed
from ipt_explain.words.percents import percent

_COMMENT = re.compile(r' -m comment --comment (?:"(?:[^"\\]|\\.)*"|\S+)')
_DIGITS = 4
_SHOWN = 3

_HOW = {
    "untranslated": "go on untranslated",
    "diverted": "are sent elsewhere",
    "intercepted": "are answered by another program",
    "dropped": "are dropped",
    "rejected": "are rejected",
    "unanswered": "are cut off after their first packet",
    "unknown": "are left undecided",
}
_MAY = {how: words.replace("are ", "may be ", 1) for how, words in _HOW.items()} | {
    "untranslated": "may go on untranslated"
}
_IN_DOUBT = "unknown"


class LossCause(Record):
    """What loses connections: how, which rule or policy of which table and chain, and where they go instead. If not
    `certain`, it depends on what the dump does not show."""

    how: str
    verdict: str
    place: str
    rule: str
    dnat: str = ""
    certain: bool = True

    @property
    def words(self) -> str:
        """`are dropped by filter FORWARD: -A FORWARD -j DROP`."""
        instead = f" ({self.dnat})" if self.dnat else ""
        rule = f": {self.rule}" if self.rule else ""
        where = f" by {self.place}" if self.place else ""
        how = (_HOW if self.certain else _MAY).get(self.how, self.how)
        return f"{how}{instead}{where}{rule}"

    @property
    def in_doubt(self) -> bool:
        """Whether it may lose nothing."""
        return not self.certain or self.how == _IN_DOUBT

    @property
    def no_longer(self) -> str:
        """How to say that it is over."""
        return "no longer in doubt" if self.in_doubt else "no longer lost"


Lossy = tuple[str, str, "float | None"]
"""A frontend (`10.96.0.10:53`), a vantage point and the share of connections that is lost, None if that depends on what
the dump does not show."""

Losses = Mapping[LossCause, frozenset[Lossy]]
"""For each cause the connections that it loses."""


def losses_of(frontend: Frontend, with_doubts: bool) -> Iterator[tuple[LossCause, Lossy]]:
    """The connections to one frontend that are lost, or may be."""
    if frontend.fates is None:
        return
    name = front(frontend.address, frontend.port)
    for vantage, fate in frontend.fates.items():
        for lost in fate.lost:
            if with_doubts or lost.how is not Loss.UNKNOWN:
                yield _cause(lost, True), (name, vantage.value, round(lost.probability, _DIGITS))
        for lost in fate.perhaps if with_doubts else ():
            expected = lost.is_ordinary(vantage) or at_other_address(frontend, lost) or _is_of_node_only(lost)
            if not expected and not declined_anyway(frontend, vantage, lost):
                yield _cause(lost, False), (name, vantage.value, None)


def _is_of_node_only(lost: Lost) -> bool:
    """Whether it depends only on which addresses the node has."""
    questions = [text for each in lost.when for text, _ in each.literals]
    return bool(questions) and all(text.endswith(OF_THIS_NODE) for text in questions)


def _cause(lost: Lost, certain: bool) -> LossCause:
    decider = lost.decider
    text = without_comment(decider.text)
    return LossCause(lost.how.value, lost.verdict, decider.place, text, lost.dnat or "", certain)


def without_comment(rule: str) -> str:
    """A rule without its comments."""
    return _COMMENT.sub("", rule)


def loss_differences(before: Losses, after: Losses) -> Iterator[tuple[LossCause, list[Value], list[Value], str]]:
    """Each cause whose losses changed: the cause, the losses before and after, and a sentence."""
    for cause in sorted({*before, *after}, key=lambda each: (each.place, each.rule, each.how)):
        old, new = before.get(cause, frozenset()), after.get(cause, frozenset())
        if old != new:
            message = f"{_shares(new)} {cause.words}" if new else f"{cause.no_longer}: {_shares(old)} {cause.words}"
            yield cause, _values(cause, old), _values(cause, new), message


def losses_folded(differences: Sequence[Difference]) -> Sequence[Difference]:
    """The differences; those with one cause in several service ports become one about the node, before the others."""
    if not any(column(differences, "cause")):
        return differences
    causes: dict[tuple[object, ...], list[Difference]] = {}
    for each in differences:
        if each.cause is not None:
            # The majority's side may differ between service ports because of other differences.
            who = None if each.nodes is None else each.nodes[1]
            causes.setdefault((each.cause, each.family, who, bool(each.after)), []).append(each)
    many = {key: members for key, members in causes.items() if len({each.service for each in members}) > 1}
    gone = {id(each) for members in many.values() for each in members}
    return [*(_folded(members) for members in many.values()), *(each for each in differences if id(each) not in gone)]


def _folded(members: Sequence[Difference]) -> Difference:
    first = members[0]
    services = sorted({each.service or "" for each in members})
    words = first.cause or ""
    count = counted(len(services), "service port")
    now = bool(first.after)
    over = first.message.partition(":")[0]
    some = "some " if any(map(_is_partial, members)) else ""
    if now and first.kind is DifferenceKind.MASQUERADE and first.subject == "marks":
        words = f"{words}: {unanswered(any(each.after['clients'] for each in members if isinstance(each.after, dict)))}"
    message = f"{some}connections to {count} {words}" if now else f"{over}: {some}connections to {count} that {words}"
    shown = listed(services, _SHOWN)
    names: list[Value] = list(services)
    lost: Value = {"service_ports": names}
    nodes = first.nodes
    if nodes is not None:
        common = set(nodes[0]).intersection(*(each.nodes[0] for each in members if each.nodes is not None))
        nodes = (tuple(node for node in nodes[0] if node in common), nodes[1])
    return replace(
        first, nodes=nodes, message=f"{message} ({shown})", service=None, protocol=None,
        before=None if now else lost, after=lost if now else None,
    )  # fmt: skip


def _is_partial(difference: Difference) -> bool:
    """Whether a rule loses only a share of the connections from some vantage point."""
    lost = difference.after or difference.before
    values = lost if isinstance(lost, list) else []
    shares = [value["share"] for value in values if isinstance(value, dict)]
    return any(isinstance(share, float) and share < 1 for share in shares)


def _shares(lost: frozenset[Lossy]) -> str:
    """`100 % of connections to 10.96.0.10:53 from pods and outside`."""
    vantages = [vantage.origin for vantage in Vantage if any(each[1] == vantage.value for each in lost)]
    shares = sorted({share for _, _, share in lost if share is not None})
    chances = [percent(share) for share in (shares if len(shares) < 2 else (shares[0], shares[-1]))]
    fronts = sorted({each[0] for each in lost})
    connections = f"connections to {listed(fronts, _SHOWN)} from {both(vantages)}"
    return f"{' to '.join(chances)} of {connections}" if chances else connections


def _values(cause: LossCause, lost: frozenset[Lossy]) -> list[Value]:
    return [
        {"frontend": frontend, "from": vantage, "share": share, "how": cause.how, "rule": cause.rule, "in": cause.place}
        for frontend, vantage, share in sorted(lost)
    ]
