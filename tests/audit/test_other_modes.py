"""The audit of nodes in nftables and IPVS mode: silent where nothing is wrong, and not where connections are lost."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

import ipt_explain
from ipt_explain.analyzers import explain
from ipt_explain.analyzers.fates import with_fates
from ipt_explain.audit.findings.finding import Finding
from ipt_explain.audit.findings.severity import Severity
from ipt_explain.audit.runner import audit_dump, audit_node
from ipt_explain.model import Backend, Dump, Family
from ipt_explain.model.node.joining import with_shared_facts
from ipt_explain.parsing import read_dump
from ipt_explain.services.fates import Fate, Vantage
from ipt_explain.services.ports import ProxyMode, ServicePort
from ipt_explain.trace.packet import Packet
from ipt_explain.trace.tracer import trace
from tests.audit.helpers import audit_text, findings_of, fired
from tests.audit.mutations.nftables import planted
from tests.ipvs_corpus import IpvsNode, ipvs_nodes
from tests.kube_corpus import scenario
from tests.nft_corpus import Listing, listing, listings

HEARD = 0.95
"""The share of faults by which connections are lost, or keep their source, that the audit must report."""


def accusations(text: str) -> list[str]:
    """What the audit holds against a text, notes left out."""
    return [f"{each.rule} {each.message}" for each in audit_text(text) if each.severity is not Severity.INFO]


@pytest.mark.parametrize(
    "given", [each for each in listings() if each.truth and each.name.endswith("/nft-ruleset")], ids=lambda each: each.name
)
def test_healthy_rulesets_of_nftables_are_not_accused(given: Listing) -> None:
    told = [words for text in (given.text, given.json) if text for words in accusations(text)]
    claimed_twice = "/conflict/" in given.name
    assert [words for words in told if not (claimed_twice and "another Service has its external address" in words)] == []


@pytest.mark.parametrize("given", ipvs_nodes(), ids=lambda each: each.id)
def test_healthy_ipvs_nodes_are_not_accused(given: IpvsNode) -> None:
    told = accusations(given.text())
    lost = [words for words in told if words.startswith("IPT914")]  # 0.0.0.0/0 up to 1.33: nobody gets in
    assert [words for words in told if words not in lost] == []
    assert bool(lost) == (given.id == "1.33/loadbalancer")


def fates_of(dump: Dump, services: list[ServicePort]) -> list[Fate]:
    """What a dump makes of connections to these Services."""
    judged = with_fates(dump, Family.IPV4, services, {Backend.NFTABLES: 0})
    return [
        fate
        for each in judged
        for frontend in each.frontends
        if frontend.fates is not None
        for _, fate in frontend.fates.items()
    ]


def is_worse(before: Fate, after: Fate) -> bool:
    """Whether fewer connections arrive, or they are no longer masqueraded."""
    if not before.served:
        return False
    return (after.served or 0.0) < before.served - 1e-9 or after.masqueraded is not before.masqueraded


@pytest.mark.parametrize(("seed", "version"), list(enumerate(("1.30", "1.33", "1.36"))))
def test_faults_planted_in_nftables_are_heard(seed: int, version: str) -> None:
    total, missed = 0, []
    for name in ("basic", "nodeport"):
        text = listing(f"{version}/{name}/nft-ruleset").text
        whole = read_dump(text)
        explained = explain(whole)
        known = {finding.fingerprint for finding in audit_dump(whole, explanation=explained).findings}
        services = [each for each in explained.services if each.family is Family.IPV4]
        before = fates_of(whole, services)
        for fault in planted(text, seed):
            dump = read_dump(fault.text)
            if version == "1.36" and fault.kind == "wrong endpoint":
                continue  # these have no names: nothing on the node tells which one is right
            if not any(map(is_worse, before, fates_of(dump, services))):
                continue
            total += 1
            report = audit_dump(dump)
            assert report.unchecked == ()
            if not any(
                each.severity is not Severity.INFO and each.fingerprint not in known for each in report.findings
            ):
                missed.append(f"{name}: {fault.kind}: {fault.what}")
    assert len(missed) <= (1 - HEARD) * total, "\n".join([f"{len(missed)} of {total} missed", *missed])


def test_text_and_json_get_the_same_findings() -> None:
    given = listing("1.33/basic/nft-ruleset")
    assert given.json is not None
    text = given.text.replace("\t\tjump services\n", "\t\tcounter\n")
    json = given.json.replace('"jump": {"target": "services"}', '"counter": null')
    left, right = (sorted((each.rule, each.message) for each in audit_text(each)) for each in (text, json))
    assert left == right != []


def basic(*changes: tuple[str, str]) -> str:
    """A ruleset of 1.33 with some of its text replaced."""
    text = listing("1.33/basic/nft-ruleset").text
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    return text


def test_one_cause_is_told_once() -> None:
    found = audit_text(basic(("\t\tjump services\n", "")))
    assert [each.rule for each in found] == ["IPT901"]
    assert (found[0].table, found[0].chain) == ("ip kube-proxy", "nat-prerouting")


@pytest.mark.parametrize(
    ("capture", "old", "new", "told"),
    [
        ("1.33/basic", "\t\tmeta mark set meta mark | 0x00004000\n", "", ["IPT906"]),
        ("1.36/basic", "\t\tjump masquerading\n", "\t\tcounter accept\n\t\tjump masquerading\n", ["IPT901"]),
        ("1.36/basic", "\t\tjump masquerading\n", "\t\tip daddr 203.0.113.9 accept\n\t\tjump masquerading\n", []),
        ("1.36/basic", "\t\tjump masquerading\n", "\t\tcounter\n\t\tjump masquerading\n", []),
        ("1.30/nodeport", "\t\tip saddr 10.244.0.0/16 goto service-K4CWHINZ-default/np-local/tcp/ comment", "", ["IPT919"]),
        ("1.33/affinity", "\t\tnumgen random mod 2 vmap", "", ["IPT117"]),
        ("1.33/externalips", "198.51.100.8 . tcp . 80 :", "198.51.100.8 . tcp . 81 :", ["IPT916"]),
        (
            "1.36/nodeport", "30012 : goto external-P6JINSSQ-default/np3/udp/dns",
            "30012 : goto service-P6JINSSQ-default/np3/udp/dns", ["IPT909", "IPT916", "IPT903"],
        ),
        (
            "1.36/nodeport", "goto service-AS2KJYAD-kube-system/kube-dns/tcp/metrics",
            "goto service-K4CWHINZ-default/np-local/tcp/", ["IPT916", "IPT903", "IPT904"],
        ),
        (
            "1.36/nodeport", "goto service-K4CWHINZ-default/np-local/tcp/ comment",
            "goto local-K4CWHINZ-default/np-local/tcp/ comment", ["IPT919"],
        ),
        ("1.36/nodeport", "ip saddr 10.244.0.0/16 goto", "ip saddr 10.245.0.0/16 goto", ["IPT919"]),
        ("1.36/nodeport", "ip saddr != 10.244.0.0/16 meta mark", "ip saddr 10.244.0.0/16 meta mark", ["IPT906"]),
        ("1.36/nodeport", "\t\treject\n", "", ["IPT901"]),
        ("1.33/nodeport", "new jump nodeport-endpoints-check", "new goto nodeport-endpoints-check", ["IPT901"]),
        ("1.36/nodeport", "priority dstnat; policy accept", "priority dstnat; policy drop", ["IPT901"]),
        ("1.36/loadbalancer", "hook prerouting priority dstnat - 10", "hook prerouting priority filter", ["IPT901"]),
        ("1.36/loadbalancer", "ip saddr != 198.51.100.0/24 drop", "ip saddr 198.51.100.0/24 drop", ["IPT901"]),
        ("1.36/loadbalancer", "203.0.113.4 . tcp . 80 : goto firewall", "203.0.113.5 . tcp . 80 : goto firewall", ["IPT916"]),
        ("1.33/nodeport", "ip saddr 10.244.1.2 jump", "ip saddr != 10.244.1.2 jump", ["IPT904"]),
    ],
)  # fmt: skip
def test_what_no_packet_tells_is_heard(capture: str, old: str, new: str, told: list[str]) -> None:
    text = listing(f"{capture}/nft-ruleset").text
    place = text.index(old)
    after = place + len(old) if new or old.endswith("\n") else text.index("\n", place) + 1
    assert [each.rule for each in audit_text(text[:place] + new + text[after:])] == told


@pytest.mark.parametrize(
    ("capture", "old", "new", "effect"),
    [
        (
            "1.36/nodeport", "goto service-AS2KJYAD-kube-system/kube-dns/tcp/metrics",
            "goto service-K4CWHINZ-default/np-local/tcp/", ": connections to one of them reach the wrong pods",
        ),
        ("1.33/externalips", "198.51.100.8 . tcp . 80 :", "198.51.100.8 . tcp . 81 :", ": connections there reach its pods"),
        (
            "1.36/loadbalancer", "203.0.113.4 . tcp . 80 : goto firewall", "203.0.113.5 . tcp . 80 : goto firewall",
            ": they decide who may connect to that",
        ),
        (
            "1.36/nodeport", "\t\tip saddr 10.244.0.0/16 goto service-K4CWHINZ-default/np-local/tcp/", "\t\tcounter",
            ": they reach only endpoints on this node, and are dropped if there are none",
        ),
    ],
)  # fmt: skip
def test_rules_of_wrong_chains_say_what_becomes_of_connections(capture: str, old: str, new: str, effect: str) -> None:
    text = listing(f"{capture}/nft-ruleset").text
    assert old in text
    found = [each for each in audit_text(text.replace(old, new, 1)) if each.rule in ("IPT916", "IPT919")]
    assert found
    assert all(each.message.endswith(effect) for each in found)


@pytest.mark.parametrize(
    ("rule", "severity"),
    [
        ("ip daddr . meta l4proto . th dport vmap @service-ips", Severity.ERROR),
        ("ip daddr . meta l4proto . th dport vmap @no-endpoint-services", Severity.WARNING),
    ],
)
def test_connections_that_hang_weigh_less_than_services_that_do_not_work(rule: str, severity: Severity) -> None:
    text = listing("1.36/nodeport/nft-ruleset").text
    assert text.count(f"\t\t{rule}\n") == 1
    (found,) = findings_of("IPT901", text.replace(f"\t\t{rule}\n", ""))
    assert found.severity is severity


def test_a_drop_in_another_table_is_told_with_its_line() -> None:
    beside = "table inet fw {\n\tchain fwd {\n\t\ttype filter hook forward priority 0; policy accept;\n\t\tdrop\n\t}\n}\n"
    (found,) = findings_of("IPT119", basic() + beside)
    assert (found.table, found.chain, found.excerpt.strip()) == ("inet fw", "fwd", "drop")


def test_what_json_lacks_is_said_without_lines() -> None:
    given = listing("1.33/basic/nft-ruleset").json
    assert given is not None
    found = audit_text(given.replace('"jump": {"target": "services"}', '"drop": null'))
    assert found and all(each.line is None for each in found)


IPVS: Mapping[str, str] = next(each.files for each in ipvs_nodes() if each.id == "1.33/basic")


def ipvs(**changes: str) -> str:
    """A node in IPVS mode, with some of its tools' outputs replaced."""
    names = ("iptables-save", "ipset-save", "ipvsadm-save", "ip-addr-kube-ipvs0")
    return "".join(changes.get(name.replace("-", "_"), IPVS[name]) for name in names)


