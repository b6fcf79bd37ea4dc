"""Shares of a traced packet, by the state that they are in."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from ipt_explain.netfilter.probability import Probability, total

Key = TypeVar("Key")
Via = TypeVar("Via")
Answers = frozenset[tuple[str, bool]]


@dataclass(slots=True)
class Portion(Generic[Via]):
    """How much of the packet, and a way by which it came; of several ways, the likeliest single one."""

    share: Probability
    via: Via
    heaviest: Probability


class Portions(dict[Key, Portion[Via]]):
    """Portions by key: what comes with a key that is there already is added to it."""

    def gather(self, key: Key, share: Probability, via: Via) -> None:
        """Add a share that came by `via`."""
        held = self.get(key)
        if held is None:
            self[key] = Portion(share, via, share)
            return
        held.share = total(held.share, share)
        if share > held.heaviest:
            held.via, held.heaviest = via, share

    def forget_idle_answers(
        self, answers_of: Callable[[Key], Answers], with_answers: Callable[[Key, Answers], Key]
    ) -> None:
        """Join portions that differ only in the answer to one question and are equally large: the question has not mattered.

        Goes on until no such pair is left.
        """
        waiting = [key for key in self if answers_of(key)]
        while waiting:
            key = waiting.pop()
            if key not in self:
                continue
            answers = answers_of(key)
            for question, answer in sorted(answers):
                rest = answers - {(question, answer)}
                twin = with_answers(key, rest | {(question, not answer)})
                if twin in self and self[twin].share == self[key].share:
                    one, other = self.pop(key), self.pop(twin)
                    merged = with_answers(key, rest)
                    self.gather(merged, total(one.share, other.share), one.via if answer is False else other.via)
                    waiting.append(merged)
                    break
