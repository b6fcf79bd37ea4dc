"""What a Service itself declines, even if other rules stop it first, or no rule that the text shows stops it."""

from __future__ import annotations

from ipt_explain.records import replace
from ipt_explain.services.fates import FILTER_NOT_SHOWN, Fate, Loss, Vantage
from ipt_explain.services.losses import declined_anyway
from ipt_explain.services.ports import Frontend


def with_declined(frontend: Frontend, vantage: Vantage, fate: Fate) -> Fate:
    """A frontend's fate from one vantage point, without losses of what the Service refuses in any case. What filter may
    refuse is open if the text lacks its rules."""
    hidden = tuple([lost for lost in fate.lost if lost.why == FILTER_NOT_SHOWN])
    if hidden:
        lost = tuple([each for each in fate.lost if each not in hidden])
        fate = replace(
            fate, served=None, refused=None, open=(*fate.open, FILTER_NOT_SHOWN), lost=lost,
            perhaps=(*fate.perhaps, *hidden),
        )  # fmt: skip
    stopped = [lost for lost in fate.lost if declined_anyway(frontend, vantage, lost)]
    if not stopped or fate.refused is None:
        return fate
    return replace(
        fate,
        refused=fate.refused + sum(lost.probability for lost in stopped),
        enforced=fate.enforced is not False and all(lost.how is not Loss.UNTRANSLATED for lost in stopped),
        lost=tuple([lost for lost in fate.lost if lost not in stopped]),
    )
