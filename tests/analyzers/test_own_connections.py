"""What an endpoint sends to itself through its Service, where rules make exceptions for single pods, as CNI plugins do."""

from __future__ import annotations

import pytest

import ipt_explain
from ipt_explain.analyzers.fates import own_connections
from tests.audit.edits import ahead_of, behind, finding, line_of
from tests.audit.helpers import fired
from tests.bench.worst_cases import large_service
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


@pytest.mark.parametrize(
    ("match", "cut_off"),
    [
        ("-m conntrack --ctorigdst 10.96.0.10", {LOCAL, OTHER}),
        ("-m conntrack --ctorigdst 10.244.1.2", set()),
        ("-m conntrack ! --ctorigdst 10.96.0.10", {"192.168.50.10"}),
        ("-p tcp -m conntrack --ctorigdstport 9153", {LOCAL, OTHER}),
        ("-m conntrack --ctorigdst 10.96.0.0/12 --ctorigdstport 6443", set()),
        (f"-m conntrack --ctorigsrc {LOCAL}", {LOCAL}),
        (f"-m conntrack --ctrepldst {OTHER}", {OTHER}),
        (f"-m iprange --src-range {LOCAL}-{LOCAL}", {LOCAL}),
        (f"-m conntrack --ctorigdst 10.96.0.10 -m iprange ! --src-range {LOCAL}-{LOCAL}", {OTHER}),
    ],
)
@pytest.mark.parametrize("rule", ["POSTROUTING {} -j ACCEPT", "FORWARD {} -j MARK --set-xmark 0x0/0xffffffff"])
def test_ends_of_connections_are_those_of_pods_to_themselves(match: str, cut_off: set[str], rule: str) -> None:
    line = f"-A {rule.format(match)}"
    text = ahead_of(NODE, line, HOOK if "POSTROUTING" in line else '-A FORWARD -m comment --comment "kubernetes forward')
    told = _reaching_themselves(text)
    assert told.get(False, frozenset()) == cut_off
    assert None not in told


_ACCEPTED = "-A POSTROUTING -m mark --mark 0x1/0x1 -j ACCEPT"
_RESTORED = "-A POSTROUTING -j CONNMARK --restore-mark --nfmask 0x4000 --ctmask 0x4000"


@pytest.mark.parametrize(
    ("arriving", "leaving", "cut_off"),
    [
        ("CONNMARK --set-xmark 0x4000/0x4000", _RESTORED, frozenset[str]()),
        ("CONNMARK --set-xmark 0x1/0x1", _RESTORED, frozenset({LOCAL, OTHER})),
        ("MARK --set-xmark 0x1/0x1", _ACCEPTED, frozenset({LOCAL, OTHER})),
        ("MARK --set-xmark 0x2/0x2", _ACCEPTED, frozenset[str]()),
    ],
)
def test_marks_of_what_arrives_matter_when_it_leaves(arriving: str, leaving: str, cut_off: frozenset[str]) -> None:
    text = ahead_of(ahead_of(NODE, leaving, HOOK), f"-A PREROUTING -j {arriving}", "-A PREROUTING -m comment")
    told = _reaching_themselves(text)
    assert told.get(False, frozenset()) & {LOCAL, OTHER} == cut_off
    assert told.get(True, frozenset()) & {LOCAL, OTHER} == {LOCAL, OTHER} - cut_off


SEP = f'-s {LOCAL}/32 -m comment --comment "kube-system/kube-dns:dns" -j KUBE-MARK-MASQ'


def _dns(text: str) -> dict[str, bool | None]:
    services = ipt_explain.explain(ipt_explain.parse(text)).services
    dns = next(service for service in services if service.port_name == "dns")
    told = {endpoint.address or "": endpoint.hairpin for endpoint in dns.endpoints}
    assert dns.masquerade.hairpin is (None if None in told.values() else all(told.values()))
    return told


