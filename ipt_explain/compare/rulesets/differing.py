"""Differences of two dumps besides services: policies, hooks, kube-proxy's own chains, other components' rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence

from ipt_explain.compare.differences import Difference, DifferenceKind, Value
from ipt_explain.compare.rulesets.skeleton import MASQUERADES, NOBODY, SETS_MARK, Place, PlacedRule, Skeleton
from ipt_explain.model import Family
from ipt_explain.words import counted, listed

_SHOWN_HOOKS = 3


def skeleton_differences(
    family: Family, before: Skeleton, after: Skeleton, alike: bool = True, tables: Collection[str] | None = None
) -> list[Difference]:
    """All differences of two rulesets of a family, in these tables or in all; none if either is incomplete.

    `alike`: the same mode of kube-proxy wrote both, so its own chains and hooks should be the same.
    """
    if before == after or not before.complete or not after.complete:
        return []
    if tables is not None:
        before, after = before.within(tables), after.within(tables)
    pair = _Pair(family, before, after)
    own = [*pair.hooks(), *pair.system()] if alike else []
    return [*pair.policies(), *own, *pair.foreign()]


class _Pair:
    def __init__(self, family: Family, before: Skeleton, after: Skeleton) -> None:
        self.family = family
        self.before = before
        self.after = after

    def policies(self) -> Iterator[Difference]:
        """Built-in chains whose policy changed."""
        for place in _places(self.before.policies, self.after.policies):
            old, new = self.before.policies.get(place, "ACCEPT"), self.after.policies.get(place, "ACCEPT")
            if old != new:
                message = f"{_name(place)}: policy {old} -> {new}"
                yield Difference(DifferenceKind.CHAIN_POLICY, self.family, message, None, None, _name(place), old, new)

    def hooks(self) -> Iterator[Difference]:
        """Jumps to kube-proxy's chains that were added, removed, or moved among other components' rules."""
        for place in _places(self.before.built_in, self.after.built_in):
            old, new = self.before.built_in.get(place, ()), self.after.built_in.get(place, ())
            if old == new:
                continue
            gone, come = _changes(_hooks_of(old), _hooks_of(new))
            for text in gone:
                message = f"{_name(place)}: hook removed: {text}"
                yield Difference(DifferenceKind.HOOK, self.family, message, None, None, _name(place), text, None)
            for text in come:
                message = f"{_name(place)}: hook added: {text}"
                yield Difference(DifferenceKind.HOOK, self.family, message, None, None, _name(place), None, text)
            if not gone and not come:
                yield from self._moved(place, old, new)

    def _moved(self, place: Place, old: Sequence[PlacedRule], new: Sequence[PlacedRule]) -> Iterator[Difference]:
        """Hooks that moved past another component's rule that both dumps have."""
        common = Counter(old) & Counter(new)
        earlier, later = _runs(_kept(old, common)), _runs(_kept(new, common))
        if earlier != later and _foreign_of(_kept(old, common)) == _foreign_of(_kept(new, common)):
            passed, passes = _passed_by_hooks(_kept(old, common)), _passed_by_hooks(_kept(new, common))
            moved = [
                f"{text} (after {passes[text]} of them, not {count})"
                for text, count in passed.items()
                if passes.get(text, count) != count
            ]
            message = f"{_name(place)}: hooks have moved among other rules: {listed(moved, _SHOWN_HOOKS)}"
            yield Difference(
                DifferenceKind.HOOK,
                self.family,
                message,
                None,
                None,
                _name(place),
                list(_texts(old)),
                list(_texts(new)),
            )

    def system(self) -> Iterator[Difference]:
        """Chains of kube-proxy and kubelet that serve all services."""
        for place in _places(self.before.system, self.after.system):
            old, new = self.before.system.get(place, ()), self.after.system.get(place, ())
            if old == new:
                continue
            masquerades = place in (SETS_MARK, MASQUERADES)
            kind = DifferenceKind.MASQUERADE if masquerades else DifferenceKind.VERDICT
            gone, come = _changes(old, new)
            what = "; ".join([*(f"without {text}" for text in gone), *(f"with {text}" for text in come)])
            message = f"{_name(place)}: {what or 'the same rules in another order'}"
            before, after = (gone, come) if gone or come else (old, new)
            yield Difference(kind, self.family, message, None, None, _name(place), list(before), list(after))

    def foreign(self) -> Iterator[Difference]:
        """Other components' rules, by owner and chain."""
        for place in _places(self.before.built_in, self.after.built_in):
            yield from self._foreign_of_built_in(place)
        for place in _places(self.before.foreign, self.after.foreign):
            old, new = self.before.foreign.get(place), self.after.foreign.get(place)
            if old == new:
                continue
            chain = new or old
            if chain is not None:
                yield from self._foreign(place, chain.owner, old.rules if old else (), new.rules if new else ())

    def _foreign_of_built_in(self, place: Place) -> Iterator[Difference]:
        old, new = self.before.built_in.get(place, ()), self.after.built_in.get(place, ())
        earlier, later = _foreign_of(old), _foreign_of(new)
        if earlier == later:
            return
        found = False
        for owner in dict.fromkeys(rule.owner for rule in (*earlier, *later)):
            mine, now = _texts_of(earlier, owner), _texts_of(later, owner)
            if mine != now:
                found = True
                yield from self._foreign(place, owner or NOBODY, mine, now)
        if not found:
            yield from self._foreign(place, "several owners", _texts(earlier), _texts(later))

    def _foreign(self, place: Place, owner: str, old: Sequence[str], new: Sequence[str]) -> Iterator[Difference]:
        gone, come = _changes(old, new)
        changes = ((come, "added"), (gone, "removed"))
        parts = [f"{counted(len(rules), 'rule')} {what}" for rules, what in changes if rules]
        message = f"{owner}, {_name(place)}: {', '.join(parts) or 'rules in a different order'}"
        before, after = (gone, come) if gone or come else (list(old), list(new))
        value_before: Value = {"owner": owner, "rules": list(before)}
        value_after: Value = {"owner": owner, "rules": list(after)}
        yield Difference(
            DifferenceKind.FOREIGN_RULES, self.family, message, None, None, _name(place), value_before, value_after
        )


