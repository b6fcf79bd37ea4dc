"""The paths of a trace's outcomes as one tree: tables, and in them the rules met, each with its share of packets."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

from ipt_explain.records import dataclass, field
from ipt_explain.trace import Outcome, Step
from ipt_explain.trace.outcome import Ending

MOST_SHOWN = 300
"""The most paths shown, likeliest first."""


_Key = tuple[int, int, int]


@dataclass(slots=True)
class Scene:
    """A rule on the path, or a policy, with what packets met in the chain that it jumps to."""

    step: Step
    share: float = 0.0
    inside: dict[_Key, Scene] = field(default_factory=dict)

    def scenes(self) -> list[Scene]:
        """The scenes inside, in the order of the chain."""
        return sorted(self.inside.values(), key=_place)


@dataclass(slots=True)
class Act:
    """One table in one hook."""

    table: str
    hook: str
    share: float = 0.0
    opening: dict[_Key, Scene] = field(default_factory=dict)

    def scenes(self) -> list[Scene]:
        """The rules of the built-in chain that packets met, in order."""
        return sorted(self.opening.values(), key=_place)


def story(outcomes: Iterable[Outcome]) -> list[Act]:
    """The tables in which packets met rules on their paths to these outcomes, in the order met."""
    acts: dict[tuple[str, str, bool], Act] = {}
    for ending in shown_endings(outcomes):
        _tell(ending, float(ending.share), acts)
    return [acts[key] for key in sorted(acts, key=lambda key: _HOOK_ORDER[key[1]] + 10 * key[2])]


# A stable sort by hook keeps the tables of a hook in the order met; those of a packet that returned over lo come last.
_HOOK_ORDER = {"PREROUTING": 0, "OUTPUT": 1, "INPUT": 2, "FORWARD": 3, "POSTROUTING": 4}


def shown_endings(outcomes: Iterable[Outcome]) -> list[Ending]:
    """The paths that are shown."""
    return list(islice((ending for outcome in outcomes for ending in outcome.endings), MOST_SHOWN))


def _tell(ending: Ending, share: float, acts: dict[tuple[str, str, bool], Act]) -> None:
    entered: set[tuple[str, str, bool]] = set()
    above: list[Scene] = []
    seen: set[int] = set()
    balanced = False
    for step in ending.steps:
        local, hook = step.before.connection.local, step.before.hook.value
        balanced = balanced or (not local and hook == "OUTPUT")  # IPVS sent it there from INPUT
        again = balanced or (local and hook in ("PREROUTING", "INPUT"))
        key = (step.table, hook, again)
        act = acts.setdefault(key, Act(step.table, step.before.hook.value))
        if key not in entered:
            entered.add(key)
            act.share += share
            above = []
        del above[step.depth :]
        siblings = above[-1].inside if above else act.opening
        scene = siblings.setdefault((step.line or 0, id(step.rule), id(step.into)), Scene(step))
        if id(scene) not in seen:
            seen.add(id(scene))
            scene.share += share
        above.append(scene)


def _place(scene: Scene) -> tuple[bool, int]:
    return scene.step.rule is None, scene.step.line or 0
