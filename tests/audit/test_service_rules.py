"""How the audit judges services, their addresses and endpoints: IPT501 to IPT527."""

from __future__ import annotations

import re

import pytest

from ipt_explain.analyzers.names import chain_hash
from ipt_explain.audit.findings.severity import Severity
from tests.audit.edits import captured, finding, without
from tests.audit.helpers import audit_text, findings_of, fired
from tests.kube_corpus import scenario

KUBERNETES = "KUBE-SVC-NPX46M4PTMTKRN6Y"
DNS = "KUBE-SVC-TCOU7JCQXEZGVUNU"


def svc(name: str, protocol: str = "tcp", prefix: str = "KUBE-SVC-") -> str:
    return prefix + chain_hash(name, protocol)


def front(name: str, address: str, target: str, protocol: str = "tcp", port: int = 80, kind: str = "cluster IP") -> str:
    return (
        f'-A KUBE-SERVICES -d {address} -p {protocol} -m comment --comment "{name} {kind}" -m {protocol} '
        f"--dport {port} -j {target}"
    )


def lines(*rules: str) -> str:
    return "\n".join([*rules, ""])


@pytest.mark.parametrize("name", ["shop/web", "shop/web:", "shop/web:http"])
def test_all_spellings_of_names_fit_their_hashes(name: str) -> None:
    assert "IPT504" not in fired(lines(front(name, "10.96.0.9/32", svc(name))))


def test_a_rule_that_leads_to_another_service_is_an_error() -> None:
    (finding,) = findings_of("IPT504", lines(front("shop/web", "10.96.0.9/32", KUBERNETES)))
    assert finding.severity is Severity.ERROR and finding.service == "shop/web"
    assert "default/kubernetes:https over tcp" in finding.message


def test_a_name_that_fits_nothing_known_is_a_warning() -> None:
    (finding,) = findings_of("IPT504", lines(front("shop/web", "10.96.0.9/32", "KUBE-SVC-AAAAAAAAAAAAAAAA")))
    assert finding.severity is Severity.WARNING


def test_redacted_names_are_one_note() -> None:
    rules = [front(f"hidden/svc-{number}", f"10.96.0.{number}/32", svc(f"real/{number}")) for number in range(1, 9)]
    (finding,) = findings_of("IPT504", lines(*rules))
    assert finding.severity is Severity.INFO and "8 of 8" in finding.message
    assert (finding.line, finding.related_lines) == (1, tuple(range(2, 9)))


def test_an_endpoint_whose_address_was_changed_is_told_with_the_one_that_it_was_made_for() -> None:
    text = scenario("1.30", "basic").ipv4
    changed = text.replace("--to-destination 192.168.50.10:6443", "--to-destination 192.168.50.66:6443")
    (finding,) = findings_of("IPT504", changed)
    assert "for 192.168.50.10:6443 but leads to 192.168.50.66:6443" in finding.message
    assert "IPT402" not in fired(changed), "the hairpin rule is right: the DNAT was changed"


def test_a_chain_of_one_service_that_leads_to_another_ones() -> None:
    ext = svc("default/kubernetes:https", prefix="KUBE-EXT-")
    (finding,) = findings_of("IPT504", lines(f"-A {ext} -j {DNS}"))
    assert "kube-system/kube-dns:dns" in finding.message and finding.severity is Severity.ERROR


def test_an_emptied_chain_for_outside_is_told_though_the_policy_refuses_the_outside() -> None:
    node = scenario("1.30", "nodeport").ipv4
    chain = "KUBE-EXT-K76DIZ56QGRNJTPM"  # of default/np-local-none
    assert findings_of("IPT521", node) == []
    text = "".join(line for line in node.splitlines(keepends=True) if not line.startswith(f"-A {chain} "))
    (finding,) = findings_of("IPT521", text)
    assert (finding.service, finding.chain, finding.severity) == ("default/np-local-none", chain, Severity.WARNING)
    assert "node port 30024 from pods and the node itself" in finding.message


def test_a_rule_that_leads_past_balancing_to_one_endpoint() -> None:
    node = scenario("1.30", "basic").ipv4
    text = re.sub(r"(-A KUBE-SERVICES -d 10.96.0.10/32 -p udp .*-j )KUBE-SVC-\w+", r"\1KUBE-SEP-Z6M7ZHWCTBNMPLD7", node)
    (finding,) = findings_of("IPT504", text)
    assert finding.severity is Severity.ERROR
    assert finding.message.endswith("instead of a chain that balances: all connections go to 10.244.1.2:53")