def _places(before: object, after: object) -> list[Place]:
    return sorted({*before, *after})  # type: ignore[misc]


def _name(place: Place) -> str:
    return f"{place[0]} {place[1]}"


def _changes(before: Sequence[str], after: Sequence[str]) -> tuple[list[str], list[str]]:
    """Items only in `before`, and only in `after`, with repetitions."""
    gone, come = Counter(before) - Counter(after), Counter(after) - Counter(before)
    return list(gone.elements()), list(come.elements())


def _hooks_of(rules: Iterable[PlacedRule]) -> list[str]:
    # Repeated jumps to a chain change nothing: a packet that returned once returns again.
    return list(dict.fromkeys(rule.text for rule in rules if rule.is_hook))


def _foreign_of(rules: Iterable[PlacedRule]) -> list[PlacedRule]:
    return [rule for rule in rules if not rule.is_hook]


def _texts_of(rules: Iterable[PlacedRule], owner: str | None) -> list[str]:
    return [rule.text for rule in rules if rule.owner == owner]


def _texts(rules: Iterable[PlacedRule]) -> list[str]:
    return [rule.text for rule in rules]


def _kept(rules: Iterable[PlacedRule], common: Counter[PlacedRule]) -> list[PlacedRule]:
    left = Counter(common)
    kept = []
    for rule in rules:
        if left[rule] > 0:
            left[rule] -= 1
            kept.append(rule)
    return kept


def _passed_by_hooks(rules: Iterable[PlacedRule]) -> dict[str, int]:
    """The number of other components' rules before each hook."""
    found: dict[str, int] = {}
    others = 0
    for rule in rules:
        if rule.is_hook:
            found.setdefault(rule.text, others)
        else:
            others += 1
    return found


def _runs(rules: Iterable[PlacedRule]) -> list[PlacedRule]:
    """The rules with adjacent hooks sorted: their order depends only on which component started last."""
    found: list[PlacedRule] = []
    run: list[PlacedRule] = []
    for rule in rules:
        if rule.is_hook:
            run.append(rule)
        else:
            found += [*sorted(run, key=_text), rule]
            run = []
    return found + sorted(run, key=_text)


def _text(rule: PlacedRule) -> str:
    return rule.text