def without_lines(text: str, *parts: str) -> str:
    """The text without the lines that hold one of these."""
    return "".join(line for line in text.splitlines(keepends=True) if not any(part in line for part in parts))


@pytest.mark.parametrize(
    ("drawn", "told"),
    [
        ("numgen random mod 2 offset 5 map { 5 : 10.244.1.2 . 53, 6 : 10.244.1.3 . 53 }", None),
        ("numgen random mod 2 offset 5 map { 5 : 10.244.1.2 . 53 }", "1 endpoint for numbers 5 to 6"),
        ("numgen random mod 2 map { 0 : 10.244.1.2 . 53, 1 : 10.244.1.2 . 53 }", "one endpoint several times"),
        ("numgen random mod 4294967295 map { 0 : 10.244.1.2 . 53 }", "1 endpoint for numbers 0 to 4294967294"),
    ],
)
def test_917_numbers_and_their_endpoints(drawn: str, told: str | None) -> None:
    chain = "service-FY5PMXPG-kube-system/kube-dns/udp/dns"
    text = f"table ip kube-proxy {{\n\tchain {chain} {{\n\t\tmeta l4proto udp dnat ip to {drawn}\n\t}}\n}}\n"
    said = [finding.message for finding in findings_of("IPT917", text)]
    assert said == ([] if told is None else [f"connections are not spread evenly: a rule that chooses at random has {told}"])


