"""The result of explaining a dump."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.records import dataclass
from ipt_explain.services.ports import RulesetFacts, ServicePort


@dataclass(frozen=True, slots=True)
class Explanation:
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

        notes = (f"supposed: {note}" for note in self.supposed)
        return json_chunks(self.rulesets, self.services, (*self.warnings, *notes))
