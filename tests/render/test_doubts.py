"""What explain says when connections to most Services depend on open questions."""

from __future__ import annotations

from typing import Any

import pytest

from ipt_explain.records import replace
from ipt_explain.services.fates import Decider, Fate, Fates, Loss, Lost
from ipt_explain.services.health import health
from ipt_explain.services.ports import FrontendKind, FrontendVerdict, ServicePort, ServiceState
from tests.render.made import frontend, service

_RULE = Decider(0, "filter", "FORWARD", 12, "-A FORWARD -i eth1 -j DROP", None, True)
_OTHER = replace(_RULE, line=13)
_DROP = Lost(0.5, Loss.DROPPED, "DROP", None, _RULE, "")
_SERVED = Fate(1.0, 0.0, None, False)
_DOUBTFUL = Fate(None, None, None, None, ("-i eth1",), (), (_DROP,))


def _in_doubt(name: str, pod: Fate = _DOUBTFUL, outside: Fate = _DOUBTFUL, **given: Any) -> ServicePort:
    fates = Fates(pod, _SERVED, outside)
    return service(1.0, name=name, state=ServiceState.UNKNOWN, frontends=(frontend(fates=fates, **given),))


def test_rules_that_may_drop_connections_are_all_that_stops_them() -> None:
    doubt = health([_in_doubt("cart"), _in_doubt("web")]).doubt
    assert doubt is not None and doubt.all_else_arrives


@pytest.mark.parametrize(
    "other",
    [
        _in_doubt("web", replace(_DOUBTFUL, perhaps=(replace(_DROP, how=Loss.UNTRANSLATED),))),
        _in_doubt("web", replace(_DOUBTFUL, perhaps=(_DROP, replace(_DROP, decider=_OTHER)))),
        _in_doubt("web", outside=Fate(0.5, 0.0, None, False, (), (_DROP,))),
        _in_doubt("web", source_ranges=("192.0.2.0/24",)),
        replace(
            _in_doubt("web"),
            frontends=(
                *_in_doubt("web").frontends,
                frontend(FrontendKind.NODE_PORT, verdict=FrontendVerdict.UNKNOWN, port=30080),
            ),
        ),
    ],
    ids=["untranslated", "another rule", "lost for certain", "source ranges", "no fates"],
)
def test_nothing_is_ruled_out_if_connections_of_any_service_may_be_lost_elsewhere(other: ServicePort) -> None:
    doubt = health([_in_doubt("cart"), other, _in_doubt("more")]).doubt
    assert doubt is not None and [each.name for each in doubt.services] == ["cart", "web", "more"]
    assert not doubt.all_else_arrives