def test_917_explain_names_the_same_line() -> None:
    text = listing("1.33/basic/nft-ruleset").text
    damaged = text.replace("numgen random mod 2 vmap", "numgen random mod 3 vmap", 1)
    (finding,) = findings_of("IPT917", damaged)
    lost = [lost for each in ipt_explain.explain(read_dump(damaged)).services for front in each.frontends
            for _, fate in (front.fates or {}).items() for lost in fate.lost]  # fmt: skip
    assert {each.decider.line for each in lost} == {finding.line}


def test_911_an_entry_without_a_server() -> None:
    assert "IPT911" in fired(ipvs(ipvsadm_save=without_lines(IPVS["ipvsadm-save"], "10.96.0.10:53")))


def test_912_a_server_without_an_entry() -> None:
    more = IPVS["ipvsadm-save"] + "-A -t 10.96.0.99:80 -s rr\n-a -t 10.96.0.99:80 -r 10.244.1.9:80 -m -w 1\n"
    assert "IPT912" in fired(ipvs(ipvsadm_save=more))


def test_913_an_address_that_is_not_bound() -> None:
    assert "IPT913" in fired(ipvs(ip_addr_kube_ipvs0=without_lines(IPVS["ip-addr-kube-ipvs0"], "10.96.0.10/")))


