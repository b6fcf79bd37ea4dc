"""The top of an explanation: what is wrong with the node and its Services, and what to run next."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.render.explain.service_words import (
    EVIDENT,
    HOW,
    STATE_WORDS,
    asking_line,
    by_words,
    from_words,
    lost_words,
    question_words,
    questions_words,
)
from ipt_explain.render.text.outline import TAIL_WIDTH, Line, Span, TreeNode, draw, line_tail, sentence
from ipt_explain.render.text.safe import cells, escape
from ipt_explain.services.explanation import Reading
from ipt_explain.services.fates import NAT_NOT_SHOWN, NFT_NOT_SHOWN, Decider, Loss, Unmasqueraded
from ipt_explain.services.health import Doubt, Health, NodeCause, Standing, Trouble, keeps_clients, unanswered
from ipt_explain.services.losses import open_questions, reasons
from ipt_explain.services.ports import FrontendKind, ServicePort, ServiceState
from ipt_explain.words import and_more, aside, counted, either
from ipt_explain.words.percents import part_of

LABEL = 10
_GAP = "  "
SHOWN_TROUBLES = 20
# Columns for words next to a name. With fewer, they go below.
_NARROWEST = 20

_DOES = {
    Loss.UNTRANSLATED: "leave untranslated",
    Loss.DIVERTED: "send elsewhere",
    Loss.INTERCEPTED: "answer",
    Loss.DROPPED: "drop",
    Loss.REJECTED: "reject",
    Loss.UNANSWERED: "cut off",
    Loss.UNKNOWN: "stop",
}
SIGNS = {
    Standing.BROKEN: ("✗", "bad"),
    Standing.HAIRPIN: ("✗", "bad"),
    Standing.REFUSING: ("!", "unknown"),
    Standing.UNKNOWN: ("?", "unknown"),
}


def summary(found: Health, width: int, everything: bool = False) -> Iterator[Line]:
    """The lines of a node's health; none if all is well. With `everything` no trouble is left out."""
    label = "NODE"
    for cause in found.causes:
        yield from _labelled(label, _cause(cause), width)
        label = ""
    for words in _unmasqueraded(found.unmasqueraded):
        yield from _labelled(label, [("✗ ", "bad"), *sentence(words)], width)
        label = ""
    if found.doubt is not None:
        yield from _labelled(label, [("? ", "unknown"), *sentence(_doubt(found.doubt))], width)
    counts = found.counts
    phrases: list[Span] = []
    for standing, words, style in (
        (Standing.BROKEN, "broken", "bad"),
        (Standing.HAIRPIN, "without hairpin", "bad"),
        (Standing.REFUSING, "refusing", "unknown"),
        (Standing.UNKNOWN, "unknown", "unknown"),
        (Standing.FINE, "fine", "good"),
    ):
        if counts[standing]:
            phrases += [(" · " if phrases else "", ""), (f"{counts[standing]:,} {words}", style)]
    yield from _labelled("SERVICES", phrases, width)
    shown = found.troubles if everything else found.troubles[:SHOWN_TROUBLES]
    column = min(max((cells(escape(each.service.label)) for each in shown), default=0), width // 2)
    for trouble in shown:
        yield from _trouble(trouble, column, width)
    left = len(found.troubles) - len(shown)
    if left:
        text = f"…{and_more(left, 'service port')} (--problems shows all)"
        yield from draw(TreeNode([(" " * LABEL, ""), *sentence(text)]), width)


def next_lines(
    found: Health, reading: Reading, hidden: Sequence[ServicePort], judged: bool, width: int
) -> Iterator[Line]:
    """Commands to run next, ready to paste. `hidden` are the Services that are not shown; `judged`: the input has rules
    or virtual servers, which audit judges.
    """
    if "-" in reading.files or not (reading.files or reading.options or reading.program[1:]):
        if hidden:
            yield from (
                [],
                *draw(TreeNode(sentence("Next: --all shows every Service, -o table one line for each")), width),
            )
        return
    commands = []
    unseen = set(map(id, hidden))
    named = next((each.service for each in found.troubles if each.service.name and id(each.service) in unseen), None)
    if named is not None:
        commands.append(["-s", named.label])
    if judged and not found.well:
        known = found.counts[Standing.BROKEN] or found.counts[Standing.HAIRPIN]
        commands.append(["audit"] if known else ["audit", "-v"])  # doubts and refusals are notes
    if hidden:
        commands += [["-o", "table"], ["--all"]]
    if commands:
        yield []
    if commands:
        from ipt_explain.render.text.commands import command_lines
    for number, options in enumerate(commands):
        words = [*reading.program, *options, *reading.selection, *reading.options, *reading.files]
        yield from ([(line, "")] for line in command_lines(words, "      " if number else "Next: ", width))


def _cause(cause: NodeCause) -> list[Span]:
    """`✗ nat PREROUTING, line 62: …; connections to 4 service ports from pods and outside are not translated`."""
    place = _place(cause.source, cause.decider)
    whose = f"{part_of(cause.probability)}{by_words(cause.by)}connections"
    whom = f"{whose} to {_number(cause.services)}{from_words(cause.vantages)}"
    why = "" if cause.why in EVIDENT else f"{escape(cause.why)}; "
    return [("✗ ", "bad"), *sentence(f"{place}: {why}{whom} are {HOW[cause.how]}")]


def _unmasqueraded(services: Sequence[ServicePort]) -> Iterator[str]:
    """`nat POSTROUTING, line 50: no rule here jumps to KUBE-POSTROUTING, so masquerading does not work for …`, for each
    rule or chain to look at."""
    alike: dict[tuple[str, Unmasqueraded | None], list[ServicePort]] = {}
    for service in services:
        alike.setdefault((service.source, service.masquerade.kept), []).append(service)
    for (source, kept), hit in alike.items():
        why = "" if kept is None else f"{_place(source, kept.decider)}: {escape(kept.why)}, so "
        yield f"{why}masquerading does not work for {_number(hit)}: {unanswered(any(map(keeps_clients, hit)))}"


def _doubt(doubt: Doubt) -> str:
    """`filter cali-from-wl-dispatch, line 84 and 2 more rules: Calico may drop connections to 4 service ports,
    depending on what this input does not show: -i cali+`."""
    whom = _number(doubt.services)
    if not doubt.questions:
        return f"what happens to connections to {whom} depends on {questions_words((), doubt.reasons)}"
    depending = f"what this input does not show: {questions_words(doubt.questions, doubt.reasons)}"
    deciders = list(dict.fromkeys(lost.decider for lost in doubt.perhaps))
    if {*doubt.questions, *doubt.reasons} <= {NAT_NOT_SHOWN, NFT_NOT_SHOWN}:
        return f"this input does not show where connections to {whom} go"
    if not deciders:
        return f"what happens to connections to {whom} depends on {depending}"
    from ipt_explain.analyzers.owners.owner import KERNEL

    owners = {decider.owner for decider in deciders}
    nobody = "the policy" if owners == {KERNEL} else "this rule" if len(deciders) == 1 else "these rules"
    known = [escape(owner) for owner in owners - {KERNEL} if owner is not None]
    who = known[0] if len(known) == 1 else nobody
    does = either(list(dict.fromkeys(_DOES[lost.how] for lost in doubt.perhaps)))
    first, *others = (_place(doubt.services[0].source, each) for each in deciders)
    rest = "rule" if all(each.is_rule for each in deciders) else "place"
    more = f", and {others[0]}" if len(others) == 1 else and_more(len(others), rest)
    only = "; nothing else stops them" if doubt.all_else_arrives else ""
    return f"{first}{more}: {who} may {does} connections to {whom}, depending on {depending}{only}"


def _number(services: Sequence[ServicePort]) -> str:
    return counted(len(services), "service port")


def _trouble(trouble: Trouble, column: int, width: int) -> Iterator[Line]:
    sign, style = SIGNS[trouble.standing]
    name = escape(trouble.service.label)
    name += " " * (column - cells(name))
    tail = _line(trouble)
    indent = " " * LABEL
    used = LABEL + 2 + cells(name) + 2
    room = width - used - TAIL_WIDTH - len(_GAP)
    if room < _NARROWEST:
        yield from draw(TreeNode([(f"{sign} ", style), (name.rstrip(), "name")], tail, 4), width)
        yield from ([(f"    {line}", "")] for line in _wrapped(_trouble_words(trouble), max(width - 4, 10)))
        return
    words = _trouble_words(trouble)
    fits = len(words) <= room or trouble.standing is Standing.UNKNOWN
    first, *rest = _wrapped(words if fits else brief_words(trouble), room) or [""]
    gap = " " * (room - cells(first)) + _GAP
    yield [(indent, ""), (f"{sign} ", style), (name, "name"), (f"  {first}", ""), (gap + tail if tail else "", "line")]
    for line in rest:
        yield [(" " * used + line, "")]


def _wrapped(text: str, width: int) -> list[str]:
    if 0 < len(text) <= width:
        return [text]
    from ipt_explain.render.text.prose import prose_lines

    return prose_lines(text, width)


def _trouble_words(trouble: Trouble) -> str:
    """What is wrong with a Service, in a few words; "" if nothing is."""
    if trouble.lost is not None:
        return lost_words(trouble.lost, trouble.vantages, trouble.by)
    if trouble.standing is Standing.FINE:
        return ""
    if trouble.standing is Standing.HAIRPIN:
        return _hairpin_words(trouble.service)
    if trouble.standing is Standing.UNKNOWN:
        why = [*map(question_words, open_questions(trouble.service)), *map(escape, reasons(trouble.service))]
        return f"depends on {why[0]}" if why else "unknown"
    if trouble.standing is Standing.REFUSING and trouble.service.state is ServiceState.BLOCKED:
        return "refuses all connections"
    text = STATE_WORDS[trouble.service.state][0]
    return f"refuses connections: {text}" if trouble.standing is Standing.REFUSING else text


def _hairpin_words(service: ServicePort) -> str:
    """`no hairpin: 10.244.1.3 cannot reach itself through it`, `no hairpin: 2 of 3 endpoints cannot …`."""
    lacking = [endpoint for endpoint in service.endpoints if endpoint.hairpin is False]
    if len(lacking) == 1 and lacking[0].address is not None:
        return f"no hairpin: {escape(lacking[0].address)} cannot reach itself through it"
    of = "" if len(lacking) == len(service.endpoints) else f" of {len(service.endpoints)}"
    return f"no hairpin: {len(lacking)}{of} endpoints cannot reach themselves through it"


def brief_words(trouble: Trouble) -> str:
    """What is wrong, in a few words: `25 % not translated`, `dropped (pods and outside)`."""
    lost = trouble.lost
    if trouble.standing is Standing.HAIRPIN:
        return "no hairpin"
    if lost is None:
        return "" if trouble.standing is Standing.FINE else STATE_WORDS[trouble.service.state][0]
    share = part_of(lost.probability).removesuffix("of ")
    where = from_words(trouble.vantages).removeprefix(" from ")
    return f"{share}{by_words(trouble.by)}{HOW[lost.how]}{aside([where] if where else [])}"


def _place(source: str, decider: Decider) -> str:
    chain = escape(decider.place)
    return f"{chain}, line {decider.line}" if decider.line is not None else chain or escape(source)


def _line(trouble: Trouble) -> str:
    lost = trouble.lost
    if lost is not None and lost.decider.line is not None:
        return f"line {lost.decider.line}"
    service: ServicePort = trouble.service
    if trouble.standing is Standing.HAIRPIN:
        kept = service.masquerade.kept
        if kept is not None and kept.decider.line is not None:
            return f"line {kept.decider.line}"
        return next(f"line {each.evidence.line}" for each in service.endpoints if each.hairpin is False)
    if trouble.standing is Standing.UNKNOWN and (line := asking_line(service)) is not None:
        return f"line {line}"
    # the state is that of the ClusterIP, if there is one
    front = min(service.frontends, key=lambda each: each.kind is not FrontendKind.CLUSTER_IP, default=None)
    return line_tail(None if front is None else front.evidence.line)


def _labelled(label: str, words: Sequence[Span], width: int) -> list[Line]:
    lines = draw(TreeNode(words, hang=2), width - LABEL)
    return [[(("" if number else label).ljust(LABEL), "title"), *line] for number, line in enumerate(lines)]
