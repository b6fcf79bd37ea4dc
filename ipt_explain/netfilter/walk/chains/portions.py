"""Shares of a traced packet, by the state that they are in."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Generic, TypeVar

from ipt_explain.netfilter.probability import Probability, total
from ipt_explain.records import Record

if TYPE_CHECKING:
    from ipt_explain.netfilter.assumptions import Answers, Assumption, InterfaceChoice

Key = TypeVar("Key")
Via = TypeVar("Via")

_LATEST = 4
"""How many of a packet's latest answers may turn out to be idle: those before have made a difference since."""


def with_opposites(answers: Answers) -> Iterator[tuple[Assumption, Answers, Answers]]:
    """Each of the latest answers, all answers with its opposite in its place, and all answers without it."""
    for place in range(len(answers) - 1, max(-1, len(answers) - 1 - _LATEST), -1):
        answer, before, after = answers[place], answers[:place], answers[place + 1 :]
        yield answer, (*before, answer.opposite, *after), before + after


def with_one_less(counted: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Rules that have counted a packet, without one of them."""
    return (counted[:place] + counted[place + 1 :] for place in range(len(counted)))


class LikelyPart(Record, Generic[Via], frozen=False):
    """A share of a packet and how it got there. If it got there in several ways, `via` is the likeliest and `heaviest`
    its share."""

    share: Probability
    via: Via
    heaviest: Probability


class Portions(dict[Key, LikelyPart[Via]]):
    """Portions by key. A portion whose key is already there is added to the one that is."""

    def gather(self, key: Key, share: Probability, via: Via) -> None:
        """Add a share that got there by `via`."""
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
        """Join the portion that a rule has counted and the one that it has not, if they differ in nothing else."""
        for key in sorted(filter(counted_of, self), key=lambda key: -len(counted_of(key))):
            for twin in (with_counted(key, fewer) for fewer in with_one_less(counted_of(key))):
                if twin in self:
                    portion = self.pop(key)
                    self.gather(twin, portion.share, portion.via)
                    break

    def forget_idle_answers(
        self, answers_of: Callable[[Key], Answers], with_answers: Callable[[Key, Answers], Key]
    ) -> None:
        """Join portions of equal size that differ only in the answer to one question: the answer made no difference.

        Repeats until no such pair is left. Then joins portions that differ only in which of many interfaces was
        assumed.
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
            for answer, opposite, fewer in with_opposites(answers_of(key)):
                twin = with_answers(key, opposite)
                if twin in self and self[twin].share * answer.share == self[key].share * answer.opposite.share:
                    one, other = self.pop(key), self.pop(twin)
                    merged = with_answers(key, fewer)
                    for portion in (other, one) if answer.hold else (one, other):
                        self.gather(merged, portion.share, portion.via)
                    waiting.append(merged)
                    break

    def _join_choices(
        self, answers_of: Callable[[Key], Answers], with_answers: Callable[[Key, Answers], Key]
    ) -> bool:
        """Join portions that differ only in the chosen interface. Returns whether there were any."""
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
        """Groups of choices worth joining: those that lost nothing, or the same share."""
        from ipt_explain.netfilter.assumptions import worth_joining

        by_size: dict[Probability, list[tuple[Key, InterfaceChoice]]] = {}
        for key, found in choices:
            by_size.setdefault(self[key].share / found.share, []).append((key, found))
        return [same for same in by_size.values() if worth_joining([found for _, found in same])]
