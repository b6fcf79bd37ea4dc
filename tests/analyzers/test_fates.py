"""What becomes of connections to one Service of a healthy node, once a rule or two are put in its way."""

from __future__ import annotations

import gc
import json
from pathlib import Path
from typing import Any

import pytest

import ipt_explain
from ipt_explain.analyzers.fates import masquerading
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.services.fates import Fate
from tests.kube_corpus import scenario

SAMPLE = (Path(__file__).parents[2] / "samples" / "kube-proxy-1.30-basic.txt").read_text()
DNS = "KUBE-SVC-TCOU7JCQXEZGVUNU"
TO_DNS = "-d 10.96.0.10/32 -p udp -m udp --dport 53"


def _dns(*ahead: str, extra: str = "", port_name: str = "dns", text: str = SAMPLE) -> Any:
    """A port of the Service kube-dns, with rules ahead of all others in their chains; `extra` are tables of their own."""
    for rule in reversed(ahead):
        chain = rule.split()[1]
        if f"-A {chain} " not in text:
            text = text.replace("*nat\n", f"*nat\n:{chain} - [0:0]\n")
        nat = text.index("*nat")
        place = text.find(f"-A {chain} ", nat)
        place = text.index("COMMIT", nat) if place < 0 else place
        text = f"{text[:place]}{rule}\n{text[place:]}"
    told = json.loads(ipt_explain.explain(ipt_explain.parse(extra + text)).to_json())
    service = next(service for service in told["services"] if service["port_name"] == port_name)
    lines = (extra + text).splitlines()
    for lost in _fate(service)["lost"]:
        lost["rule"] = lines[lost["line"] - 1]
    return service


def _fate(service: Any, vantage: str = "pod") -> Any:
    return service["frontends"][0]["fates"][vantage]


def _arriving(service: Any) -> dict[str, float]:
    return {f"{each['address']}:{each['port']}": each["probability"] for each in service["endpoints"]}


def _raw(rule: str) -> str:
    return f"*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n{rule}\nCOMMIT\n"


def test_a_healthy_service_leaves_nothing_open() -> None:
    service = _dns()
    assert service["state"] == "serving"
    told = {vantage: (fate["masqueraded"], fate["open"]) for vantage, fate in service["frontends"][0]["fates"].items()}
    assert told == {"pod": (False, []), "node": (True, []), "outside": (True, [])}


def test_walks_leave_no_garbage_for_the_collector() -> None:
    """It is paused while a dump is explained."""
    dump = ipt_explain.parse(SAMPLE)
    ipt_explain.explain(dump)
    gc.collect()
    gc.disable()
    try:
        ipt_explain.explain(dump)
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_another_services_endpoint_does_not_serve() -> None:
    to_dns = TO_DNS.replace("udp", "tcp")
    service = _dns(f"-A PREROUTING {to_dns} -j DNAT --to-destination 192.168.50.10:6443", port_name="dns-tcp")
    (lost,) = _fate(service)["lost"]
    assert (service["state"], lost["how"], lost["dnat"]) == ("diverted", "diverted", "192.168.50.10:6443")
    assert _arriving(service) == {"10.244.1.2:53": 0, "10.244.1.3:53": 0}


def test_what_arrives_at_an_endpoint_by_two_ways_is_all_of_it() -> None:
    service = _dns(f"-A {DNS} -m statistic --mode random --probability 0.25 -j KUBE-MARK-MASQ")
    assert _arriving(service) == pytest.approx({"10.244.1.2:53": 0.5, "10.244.1.3:53": 0.5})
    assert (_fate(service)["served"], _fate(service)["masqueraded"]) == (1.0, None)


def test_a_share_that_is_lost_degrades() -> None:
    service = _dns(extra=_raw(f"-A PREROUTING {TO_DNS} -m statistic --mode random --probability 0.25 -j DROP"))
    (lost,) = _fate(service)["lost"]
    assert (service["state"], lost["how"], lost["probability"]) == ("degraded", "dropped", 0.25)
    assert _arriving(service) == pytest.approx({"10.244.1.2:53": 0.375, "10.244.1.3:53": 0.375})