def test_a_leftover_that_leads_to_another_service_takes_no_connections() -> None:
    ext = "KUBE-XLB-AAAABBBBCCCCDDDD"
    node = scenario("1.30", "basic").ipv4
    last = "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000\n"
    text = node.replace("*nat\n", f"*nat\n:{ext} - [0:0]\n").replace(last, f"{last}-A {ext} -j {DNS}\n")
    (finding,) = findings_of("IPT504", text)
    assert finding.severity is Severity.WARNING
    assert "nothing leads to it" in finding.message
    used = text.replace(last, f"{last}-A KUBE-SERVICES -d 203.0.113.9/32 -j {ext}\n")
    assert any("connections reach the wrong pods" in each.message for each in findings_of("IPT504", used))


def test_one_address_for_two_services() -> None:
    first, second = (front(name, "10.96.0.9/32", svc(name)) for name in ("shop/web", "shop/api"))
    (finding,) = findings_of("IPT501", lines(first, second))
    assert finding.line == 2 and finding.related_lines == (1,) and "shop/web" in finding.message


def test_old_groups_of_rules_for_one_address_are_no_clash() -> None:
    address, target = "203.0.113.9/32", svc("shop/web")
    start = f'-A KUBE-SERVICES -d {address} -p tcp -m comment --comment "shop/web external IP" -m tcp --dport 80'
    assert "IPT501" not in fired(
        lines(
            f"{start} -j KUBE-MARK-MASQ",
            f"{start} -m physdev ! --physdev-is-in -m addrtype ! --src-type LOCAL -j {target}",
            f"{start} -m addrtype --dst-type LOCAL -j {target}",
        )
    )


@pytest.mark.parametrize("address", ["10.96.0.9", "10.96.0.9/32", "fd00::9/128"])
def test_addresses_of_one_host(address: str) -> None:
    assert "IPT502" not in fired(lines(front("shop/web", address, svc("shop/web"))))


@pytest.mark.parametrize("address", ["10.96.0.0/24", "fd00::/64", "fd00::9/32"])
def test_addresses_of_networks(address: str) -> None:
    assert "IPT502" in fired(lines(front("shop/web", address, svc("shop/web"))))


@pytest.mark.parametrize("destination", ["10.0.0.1:0", "10.0.0.1", "127.0.0.1:80", "0.0.0.0:80", "224.0.0.1:80"])
def test_endpoints_that_nothing_can_answer_at(destination: str) -> None:
    rule = f"-A KUBE-SEP-AAAAAAAAAAAAAAAA -p tcp -m tcp -j DNAT --to-destination {destination}"
    assert "IPT507" in fired(lines(rule))


def test_a_node_port_reaches_no_endpoint_through_dnat_without_a_port() -> None:
    text = captured("1.30", "nodeport").replace("--to-destination 10.244.1.5:8080\n", "--to-destination 10.244.1.5\n")
    assert {(each.rule, each.severity) for each in audit_text(text)} >= {("IPT507", Severity.ERROR)}


@pytest.mark.parametrize("destination", ["10.0.0.1:80", "1.2.3.4:65535", "[fd00::1]:80", "2.5.5.5:1"])
def test_endpoints_that_can_be_reached(destination: str) -> None:
    rule = f"-A KUBE-SEP-AAAAAAAAAAAAAAAA -p tcp -m tcp -j DNAT --to-destination {destination}"
    assert "IPT507" not in fired(lines(rule))


def test_a_port_needs_its_protocol() -> None:
    assert "IPT503" in fired("-A INPUT -m tcp --dport 22 -j ACCEPT\n")
    assert "IPT503" not in fired("-A INPUT -p tcp -m tcp --dport 22 -j ACCEPT\n")


def test_an_endpoint_that_two_services_share_is_told_at_the_wrong_one() -> None:
    text = scenario("1.30", "basic").ipv4
    own, stolen = (re.findall(rf"-A {chain} .*(KUBE-SEP-\w+)$", text, re.MULTILINE)[0] for chain in (KUBERNETES, DNS))
    (finding,) = findings_of("IPT510", text.replace(f"-j {own}", f"-j {stolen}"))
    assert finding.service == "default/kubernetes:https" and "kube-system/kube-dns:dns" in finding.message


def test_a_chain_borrowed_from_another_service_is_told_as_that_services() -> None:
    text = scenario("1.30", "loadbalancer").ipv4
    ours, theirs = re.findall(r'-A KUBE-SVC-.*"default/(?:lb-nonp|lb-pending) -> \S+" -j (KUBE-SEP-\w+)$', text, re.MULTILINE)
    text = text.replace(f"-j {ours}", "-j OURS").replace(f"-j {theirs}", f"-j {ours}").replace("OURS", theirs)
    told = {each.service: each for each in findings_of("IPT504", text)}
    assert set(told) == {"default/lb-nonp", "default/lb-pending"}
    for service, other in (("default/lb-nonp", "default/lb-pending"), ("default/lb-pending", "default/lb-nonp")):
        assert told[service].severity is Severity.ERROR
        assert f"connections to {service} reach an endpoint of {other}" in told[service].message
        assert f"which is {other}'s chain for 10.244." in told[service].message


