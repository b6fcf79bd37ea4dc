"""The result of explaining a dump."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ipt_explain.enums import Enum
from ipt_explain.records import Record
from ipt_explain.services.ports import RulesetFacts, ServicePort


class Explanation(Record):
    """Everything a dump says about Services. `supposed` are assumptions that fates of a fragment rest on."""

    rulesets: tuple[RulesetFacts, ...]
    services: tuple[ServicePort, ...]
    warnings: tuple[str, ...] = ()
    supposed: tuple[str, ...] = ()

    @classmethod
    def joined(cls, explanations: Sequence[Explanation]) -> Explanation:
        """Several dumps' explanations as one, in their order. Each service port keeps its source."""
        return cls(
            tuple(ruleset for explanation in explanations for ruleset in explanation.rulesets),
            tuple(service for explanation in explanations for service in explanation.services),
            tuple(warning for explanation in explanations for warning in explanation.warnings),
            tuple(dict.fromkeys(note for explanation in explanations for note in explanation.supposed)),
        )

    def to_json(self) -> str:
        """The facts as the JSON text that `ipt-explain explain -o json` prints (schema ipt-explain/explain/2)."""
        return "".join(self.json_chunks())

    def json_chunks(self) -> Iterator[str]:
        """The same text in pieces, since the whole may take as much memory as the dump."""
        from ipt_explain.services.document import json_chunks

        notes = (f"assumed: {note}" for note in self.supposed)
        return json_chunks(self.rulesets, self.services, (*self.warnings, *notes))


class ShownServices(Enum):
    """Which Services to show."""

    ALL = "all"
    PROBLEMS = "problems"
    NONE = "none"


class ServiceOrder(Enum):
    """How to sort Services, in the words of the command line."""

    NAME = "name"
    PROBLEM = "problem"
    ENDPOINTS = "endpoints"
    PACKETS = "packets"


class Reading(Record):
    """What was read, as words of a command line: files, and options that every command needs for it (`--live`). Without
    files and options, `program` alone must read it. `selection` are the options that select Services. `shows_addresses`
    and `shows_sets`: it has the node's addresses, or IP sets."""

    files: tuple[str, ...]
    options: tuple[str, ...] = ()
    program: tuple[str, ...] = ("ipt-explain",)
    selection: tuple[str, ...] = ()
    shows_addresses: bool = False
    shows_sets: bool = False


class Choice(Record):
    """The Services to show: at most `limit` of them, in the text's order unless another is given."""

    shown: ShownServices = ShownServices.ALL
    order: ServiceOrder | None = None
    limit: int | None = None

    def of(self, services: Sequence[ServicePort]) -> list[ServicePort]:
        """The Services to show of these."""
        if self.shown is ShownServices.NONE:
            return []
        kept = list(services)
        if self.shown is ShownServices.PROBLEMS:
            from ipt_explain.services.health import Standing, trouble_of

            kept = [service for service in kept if trouble_of(service).standing is not Standing.FINE]
        if self.order is not None:
            kept.sort(key=_KEYS[self.order])
        return kept[: self.limit]


EVERYTHING = Choice()


def _by_problem(service: ServicePort) -> tuple[int, float]:
    from ipt_explain.services.health import Standing, trouble_of

    trouble = trouble_of(service)
    return list(Standing).index(trouble.standing), -(trouble.lost.probability if trouble.lost else 0)


_KEYS: dict[ServiceOrder, Callable[[ServicePort], Any]] = {
    ServiceOrder.NAME: lambda service: service.label,
    ServiceOrder.PROBLEM: _by_problem,
    ServiceOrder.ENDPOINTS: lambda service: -len(service.endpoints),
    ServiceOrder.PACKETS: lambda service: -sum(endpoint.packets or 0 for endpoint in service.endpoints),
}