@pytest.mark.parametrize(("dropped", "state"), [(0.25, "diverted"), (0.75, "blocked")])
def test_the_larger_loss_names_the_state(dropped: float, state: str) -> None:
    drop = f"-A PREROUTING {TO_DNS} -m statistic --mode random --probability {dropped} -j DROP"
    service = _dns(f"-A PREROUTING {TO_DNS} -j DNAT --to-destination 10.9.9.9:53", extra=_raw(drop))
    assert service["state"] == state
    assert {lost["how"]: lost["probability"] for lost in _fate(service)["lost"]} == {
        "dropped": dropped, "diverted": 1 - dropped,
    }  # fmt: skip


@pytest.mark.parametrize("rule", [f"-A {DNS} -j RETURN", f"-A PREROUTING {TO_DNS} -j ACCEPT"])
def test_the_rule_that_ends_the_way_decides(rule: str) -> None:
    (lost,) = _fate(_dns(rule))["lost"]
    assert lost["how"] == "untranslated"
    assert lost["rule"] == rule


def test_a_rule_that_packets_come_back_from_does_not_decide() -> None:
    (lost,) = _fate(_dns("-A PREROUTING -j CHECK", "-A CHECK -p udp -j RETURN", f"-A {DNS} -j RETURN"))["lost"]
    assert lost["rule"] == f"-A {DNS} -j RETURN"


def test_the_node_is_none_of_its_pods() -> None:
    """Though no rule names the pods' network, and one pod is all that the Service has."""
    unnamed = "\n".join(line for line in SAMPLE.split("\n") if "! -s 10.244.0.0/16" not in line)
    service = _dns(f"-A {DNS} -j KUBE-SEP-EJJ3L23ZA35VLW6X", text=unnamed)
    fate = _fate(service, "node")
    assert (fate["served"], fate["masqueraded"], fate["open"]) == (1.0, False, [])


def test_two_rules_that_drop_are_two_losses() -> None:
    rules = "\n".join(
        f"-A PREROUTING {TO_DNS} -m statistic --mode random --probability {chance} -j DROP" for chance in (0.5, 0.25)
    )
    lost = _fate(_dns(extra=_raw(rules)))["lost"]
    assert {each["line"]: each["probability"] for each in lost} == {4: 0.5, 5: 0.125}


def test_a_refusal_in_filter_is_none_of_what_nat_leads_to_endpoints() -> None:
    refusal = f"-A KUBE-SERVICES {TO_DNS} -j REJECT --reject-with icmp-port-unreachable\n"
    place = SAMPLE.index("COMMIT", SAMPLE.index("*filter"))
    service = _dns(text=f"{SAMPLE[:place]}{refusal}{SAMPLE[place:]}")
    assert (service["state"], service["frontends"][0]["verdict"]) == ("serving", "balance")


def test_a_question_that_changes_no_fate_is_not_put() -> None:
    service = _dns("-A PREROUTING -i eth0 -j MARK --set-xmark 0x100/0x100")
    assert (_fate(service)["open"], _fate(service)["served"]) == ([], 1.0)


def _mangle(rule: str) -> str:
    """The sample with a rule in mangle."""
    return SAMPLE.replace("COMMIT", f"{rule}\nCOMMIT", 1)


def test_what_other_rules_masquerade_shows() -> None:
    marked = _dns(text=_mangle("-A PREROUTING -j MARK --set-xmark 0x4000/0x4000"))
    assert marked["masquerade"]["all"] and _dns("-A POSTROUTING -j MASQUERADE")["masquerade"]["all"]


def test_what_is_forwarded_is_not_for_the_node() -> None:
    service = _dns(text=_mangle("-A FORWARD -m addrtype ! --dst-type LOCAL -j DROP"))
    assert (service["state"], _fate(service)["open"]) == ("blocked", [])


