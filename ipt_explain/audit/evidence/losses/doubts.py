"""What may lose connections to Services, depending on what the dump does not show."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence

from ipt_explain.analyzers.fates.deciding import KUBE_PROXY
from ipt_explain.analyzers.owners.owner import KERNEL
from ipt_explain.audit.backends import BackendContext
from ipt_explain.audit.evidence.losses.causes import Cause, Victim, Where, possible_causes, unknown_causes
from ipt_explain.records import replace
from ipt_explain.services.fates import Loss

_NOBODYS = frozenset({None, KERNEL, KUBE_PROXY})
_OF_ORIGIN = ("-i ", "-o ", "-s ", "-m rpfilter", "-m owner ", "-m mac ", "-m set ")


def doubts(context: BackendContext) -> list[list[Cause]]:
    """Possible causes of losses: each rule or policy by itself, the rules of one program together."""
    found: dict[Hashable, list[Cause]] = {}
    possible = [cause for where in Where for cause in possible_causes(context, where)]
    for cause in filter(None, map(_of_ports_taken, (*possible, *unknown_causes(context)))):
        owner = cause.decider.owner
        found.setdefault(cause.decider if owner in _NOBODYS else (owner, cause.context), []).append(cause)
    return list(found.values())


def _of_ports_taken(cause: Cause) -> Cause | None:
    """The cause without node ports at addresses that --nodeport-addresses leaves out; None if nothing is left."""
    victims = tuple([each for each in cause.victims if not _is_at_other_address(each)])
    return replace(cause, victims=victims) if victims else None


def _is_at_other_address(victim: Victim) -> bool:
    return victim.frontend.address is None and any(answer.startswith("not -d ") for answer in victim.lost.when)


def is_ordinary(causes: Iterable[Cause]) -> bool:
    """Whether they hang only on where connections come from, on interfaces and sets, as rules on healthy nodes do."""
    return all(text.startswith(_OF_ORIGIN) for question in questions(causes) for text in question.split(" and "))


def questions(causes: Iterable[Cause]) -> Sequence[str]:
    """What they depend on: `-m rpfilter --invert`."""
    lost = [victim.lost for each in causes for victim in each.victims]
    answers = dict.fromkeys(answer for each in lost for answer in each.when)
    unknown = [each.why for each in lost if each.how is Loss.UNKNOWN]
    return tuple(dict.fromkeys((*map(_asked, answers), *unknown)))


def _asked(answer: str) -> str:
    """`not (-i eth0 and -o eth1)` as a question: `-i eth0 and -o eth1`."""
    asked = answer.removeprefix("not ")
    return asked[1:-1] if asked != answer and asked.startswith("(") else asked
