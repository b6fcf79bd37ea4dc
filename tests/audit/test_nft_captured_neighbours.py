"""A healthy node in nftables mode beside the rules of other programs, as the kernel listed them: one story of it,
whichever of them came first, in text and in JSON."""

from __future__ import annotations

import re

import pytest

from ipt_explain.analyzers import explain
from ipt_explain.model import Dump
from ipt_explain.parsing import read_dump
from tests.archives import read_archive
from tests.audit.test_lost_traffic import accused, disagreements, losing
from tests.audit.test_neighbours import may_lose

FILES = {name: content.decode() for name, content in read_archive("nft-neighbours").items()}
NEIGHBOURS = sorted({name.rsplit(".", 1)[0] for name in FILES})
# They drop, divert or exempt Service traffic, and some of it certainly.
HARMFUL = ("closed", "equal-priorities", "policy-drop")
# They limit how often clients may connect, or do not track what the node sends to itself.
LIMITING = ("inet_raw", "misc")
# JSON shows no more than the names of what iptables-nft wrote.
OF_IPTABLES = ("docker-", "kubelet", "ufw")


@pytest.mark.parametrize("name", NEIGHBOURS)
def test_one_story(name: str) -> None:
    dump = read_dump(FILES[f"{name}.txt"])
    assert disagreements(dump, seed=1, count=4) == []
    assert bool(losing(dump)) is name.startswith(HARMFUL)
    assert bool(accused(dump)) is name.startswith((*HARMFUL, *LIMITING))


@pytest.mark.parametrize("name", [each for each in NEIGHBOURS if not each.startswith(OF_IPTABLES)])
def test_text_and_json_tell_the_same(name: str) -> None:
    text, json = (_told(read_dump(FILES[f"{name}.{kind}"])) for kind in ("txt", "json"))
    assert text == json


def _told(dump: Dump) -> list[tuple[object, ...]]:
    """What explain says of each frontend, but for the lines and handles of rules in its questions."""
    return sorted(
        (
            service.label,
            service.state.value,
            str(frontend.address),
            frontend.port,
            vantage.value,
            str((fate.served, fate.refused, fate.masqueraded)),
            [re.sub(r"\((?:line|handle) \d+\)", "", question) for question in fate.open],
            [(lost.how.value, lost.probability, lost.decider.place) for lost in fate.lost],
        )
        for service in explain(dump).services
        for frontend in service.frontends
        for vantage, fate in (frontend.fates.items() if frontend.fates is not None else ())
    )


@pytest.mark.parametrize("name", sorted({each.rsplit("-", 1)[0] for each in NEIGHBOURS}))
def test_what_may_be_lost_may_be_lost_wherever_the_program_puts_its_rules(name: str) -> None:
    found = {may_lose(read_dump(text)) for each, text in FILES.items() if each.startswith(f"{name}-") and ".txt" in each}
    assert len(found) == 1
