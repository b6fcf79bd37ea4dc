"""Chains that never return: every packet that enters them gets a verdict there."""

from __future__ import annotations

from ipt_explain.model import Chain, Form, Rule, Ruleset, Shape
from ipt_explain.netfilter.certainty.containment import shape_conditions
from ipt_explain.records import Record

# Targets after which no packet sees a later rule of the chain.
FINAL_TARGETS = frozenset(
    ["ACCEPT", "DROP", "RETURN", "REJECT", "QUEUE", "NFQUEUE", "DNAT", "SNAT", "MASQUERADE", "REDIRECT", "NETMAP"]
)


class _Frame(Record, frozen=False):
    """A chain being read, and its next rule."""

    chain: Chain
    index: int = 0


class Endings:
    """Which chains of one table never return. Each chain is read at most once, on demand and without recursion."""

    def __init__(self, ruleset: Ruleset, table: str) -> None:
        self._form = ruleset.form
        self._chains = ruleset.tables[table].chains
        self._known: dict[str, bool] = {}
        self._unconditional: dict[Shape, bool] = {}

    def ends(self, rule: Rule) -> bool:
        """Whether no packet that matches the rule sees the rules after it."""
        target = rule.target
        return target in FINAL_TARGETS or rule.is_goto or (target is not None and self.never_returns(target))

    def unconditional(self, shape: Shape) -> bool:
        """Whether rules of a shape match every packet."""
        known = self._unconditional.get(shape)
        if known is None:
            conditions = shape_conditions(shape)
            known = self._unconditional[shape] = conditions.fixed and not conditions.by_dimension
        return known

    def never_returns(self, name: str) -> bool:
        """Whether a chain gives every packet a verdict. One that the text does not show in full may return."""
        frames = self._frame(name)
        while frames:
            frame = frames[-1]
            verdict = self._read(frame, frames)
            if verdict is not None:
                self._known[frame.chain.name] = verdict
                frames.pop()
        return self._known.get(name, False)

    def _frame(self, name: str) -> list[_Frame]:
        if name in self._known:
            return []
        chain = self._chains.get(name)
        shown = chain is not None and (
            self._form in (Form.SAVE, Form.LISTING) or (self._form is Form.RESTORE and chain.declared)
        )
        self._known[name] = False  # until it is read: a cycle gives no verdict
        return [_Frame(chain)] if shown and chain is not None else []

    def _read(self, frame: _Frame, frames: list[_Frame]) -> bool | None:
        """The chain's answer; None if another chain must be read first, which is then on top of `frames`."""
        rules = frame.chain.rules
        while frame.index < len(rules):
            rule = rules[frame.index]
            target = rule.target
            always = self.unconditional(rule.shape)
            if target == "RETURN":
                return False
            if target in FINAL_TARGETS:
                if always:
                    return True
            elif target is not None and (always or rule.is_goto):
                if target not in self._known:
                    frames += self._frame(target)
                    return None
                if rule.is_goto and (always or not self._known[target]):
                    return self._known[target]  # packets that return from a goto's chain go to our caller
                if always and self._known[target]:
                    return True
            frame.index += 1
        return False