def test_913_an_address_that_nobody_serves_is_a_note() -> None:
    more = IPVS["ip-addr-kube-ipvs0"] + "    inet 10.96.0.99/32 scope global kube-ipvs0\n"
    (note,) = findings_of("IPT913", ipvs(ip_addr_kube_ipvs0=more))
    assert note.severity is Severity.INFO
    assert note.message == "kube-ipvs0 has 10.96.0.99, which no virtual server serves"


def test_915_all_weights_are_zero() -> None:
    assert "IPT915" in fired(ipvs(ipvsadm_save=IPVS["ipvsadm-save"].replace("-w 1", "-w 0")))


def test_a_service_that_ipvs_serves_is_lost_to_a_rule_of_iptables() -> None:
    rules = IPVS["iptables-save"].replace(":FORWARD ACCEPT", ":FORWARD DROP").replace("COMMIT", "-A OUTPUT -j DROP\nCOMMIT")
    assert any(each.severity is Severity.ERROR for each in audit_text(ipvs(iptables_save=rules)))


@pytest.mark.parametrize(
    "rule",
    [
        "-A INPUT -d 10.96.0.0/12 -j DROP",
        "-A OUTPUT -d 10.244.0.0/16 -j REJECT",
        "-A FORWARD -m conntrack --ctstate ESTABLISHED -j DROP",
    ],
)
def test_what_filter_drops_of_services_of_ipvs_is_an_error(rule: str) -> None:
    chain = " ".join(rule.split()[:2])
    rules = IPVS["iptables-save"].replace(f"{chain} ", f"{rule}\n{chain} ", 1)
    assert ("IPT119", Severity.ERROR) in {(each.rule, each.severity) for each in audit_text(ipvs(iptables_save=rules))}


CLEARING = "table inet x {\nchain c {\ntype filter hook forward priority -150;\nmeta mark set 0x0\n}\n}\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("meta mark & 0x00004000 == 0x00000000 return", "meta mark & 0x00004000 != 0x00000000 return"),
        ("masquerade fully-random", "accept"),
        ("table ip kube-proxy {", CLEARING + "table ip kube-proxy {"),
    ],
)
def test_hairpins_are_what_packets_meet(old: str, new: str) -> None:
    dump = read_dump(basic().replace(old, new, 1))
    dns = next(each for each in explain(dump).services if each.port_name == "dns")
    assert [each.hairpin for each in dns.endpoints] == [False, False]
    outcomes = trace(dump, Packet("10.244.1.2", "10.96.0.10", "udp", 53)).outcomes
    assert [each.masqueraded for each in outcomes if each.dnat == "10.244.1.2:53"] == [False]
    assert Severity.ERROR in {each.severity for each in audit_dump(dump).findings}


def modes(*texts: str) -> list[Finding]:
    """What is said of modes that are beside each other on one node."""
    report = audit_node([read_dump(text, source=f"{number}.txt") for number, text in enumerate(texts)])
    return [finding for finding in report.findings if finding.rule == "IPT702"]


def test_702_two_modes_that_both_translate() -> None:
    (found,) = modes(basic(), scenario("1.30", "basic").ipv4)
    assert found.severity is Severity.WARNING
    assert "whichever was registered last is asked first" in found.message


