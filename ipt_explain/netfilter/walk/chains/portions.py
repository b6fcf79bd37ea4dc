"""Shares of a traced packet, by the state that they are in."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from ipt_explain.netfilter.probability import Probability, total
from ipt_explain.records import Record

if TYPE_CHECKING:
    from ipt_explain.netfilter.assumptions import Answers, InterfaceChoice

Key = TypeVar("Key")
Via = TypeVar("Via")

# Of a packet's latest answers, so many are looked at: what was asked before has mattered since.
_LATEST = 4


class LikelyPart(Record, Generic[Via], frozen=False):
    """How much of the packet, and a way by which it came; of several ways, the likeliest single one."""

    share: Probability
    via: Via
    heaviest: Probability


class Portions(dict[Key, LikelyPart[Via]]):
    """Portions by key: what comes with a key that is there already is added to it."""

    def gather(self, key: Key, share: Probability, via: Via) -> None:
        """Add a share that came by `via`."""
        held = self.get(key)
        if held is None:
            self[key] = LikelyPart(share, via, share)
            return
        held.share = total(held.share, share)
        if share > held.heaviest:
            held.via, held.heaviest = via, share

    def forget_counts(
        self, counted_of: Callable[[Key], tuple[int, ...]], with_counted: Callable[[Key, tuple[int, ...]], Key]
    ) -> None:
        """Join what a rule has taken by counting with what it has not, where they differ in nothing else."""
        for key in sorted(filter(counted_of, self), key=lambda key: -len(counted_of(key))):
            counted = counted_of(key)
            for twin in (with_counted(key, counted[:place] + counted[place + 1 :]) for place in range(len(counted))):
                if twin in self:
                    portion = self.pop(key)
                    self.gather(twin, portion.share, portion.via)
                    break

    def forget_idle_answers(
        self, answers_of: Callable[[Key], Answers], with_answers: Callable[[Key, Answers], Key]
    ) -> None:
        """Join portions that differ only in the answer to one question and are equally large: the question has not
        mattered.

        Goes on until no such pair is left. Then joins those that differ only in which of many interfaces was assumed.
        """
        if not any(map(answers_of, self)):
            return
        self._forget_idle(answers_of, with_answers)
        if self._join_choices(answers_of, with_answers):
            self._forget_idle(answers_of, with_answers)

    def _forget_idle(
        self, answers_of: Callable[[Key], Answers], with_answers: Callable[[Key, Answers], Key]
    ) -> None:
        waiting = [key for key in self if answers_of(key)]
        while waiting:
            key = waiting.pop()
            if key not in self:
                continue
            answers = answers_of(key)
            for place in range(len(answers) - 1, max(-1, len(answers) - 1 - _LATEST), -1):
                answer = answers[place]
                opposite = answer.opposite
                twin = with_answers(key, (*answers[:place], opposite, *answers[place + 1 :]))
                if twin in self and self[twin].share * answer.share == self[key].share * opposite.share:
                    one, other = self.pop(key), self.pop(twin)
                    merged = with_answers(key, answers[:place] + answers[place + 1 :])
                    for portion in (other, one) if answer.hold else (one, other):
                        self.gather(merged, portion.share, portion.via)
                    waiting.append(merged)
                    break

    def _join_choices(
        self, answers_of: Callable[[Key], Answers], with_answers: Callable[[Key, Answers], Key]
    ) -> bool:
        """Whether any were joined."""
        from ipt_explain.netfilter.assumptions import choice, condensed, joined_choices

        alike: dict[object, list[tuple[Key, InterfaceChoice]]] = {}
        for key, portion in list(self.items()):
            answers = answers_of(key)
            fewer = condensed(answers)
            if fewer is not answers:
                self.gather(with_answers(key, fewer), portion.share, self.pop(key).via)
                continue
            found = choice(answers)
            if found is not None:
                kind = with_answers(key, found.others), found.flag, found.place
                alike.setdefault(kind, []).append((key, found))
        mergeable = [whole for same in alike.values() if len(same) > 1 for whole in self._equally_large(same)]
        for same in mergeable:
            merged = with_answers(same[0][0], joined_choices([found for _, found in same]))
            for key, _ in same:
                portion = self.pop(key)
                self.gather(merged, portion.share, portion.via)
        return bool(mergeable)

    def _equally_large(self, choices: list[tuple[Key, InterfaceChoice]]) -> list[list[tuple[Key, InterfaceChoice]]]:
        """Those worth joining: nothing of them has been lost, or the same share."""
        from ipt_explain.netfilter.assumptions import worth_joining

        by_size: dict[Probability, list[tuple[Key, InterfaceChoice]]] = {}
        for key, found in choices:
            by_size.setdefault(self[key].share / found.share, []).append((key, found))
        return [same for same in by_size.values() if worth_joining([found for _, found in same])]