def test_a_shared_endpoint_is_told_once() -> None:
    text = scenario("1.30", "basic").ipv4
    own, stolen = (re.findall(rf"-A {chain} .*(KUBE-SEP-\w+)$", text, re.MULTILINE)[0] for chain in (KUBERNETES, DNS))
    assert not fired(text.replace(f"-j {own}", f"-j {stolen}")) & {"IPT204", "IPT504"}


def test_an_endpoint_rule_that_was_lost_leaves_a_stale_chain() -> None:
    text = scenario("1.30", "basic").ipv4
    (target,) = re.findall(rf"-A {KUBERNETES} .*(KUBE-SEP-\w+)$", text, re.MULTILINE)
    (finding,) = findings_of("IPT511", re.sub(rf"-A {KUBERNETES} .*{target}\n", "", text))
    assert target in finding.message


def test_ports_of_one_service_have_the_same_addresses() -> None:
    text = scenario("1.30", "ports").ipv4
    rule = re.search(r'-A KUBE-SERVICES -d (\S+)/32 .*"kube-system/kube-dns:metrics cluster IP".*\n', text)
    assert rule is not None and "IPT527" not in fired(text)
    findings = findings_of("IPT527", text.replace(rule[0], rule[0].replace(rule[1], "10.96.77.77")))
    assert [finding.service for finding in findings] == ["kube-system/kube-dns:metrics"]


def test_a_load_balancer_that_leads_past_its_source_ranges() -> None:
    text = scenario("1.30", "loadbalancer").ipv4
    rule = re.search(r"-A KUBE-SERVICES .*-j KUBE-FW-(\w+)\n", text)
    assert rule is not None
    bypass = rule[0].replace("KUBE-FW-", "KUBE-EXT-")
    assert findings_of("IPT525", text.replace(rule[0], bypass))


def test_an_external_chain_without_its_tail_is_told_once() -> None:
    text = scenario("1.30", "nodeport").ipv4
    tail = re.search(r"-A (KUBE-EXT-\w+) -j KUBE-SVC-\w+\n", text)
    assert tail is not None
    broken = text.replace(tail[0], "")
    assert [finding.chain for finding in findings_of("IPT520", broken)] == [tail[1]]
    assert "IPT611" not in fired(broken)


def test_health_checks_and_node_ports() -> None:
    node_port = '-A KUBE-NODEPORTS -p tcp -m comment --comment "shop/web" -m tcp --dport {} -j ' + svc("shop/web")
    assert "IPT513" in fired(lines(node_port.format(22)))
    assert "IPT513" not in fired(lines(node_port.format(30022)))


def test_a_service_that_names_another_ones_cluster_ip_as_its_external_ip() -> None:
    victim = front("shop/web", "10.96.0.9/32", svc("shop/web"))
    taker = front("other/x", "10.96.0.9/32", svc("other/x", prefix="KUBE-EXT-"), port=8080, kind="external IP")
    (finding,) = findings_of("IPT519", lines(victim, taker))
    assert finding.line == 2
    own = front("shop/web:b", "10.96.0.9/32", svc("shop/web:b", prefix="KUBE-EXT-"), port=8080, kind="external IP")
    assert "IPT519" not in fired(lines(victim, own))


def test_an_external_address_has_the_port_of_the_cluster_ip() -> None:
    text = scenario("1.30", "externalips").ipv4
    way = re.search(r'-A KUBE-SERVICES .*"default/ext1 external IP" -m tcp --dport 80 .*\n', text)
    assert way is not None
    (finding,) = findings_of("IPT526", text.replace(way[0], way[0].replace("--dport 80", "--dport 7777")))
    assert finding.service == "default/ext1" and "a different port" in finding.message


def test_a_comment_of_another_service() -> None:
    text = scenario("1.30", "basic").ipv4
    changed = re.sub(rf'(-A {KUBERNETES} .*--comment ")default/kubernetes:https ->', r"\1shop/web ->", text)
    (finding,) = findings_of("IPT504", changed)
    assert finding.chain == KUBERNETES and "shop/web" in finding.message


def test_cluster_dns_without_udp_is_a_warning() -> None:
    node = captured("1.30", "nodeport")
    text = without(node, "-A KUBE-SERVICES", '"kube-system/kube-dns:dns cluster IP"')
    assert finding("IPT517", text, node).severity is Severity.WARNING
    text = without(node, "-A KUBE-SERVICES", '"kube-system/kube-dns:dns-tcp cluster IP"')
    assert finding("IPT517", text, node).severity is Severity.INFO