@pytest.mark.parametrize("match", ["", "-m conntrack --ctstate DNAT ", "-d 10.244.0.0/16 "])
def test_hairpin_is_ok_where_another_rule_masquerades(match: str) -> None:
    lines = SAMPLE.splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("-A KUBE-SEP-") or "DNAT" in line)
    lacking, covered = _dns(text=text), _dns(f"-A POSTROUTING {match}-j MASQUERADE", text=text)
    assert {each["hairpin"] for each in lacking["endpoints"]} == {False}
    assert {each["hairpin"] for each in covered["endpoints"]} == {covered["masquerade"]["hairpin"]} == {True}


@pytest.mark.parametrize(
    ("rule", "marked", "lacking"), [("-p udp -j MASQUERADE", False, False), ("-p udp -j ACCEPT", True, True)]
)
def test_a_rule_for_udp_changes_no_hairpin_of_tcp(rule: str, marked: bool, lacking: bool) -> None:
    """kube-dns has the same endpoints for both."""
    lines = SAMPLE.splitlines(keepends=True)
    text = SAMPLE if marked else "".join(line for line in lines if not line.startswith("-A KUBE-SEP-") or "DNAT" in line)
    for port_name, ok in (("dns", not lacking), ("dns-tcp", marked), ("metrics", marked)):
        service = _dns(f"-A POSTROUTING {rule}", port_name=port_name, text=text)
        assert ({each["hairpin"] for each in service["endpoints"]}, service["masquerade"]["hairpin"]) == ({ok}, ok)


@pytest.mark.parametrize(("match", "answer"), [("", False), ("-m set --match-set nodes src ", None)])
def test_hairpin_fails_at_the_endpoints_that_another_rule_keeps_from_being_masqueraded(match: str, answer: bool | None) -> None:
    rule = f"-A POSTROUTING -d 10.244.1.2/32 -p tcp {match}-j ACCEPT"
    told = {port_name: _dns(rule, port_name=port_name) for port_name in ("https", "dns", "dns-tcp")}
    hairpins = {name: [each["hairpin"] for each in service["endpoints"]] for name, service in told.items()}
    assert hairpins == {"https": [True], "dns": [True, True], "dns-tcp": [answer, True]}
    assert {name: each["masquerade"]["hairpin"] for name, each in told.items()} == {"https": True, "dns": True, "dns-tcp": answer}


def test_a_refusal_is_enough_to_know_what_becomes_of_a_cluster_ip() -> None:
    refusal = '-A KUBE-SERVICES -d 10.96.0.9/32 -p tcp -m comment --comment "a/web has no local endpoints" -m tcp --dport 80 -j DROP'
    (service,) = json.loads(ipt_explain.explain(ipt_explain.parse(f"{refusal}\n")).to_json())["services"]
    assert (service["state"], _fate(service)["refused"]) == ("no-local-endpoints", 1.0)