def test_702_rules_of_iptables_come_before_ipvs() -> None:
    (found,) = modes(IPVS["ipset-save"] + IPVS["ipvsadm-save"], scenario("1.30", "basic").ipv4)
    assert "iptables mode serves; IPVS mode gets only what the others leave" in found.message


def test_703_is_silent_beside_a_table_of_nftables() -> None:
    kubelet = "*mangle\n:KUBE-KUBELET-CANARY - [0:0]\nCOMMIT\n*nat\n:KUBE-KUBELET-CANARY - [0:0]\nCOMMIT\n"
    report = audit_node([read_dump(basic(), source="nft"), read_dump(kubelet, source="iptables")])
    assert [finding.rule for finding in report.findings] == []


def test_the_vantage_points_are_judged_alike() -> None:
    served = [
        frontend.fates
        for each in explain(read_dump(basic())).services
        for frontend in each.frontends
        if frontend.fates is not None
    ]
    assert all(not fate.lost and not fate.open for fates in served for vantage, fate in fates.items() if vantage is Vantage.POD)


def test_what_iptables_mode_has_left_on_a_node_in_ipvs_mode_is_named() -> None:
    svc, sep = "KUBE-SVC-NPX46M4PTMTKRN6Y", "KUBE-SEP-T6UXOVYNYHVRP3UR"
    chains = f":{svc} - [0:0]\n:{sep} - [0:0]\n"
    rules = (
        f'-A {svc} -m comment --comment "default/kubernetes:https -> 192.168.50.10:6443" -j {sep}\n'
        f'-A {sep} -p tcp -m comment --comment "default/kubernetes:https" -m tcp -j DNAT '
        "--to-destination 192.168.50.10:6443\n"
    )
    saved = IPVS["iptables-save"]
    start = saved.index("*nat\n") + len("*nat\n")
    end = saved.index("COMMIT\n", start)
    text = ipvs(iptables_save=f"{saved[:start]}{chains}{saved[start:end]}{rules}{saved[end:]}")
    modes = {facts.mode for facts in explain(read_dump(text)).rulesets}
    assert modes == {ProxyMode.IPVS}
    assert "IPT115" not in fired(text)
    (found,) = findings_of("IPT702", text)
    assert "nothing leads to the rules of iptables mode" in found.message
    assert "IPVS mode serves" in found.message


def test_iptables_of_ipvs_mode_alone_are_part_of_it() -> None:
    (node,) = [each for each in ipvs_nodes() if each.id.endswith("/policy")]
    assert audit_dump(read_dump(node.files["iptables-save"])).partial
    assert not audit_dump(read_dump(node.text())).partial


def test_sets_and_addresses_are_no_dumps_of_their_own() -> None:
    (node,) = [each for each in ipvs_nodes() if each.id.endswith("/policy")]
    names = ("iptables-save", "ipvsadm-save", "ipset-save", "ip-addr-kube-ipvs0")
    dumps = with_shared_facts([read_dump(node.files[name], source=name) for name in names])
    assert audit_node(dumps).sources == ("iptables-save",)


def test_an_external_address_among_the_cluster_ips_refuses_its_unused_ports() -> None:
    text = listing("1.36/loadbalancer/nft-ruleset").text.replace("{ 10.96.0.1,", "{ 203.0.113.1, 10.96.0.1,", 1)
    assert accusations(text) == [
        "IPT907 the set cluster-ips has 203.0.113.1, an external address: its unused ports are refused"
    ]


def test_a_hook_that_leads_nowhere_is_told_once() -> None:
    hook = "\t\ttype nat hook prerouting priority dstnat; policy accept;\n"
    text = listing("1.33/basic/nft-ruleset").text.replace(hook, "", 1)
    assert [words.partition(" ")[0] for words in accusations(text)] == ["IPT901"]


@pytest.mark.parametrize("name", ["1.33/loadbalancer/nft-ruleset", "1.36/basic/nft-ruleset"])
def test_a_dormant_table_is_told_once(name: str) -> None:
    head = "table ip kube-proxy {\n"
    text = listing(name).text.replace(head, f"{head}\tflags dormant\n", 1)
    assert accusations(text) == [
        "IPT901 table ip kube-proxy is dormant: no packet passes its chains, and no Service works"
    ]