@pytest.mark.parametrize(
    ("old", "new", "reaches"),
    [
        (f"-s {LOCAL}/32 ", "-s 10.244.1.0/24 ", True),
        (f"-s {LOCAL}/32 ", f"-m iprange --src-range {LOCAL}-{OTHER} ", True),
        (f"-s {LOCAL}/32 ", "", True),
        ("-j KUBE-MARK-MASQ", "-g KUBE-MARK-MASQ", False),
        (f"-s {LOCAL}/32 ", f"-s {LOCAL}/32 -i cni0 ", None),
        (f"-s {LOCAL}/32 ", f"-s {LOCAL}/32 -p tcp ", False),
        (f"-s {LOCAL}/32 ", f"! -s {LOCAL}/32 ", False),
        ("-j KUBE-MARK-MASQ", "-j MARK --set-xmark 0x4000/0x4000", True),
        ("-j KUBE-MARK-MASQ", "-j MARK --set-xmark 0x8000/0x8000", False),
        ("-j KUBE-MARK-MASQ", "-m statistic --mode random --probability 0.5 -j KUBE-MARK-MASQ", False),
    ],
)
def test_other_ways_to_mark_in_an_endpoints_chain(old: str, new: str, reaches: bool | None) -> None:
    assert NODE.count(SEP) == 1
    assert _dns(NODE.replace(SEP, SEP.replace(old, new))) == {LOCAL: reaches, OTHER: True}


@pytest.mark.parametrize("chain", ["KUBE-SERVICES", "KUBE-SVC-TCOU7JCQXEZGVUNU", "PREROUTING"])
def test_marks_before_the_endpoints_chain(chain: str) -> None:
    rule = next(line for line in NODE.splitlines() if line.endswith(SEP))
    mark = f"-A {chain} -s {LOCAL}/32 -j KUBE-MARK-MASQ\n"
    nat = NODE.index("*nat")
    place = NODE.index(f"-A {chain} ", nat)
    without = (NODE[:place] + mark + NODE[place:]).replace(f"{rule}\n", "")
    assert _dns(without) == {LOCAL: True, OTHER: True}
    assert "IPT401" not in fired(without)
    assert _dns(NODE.replace(f"{rule}\n", "")) == {LOCAL: False, OTHER: True}


@pytest.mark.parametrize("undoing", ["MARK --set-xmark 0x0/0x4000", "MARK --set-xmark 0x4000/0x0"])
def test_a_mark_that_a_later_rule_takes_off(undoing: str) -> None:
    rule = next(line for line in NODE.splitlines() if line.endswith(SEP))
    chain = rule.split()[1]
    text = NODE.replace(rule, f"{rule}\n-A {chain} -s {LOCAL}/32 -j {undoing}")
    assert _dns(text) == {LOCAL: False, OTHER: True}
    assert finding("IPT401", text, NODE).line == line_of(text, undoing, chain)


def test_exceptions_in_the_marking_chain() -> None:
    mark = "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000"
    assert NODE.count(mark) == 1
    text = NODE.replace(mark, f"-A KUBE-MARK-MASQ -s {LOCAL}/32 -j RETURN\n{mark}")
    assert _dns(text) == {LOCAL: False, OTHER: True}


def test_a_wide_mark_masquerades_others_too() -> None:
    found = finding("IPT402", NODE.replace(SEP, SEP.replace(f"{LOCAL}/32", "10.244.1.0/24")), NODE)
    assert "from 10.244.1.0/24" in found.message
    assert "cannot reach itself" not in found.message


@pytest.mark.parametrize("chain", ["PREROUTING", "STEAL"])
def test_what_another_rule_leads_to_an_endpoint_is_not_marked(chain: str) -> None:
    steal = f"-A {chain} -d 10.96.0.10/32 -p udp -m udp --dport 53 -j DNAT --to-destination {LOCAL}:53\n"
    jump = "" if chain == "PREROUTING" else f":{chain} - [0:0]\n-A PREROUTING -j {chain}\n"
    place = NODE.index("-A PREROUTING ", NODE.index("*nat"))
    assert _dns(NODE[:place] + jump + steal + NODE[place:]) == {LOCAL: False, OTHER: True}


def test_pods_of_a_very_large_service_are_not_followed_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    followed: list[object] = []
    monkeypatch.setattr(own_connections, "masqueraded", lambda node, start, wanted: followed.extend(wanted) or {})
    for count in (3, 300):
        ipt_explain.explain(ipt_explain.parse("".join(large_service(count))))
    assert len(followed) == 3, "each walk goes to all endpoints of the Service"