@pytest.mark.parametrize(
    "match",
    [
        "", "-d {endpoint}/32", "! -d {endpoint}/32", "-m addrtype --dst-type LOCAL", "-p udp -m udp --dport 53", "-o eth0",
        "-m set --match-set pods dst", "-m statistic --mode random --probability 0.5", "-m conntrack --ctorigdst 10.96.0.10",
    ],
)  # fmt: skip
@pytest.mark.parametrize("marked", [True, False])
def test_endpoints_are_told_apart_where_rules_ask_for_them(
    match: str, marked: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there are many, one packet finds out whether any rule does."""
    lines = SAMPLE.splitlines(keepends=True)
    text = SAMPLE if marked else "".join(line for line in lines if not line.startswith("-A KUBE-SEP-") or "DNAT" in line)
    endpoint = _dns()["endpoints"][0]["address"]
    told = []
    for few in (1000, 0):
        monkeypatch.setattr(masquerading, "_FEW", few)
        for target in ("ACCEPT", "MASQUERADE"):
            service = _dns(f"-A POSTROUTING {match.format(endpoint=endpoint)} -j {target}", text=text)
            told.append([service["masquerade"], *(each["hairpin"] for each in service["endpoints"])])
    assert told[:2] == told[2:]


def test_endpoints_are_told_apart_by_many_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = _dns()["endpoints"][0]["address"]
    rules = [f"-A POSTROUTING -d 10.9.{number // 256}.{number % 256}/32 -j ACCEPT" for number in range(1500)]
    monkeypatch.setattr(masquerading, "_FEW", 0)
    service = _dns(*rules, f"-A POSTROUTING -d {endpoint}/32 -j ACCEPT")
    assert [each["hairpin"] for each in service["endpoints"]] == [False, True]


def test_a_question_about_the_source_alone_leaves_the_service_served() -> None:
    service = _dns("-A POSTROUTING -m set --match-set pods src -j MASQUERADE")
    fate = _fate(service)
    assert (service["state"], fate["served"], fate["masqueraded"], fate["open"]) == ("serving", 1.0, None, [])


def test_chains_without_rules_are_named_each_for_its_own_service() -> None:
    metrics = "KUBE-SVC-JD5MR3NA4I4DYORP"
    text = "".join(line for line in SAMPLE.splitlines(keepends=True) if not line.startswith((f"-A {DNS}", f"-A {metrics}")))
    for port_name, chain in (("dns", DNS), ("metrics", metrics)):
        (lost,) = _fate(_dns(port_name=port_name, text=text))["lost"]
        assert (lost["chain"], lost["rule"]) == (chain, f":{chain} - [0:0]")


def _outside(text: str, name: str, vantage: str = "outside") -> dict[str, Any]:
    """The fate of connections from outside, or from elsewhere, to a Service's node port."""
    told = json.loads(ipt_explain.explain(ipt_explain.parse(text)).to_json())["services"]
    service = next(each for each in told if each["name"] == name)
    return dict(next(each for each in service["frontends"] if each["kind"] == "node-port")["fates"][vantage])


_POLICY = (Path(__file__).parents[2] / "samples" / "kube-proxy-1.30-policy.txt").read_text()


def test_what_nat_leads_nowhere_may_be_refused_by_filter_if_the_text_lacks_that() -> None:
    alone = _POLICY[_POLICY.index("*nat") : _POLICY.index("COMMIT", _POLICY.index("*nat")) + len("COMMIT\n")]
    for text, refused, questions in ((_POLICY, 1.0, []), (alone, None, ["rules of filter that this input does not show"])):
        fate = _outside(text, "itp-etp-local-none")
        assert (fate["refused"], fate["lost"], fate["open"]) == (refused, [], questions)


@pytest.mark.parametrize("chain", ["INPUT", "PREROUTING"])
def test_what_a_service_refuses_anyway_is_no_loss_where_other_rules_stop_it_first(chain: str) -> None:
    stops = f"-A {chain} -p tcp -m tcp --dport 30015 -j DROP\n"
    raw = f"*raw\n:PREROUTING ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n{stops}COMMIT\n"
    text = raw + _POLICY if chain == "PREROUTING" else _POLICY.replace("-A INPUT ", f"{stops}-A INPUT ", 1)
    fate = _outside(text, "itp-etp-local-none")
    assert (fate["served"], fate["refused"], fate["enforced"], fate["lost"]) == (0.0, 1.0, True, [])
    found = ipt_explain.audit(ipt_explain.parse(text))
    assert not [each for each in found if each.severity is not Severity.INFO]


@pytest.mark.parametrize("vantage", ["node", "outside"])
def test_a_node_port_without_endpoints_is_closed_also_where_nothing_rejects_what_arrives_at_the_node(vantage: str) -> None:
    hook = "-A INPUT -m conntrack --ctstate NEW"
    accepting = "-A INPUT -i lo -j ACCEPT\n-A INPUT -p tcp -j ACCEPT"
    text = scenario("1.30", "loadbalancer").ipv4.replace(hook, f"{accepting}\n{hook}", 1)
    fate = _outside(text, "lb-0", vantage)
    assert (fate["refused"], fate["enforced"], fate["lost"]) == (1.0, False, [])


def test_who_is_asked_first_is_a_question_about_those_alone_to_whom_it_matters() -> None:
    """Though all Services' packets of one protocol travel together."""
    nft = "chain pre {\n type nat hook prerouting priority dstnat;\n ip daddr 10.96.0.10 tcp dport 53 dnat to 10.9.9.9\n }\n"
    text = f"{SAMPLE}table ip mine {{\n {nft}}}\n"
    first = "nat PREROUTING of iptables-nft is asked before chain pre of table ip mine"
    for port_name, asked in (("https", []), ("dns-tcp", [first]), ("metrics", [])):
        service = _dns(port_name=port_name, text=text)
        assert (_fate(service)["served"], _fate(service)["open"]) == (None if asked else 1.0, asked)
        share = None if asked else 1 / len(service["endpoints"])
        assert set(_arriving(service).values()) == {share}


def test_what_no_rule_translates_is_passed_by_the_hooks_policy() -> None:
    text = "".join(line for line in SAMPLE.splitlines(keepends=True) if not line.startswith("-A PREROUTING"))
    (lost,) = _fate(_dns(text=text))["lost"]
    assert (lost["how"], lost["rule"]) == ("untranslated", ":PREROUTING ACCEPT [0:0]")


def test_what_filter_refuses_for_other_services_leaves_nothing_open() -> None:
    refused = '-A KUBE-SERVICES -d 10.96.0.9/32 -p tcp -m comment --comment "a/b has no endpoints" -j REJECT'
    health = '-A KUBE-NODEPORTS -p tcp -m comment --comment "a/b health check node port" -m tcp --dport 30031 -j ACCEPT'
    shown = [line for line in SAMPLE.splitlines() if "kube-dns:dns" in line and line.startswith("-A")]
    service = _dns(text="\n".join([refused, health, *shown, ""]))
    assert (service["state"], _arriving(service)) == ("serving", {"10.244.1.2:53": 0.5, "10.244.1.3:53": 0.5})


def test_a_range_of_endpoints_is_no_endpoint_to_explain_and_trace() -> None:
    text = SAMPLE.replace("--to-destination 10.244.1.2:53\n", "--to-destination 10.244.1.2-10.244.1.9:53\n")
    (lost,) = _fate(_dns(text=text))["lost"]
    assert (lost["how"], lost["probability"], lost["dnat"]) == ("diverted", 0.5, "10.244.1.2-10.244.1.9:53")
    found = ipt_explain.trace(ipt_explain.parse(text), ipt_explain.Packet("10.244.1.77", "10.96.0.10", "udp", 53))
    assert [each["judgement"] for each in json.loads(found.to_json())["outcomes"]] == ["served", "diverted"]


def test_dnat_without_a_port_keeps_the_packets_own() -> None:
    text = SAMPLE.replace("--to-destination 10.244.1.2:53\n", "--to-destination 10.244.1.2\n")
    service = _dns(text=text)
    assert (service["state"], _arriving(service)) == ("serving", {"10.244.1.2:53": 0.5, "10.244.1.3:53": 0.5})
    found = ipt_explain.trace(ipt_explain.parse(text), ipt_explain.Packet("10.244.1.77", "10.96.0.10", "udp", 53))
    assert [each["judgement"] for each in json.loads(found.to_json())["outcomes"]] == ["served", "served"]
    told = [each for each in ipt_explain.audit(ipt_explain.parse(text)) if each.severity.value != "info"]
    assert {(each.rule, each.severity.value) for each in told} == {("IPT507", "warning")}


def test_a_rule_that_stops_all_connections_loses_all_of_them() -> None:
    """Whichever endpoint they are for."""
    service = _dns(text=SAMPLE.replace("-A FORWARD ", "-A FORWARD -j DROP\n-A FORWARD ", 1))
    (lost,) = _fate(service)["lost"]
    assert len(service["endpoints"]) == 2
    assert (lost["how"], lost["probability"], lost["rule"]) == ("dropped", 1.0, "-A FORWARD -j DROP")


def test_the_rule_that_shortens_the_way_drops_what_has_no_hops_left() -> None:
    (lost,) = _fate(_dns(text=SAMPLE.replace("COMMIT\n", "-A PREROUTING -j TTL --ttl-set 1\nCOMMIT\n", 1)))["lost"]
    assert (lost["how"], lost["why"], lost["chain"]) == ("rejected", "its TTL has run out", "PREROUTING")


def test_clients_that_come_too_often_for_a_rule_are_a_question() -> None:
    """Endpoints' own lists are not followed, as nobody asks for them later; those of other rules are."""
    listed = "-m recent --{} --name many --mask 255.255.255.255 --rsource"
    forward = "-A FORWARD " + listed.format("set")
    drop = "-A FORWARD " + listed.format("update --seconds 60 --hitcount 10") + " -j DROP"
    service = _dns(text=SAMPLE.replace("COMMIT\n", f"{forward}\n{drop}\nCOMMIT\n", 1))
    assert _fate(service)["served"] is None
    assert _fate(service)["open"] == [listed.format("update --seconds 60 --hitcount 10")]
    assert service["state"] == "unknown"


def test_rules_for_single_sources_are_questions_about_their_own_service() -> None:
    """Services of one kind are followed together, although each has source addresses of its own."""
    chains, rules, wanted = "", "", {}
    for number in (1, 2, 3):
        name, own = f"{number:016}", [f"203.0.113.{number}", f"203.0.113.{10 * number}"]
        chains += f":KUBE-FW-{name} - [0:0]\n:KUBE-SVC-{name} - [0:0]\n:KUBE-SEP-{name} - [0:0]\n"
        said = f'-m comment --comment "default/lb-{number}'
        rules += f'-A KUBE-SERVICES -d 10.96.0.{number}/32 -p tcp {said} cluster IP" -m tcp --dport 80 -j KUBE-SVC-{name}\n'
        for address in own:
            front = f"-d {address}/32 -p tcp {said} loadbalancer IP\" -m tcp --dport 80"
            rules += f"-A KUBE-SERVICES {front} -j KUBE-FW-{name}\n"
            rules += f'-A KUBE-FW-{name} -s {address}/32 {said} loadbalancer IP" -j KUBE-SVC-{name}\n'
            wanted[address] = [f"-s {each}/32" for each in own]
        rules += f'-A KUBE-SVC-{name} {said}" -j KUBE-SEP-{name}\n'
        rules += f'-A KUBE-SEP-{name} -p tcp {said}" -m tcp -j DNAT --to-destination 10.244.0.{number}:80\n'
    text = f"*nat\n:OUTPUT ACCEPT [0:0]\n:KUBE-SERVICES - [0:0]\n{chains}-A OUTPUT -j KUBE-SERVICES\n{rules}COMMIT\n"
    told = json.loads(ipt_explain.explain(ipt_explain.parse(text)).to_json())
    fronts = [front for service in told["services"] for front in service["frontends"] if front["address"] in wanted]
    asked = {front["address"]: front["fates"]["node"]["open"] for front in fronts}
    assert {address: [each for each in found if each[:2] == "-s"] for address, found in asked.items()} == wanted


def test_fates_with_questions_about_their_own_addresses_do_not_collide() -> None:
    """Thousands of external addresses each ask whether they are the node's."""
    fates = [Fate(None, None, None, None, (f"10.0.0.{number} is an address of this node",)) for number in range(100)]
    assert len(set(map(hash, fates))) == len(fates)
