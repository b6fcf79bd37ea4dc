"""What an endpoint sends to itself through its Service, where rules make exceptions for single pods, as CNI plugins do."""

from __future__ import annotations

import pytest

import ipt_explain
from tests.audit.edits import ahead_of, behind, finding, line_of
from tests.audit.helpers import fired
from tests.kube_corpus import scenario

NODE = scenario("1.30", "basic").ipv4
HOOK = "-A POSTROUTING -m comment"
LOCAL, OTHER = "10.244.1.2", "10.244.1.3"
ALL = frozenset({LOCAL, OTHER, "192.168.50.10"})


def _of_a_pod(address: str) -> str:
    """The rules that the CNI plugin `bridge` writes for one pod with ipMasq."""
    return (
        f":CNI-{address} - [0:0]\n"
        f'-A POSTROUTING -s {address}/32 -m comment --comment "name: \\"cbr0\\"" -j CNI-{address}\n'
        f"-A CNI-{address} -d 10.244.1.0/24 -j ACCEPT\n"
        f"-A CNI-{address} ! -d 224.0.0.0/4 -j MASQUERADE"
    )


def _reaching_themselves(text: str) -> dict[bool | None, frozenset[str]]:
    found: dict[bool | None, set[str]] = {}
    for service in ipt_explain.explain(ipt_explain.parse(text)).services:
        for endpoint in service.endpoints:
            found.setdefault(endpoint.hairpin, set()).add(endpoint.address or "")
    return {told: frozenset(own) for told, own in found.items()}


def test_a_pods_own_rules_keep_it_from_reaching_itself() -> None:
    text = ahead_of(NODE, _of_a_pod(LOCAL), HOOK)
    assert _reaching_themselves(text) == {False: {LOCAL}, True: ALL - {LOCAL}}
    found = finding("IPT409", text, NODE)
    assert found.line == line_of(text, f"-A CNI-{LOCAL} -d 10.244.1.0/24 -j ACCEPT")
    assert "from some sources" in found.message


def test_after_kube_postrouting_they_do_no_harm() -> None:
    text = behind(NODE, _of_a_pod(LOCAL), HOOK)
    assert _reaching_themselves(text) == {True: ALL}
    assert "IPT409" not in fired(text)


def test_every_pod_may_have_its_own_rules() -> None:
    text = ahead_of(NODE, f"{_of_a_pod(LOCAL)}\n{_of_a_pod(OTHER)}", HOOK)
    assert _reaching_themselves(text) == {False: {LOCAL, OTHER}, True: ALL - {LOCAL, OTHER}}


@pytest.mark.parametrize(
    ("rule", "cut_off"),
    [
        ("-s 10.244.1.0/24 -d 10.244.1.0/24 -j ACCEPT", {LOCAL, OTHER}),
        ("! -s 10.244.1.0/24 -d 10.244.0.0/16 -j ACCEPT", set()),
        (f"! -s {LOCAL}/32 -d 10.244.0.0/16 -j ACCEPT", {OTHER}),
        (f"-s {LOCAL}/32 -d {OTHER}/32 -j ACCEPT", set()),
        ("-s 10.244.2.0/24 -j ACCEPT", set()),
        ("-s 10.244.1.0/24 -j MASQUERADE", set()),
    ],
)
def test_networks_of_sources(rule: str, cut_off: set[str]) -> None:
    told = _reaching_themselves(ahead_of(NODE, f"-A POSTROUTING {rule}", HOOK))
    assert told.get(False, frozenset()) == cut_off
    assert told[True] == ALL - cut_off


def test_a_rule_that_clears_the_mark_of_one_pod() -> None:
    before, after = NODE.split("*mangle\n", 1)
    text = f"{before}*mangle\n" + after.replace(
        "COMMIT\n", f"-A FORWARD -s {LOCAL}/32 -j MARK --set-xmark 0x0/0x4000\nCOMMIT\n", 1
    )
    assert _reaching_themselves(text) == {False: {LOCAL}, True: ALL - {LOCAL}}
