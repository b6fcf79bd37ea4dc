"""Services from rules that no captured dump has: old releases, hand-made rules, pieces, leftovers."""

from __future__ import annotations

import sys
from itertools import pairwise

import pytest

from ipt_explain.analyzers import explain
from ipt_explain.parsing import read_dump
from ipt_explain.services.ports import FrontendVerdict, ProxyMode, Scope, ServicePort, ServiceState, TrafficPolicy
from tests.kube_corpus import scenario

_BUILT_IN = ":PREROUTING ACCEPT [0:0]\n:INPUT ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:POSTROUTING ACCEPT [0:0]\n"
SVC, SEP_A, SEP_B = "KUBE-SVC-NPX46M4PTMTKRN6Y", "KUBE-SEP-AAAAAAAAAAAAAAAA", "KUBE-SEP-BBBBBBBBBBBBBBBB"
CLUSTER_IP = (
    '-A KUBE-SERVICES -d 10.0.0.1/32 -p tcp -m comment --comment "default/kubernetes:https cluster IP"'
    f" -m tcp --dport 443 -j {SVC}"
)


def _endpoint(chain: str, address: str, port: int = 443) -> list[str]:
    return [
        f'-A {chain} -s {address}/32 -m comment --comment "default/kubernetes:https" -j KUBE-MARK-MASQ',
        f'-A {chain} -p tcp -m comment --comment "default/kubernetes:https" -m tcp -j DNAT --to-destination {address}:{port}',
    ]


def _nat(*rules: str) -> str:
    """A complete nat table with these rules, the chains that they stand in, and the hooks to KUBE-SERVICES."""
    if not any(rule.startswith("-A PREROUTING") for rule in rules):
        rules = ("-A PREROUTING -j KUBE-SERVICES", "-A OUTPUT -j KUBE-SERVICES", *rules)
    chains = sorted({rule.split()[1] for rule in rules} - {"PREROUTING", "OUTPUT", "POSTROUTING"})
    declared = "".join(f":{chain} - [0:0]\n" for chain in chains)
    return f"*nat\n{_BUILT_IN}{declared}" + "".join(f"{rule}\n" for rule in rules) + "COMMIT\n"


def _only(text: str) -> ServicePort:
    services = explain(read_dump(text)).services
    assert len(services) == 1
    return services[0]


def _chances(service: ServicePort) -> dict[str, float]:
    return {f"{each.address}:{each.port}": round(each.probability or 0.0, 9) for each in service.endpoints}


def test_shares_multiply_and_the_last_rule_takes_the_rest() -> None:
    text = _nat(
        CLUSTER_IP,
        f"-A {SVC} -m statistic --mode random --probability 0.25000000000 -j {SEP_A}",
        f"-A {SVC} -j {SEP_B}",
        *_endpoint(SEP_A, "10.1.0.1"),
        *_endpoint(SEP_B, "10.1.0.2"),
    )
    service = _only(text)
    assert _chances(service) == {"10.1.0.1:443": 0.25, "10.1.0.2:443": 0.75}
    assert service.balancers[0].unmatched == 0.0


def test_what_no_rule_takes_is_unmatched() -> None:
    text = _nat(
        CLUSTER_IP,
        f"-A {SVC} -m statistic --mode random --probability 0.50000000000 -j {SEP_A}",
        *_endpoint(SEP_A, "10.1.0.1"),
    )
    service = _only(text)
    assert service.state is ServiceState.DEGRADED
    assert service.balancers[0].unmatched == 0.5


def test_an_endpoint_chain_without_dnat_passes_connections_on_to_the_next_rule() -> None:
    text = _nat(
        CLUSTER_IP,
        f"-A {SVC} -m statistic --mode random --probability 0.50000000000 -j {SEP_A}",
        f"-A {SVC} -j {SEP_B}",
        _endpoint(SEP_A, "10.1.0.1")[0],
        *_endpoint(SEP_B, "10.1.0.2"),
    )
    assert _chances(_only(text)) == {"10.1.0.2:443": 1.0}


def test_an_endpoint_of_another_protocol_takes_nothing() -> None:
    text = _nat(CLUSTER_IP, f"-A {SVC} -j {SEP_A}", f"-A {SEP_A} -p udp -m udp -j DNAT --to-destination 10.1.0.1:443")
    service = _only(text)
    assert service.state is ServiceState.UNMATCHED
    assert service.endpoints == ()


def test_an_empty_service_chain_balances_nothing() -> None:
    service = _only(_nat(CLUSTER_IP).replace("COMMIT", f":{SVC} - [0:0]\nCOMMIT"))
    assert service.state is ServiceState.UNMATCHED
    assert service.frontends[0].verdict is FrontendVerdict.UNMATCHED


def test_a_reject_beside_an_empty_chain_is_what_counts() -> None:
    # kube-proxy up to 1.9 wrote both for a service without endpoints.
    refusal = (
        "*filter\n:INPUT ACCEPT [0:0]\n:FORWARD ACCEPT [0:0]\n:OUTPUT ACCEPT [0:0]\n:KUBE-SERVICES - [0:0]\n"
        '-A KUBE-SERVICES -d 10.0.0.1/32 -p tcp -m comment --comment "default/kubernetes:https has no endpoints"'
        " -m tcp --dport 443 -j REJECT --reject-with icmp-port-unreachable\nCOMMIT\n"
    )
    refusal = refusal.replace("-A KUBE-SERVICES", "-A FORWARD -j KUBE-SERVICES\n-A KUBE-SERVICES", 1)
    service = _only(refusal + _nat(CLUSTER_IP).replace("COMMIT", f":{SVC} - [0:0]\nCOMMIT"))
    assert service.state is ServiceState.NO_ENDPOINTS


def test_a_mark_behind_the_dnat_is_no_hairpin() -> None:
    mark, dnat = _endpoint(SEP_A, "10.1.0.1")
    assert _only(_nat(CLUSTER_IP, f"-A {SVC} -j {SEP_A}", mark, dnat)).endpoints[0].hairpin is True
    assert _only(_nat(CLUSTER_IP, f"-A {SVC} -j {SEP_A}", dnat, mark)).endpoints[0].hairpin is False


def test_a_mark_for_another_source_is_no_hairpin() -> None:
    mark, dnat = _endpoint(SEP_A, "10.1.0.1")
    for wrong in ("10.1.0.2/32", "10.1.0.1/24", "10.1.0.11/32"):
        rules = (mark.replace("10.1.0.1/32", wrong), dnat)
        assert _only(_nat(CLUSTER_IP, f"-A {SVC} -j {SEP_A}", *rules)).endpoints[0].hairpin is False


def test_in_a_fragment_what_is_absent_is_unknown() -> None:
    dnat = _endpoint(SEP_A, "10.1.0.1")[1]
    service = _only("\n".join([CLUSTER_IP, f"-A {SVC} -j {SEP_A}", dnat]))
    assert service.endpoints[0].hairpin is None
    assert service.masquerade.hairpin is None
    alone = _only(CLUSTER_IP)
    assert alone.state is ServiceState.UNKNOWN
    assert alone.frontends[0].verdict is FrontendVerdict.UNKNOWN


def test_a_fragment_without_kube_services_still_names_its_service() -> None:
    rules = [f'-A {SVC} -m comment --comment "default/kubernetes:https" -j {SEP_A}', *_endpoint(SEP_A, "10.1.0.1")]
    service = _only("\n".join(rules))
    assert (service.label, service.protocol, service.cluster_ip) == ("default/kubernetes:https", "tcp", None)
    assert service.state is ServiceState.UNKNOWN
    # grep may have looked for this endpoint alone
    assert [each.probability for each in service.endpoints] == [None]
    mark = f"-A {SVC} ! -s 10.1.0.0/16 -d 10.96.0.1/32 -p tcp -m tcp --dport 443 -j KUBE-MARK-MASQ"
    assert _chances(_only("\n".join([mark, *rules]))) == {"10.1.0.1:443": 1.0}


def test_chains_that_no_service_rule_leads_to_are_no_services() -> None:
    text = _nat(CLUSTER_IP, f"-A {SVC} -j {SEP_A}", *_endpoint(SEP_A, "10.1.0.1"), f"-A KUBE-SVC-LEFTOVER -j {SEP_A}")
    assert _only(text).chains.service == SVC


def test_chains_that_jump_in_circles_are_followed_once() -> None:
    other = "KUBE-SVC-BBBBBBBBBBBBBBBB"
    text = _nat(
        CLUSTER_IP,
        f"-A {SVC} -m statistic --mode random --probability 0.50000000000 -j {other}",
        f"-A {other} -j {SVC}",
        f"-A {SVC} -j {SEP_A}",
        *_endpoint(SEP_A, "10.1.0.1"),
    )
    service = _only(text)
    assert sum(share.probability for share in service.balancers[0].shares) + service.balancers[0].unmatched == pytest.approx(1.0)
    assert sum(each.probability or 0.0 for each in service.endpoints) == pytest.approx(0.5)  # the rest never gets out


def _nested(depth: int, first: str = SVC, address: str = "10.0.0.1") -> list[str]:
    """A Service whose chains lead one to the next, and nowhere."""
    names = [first, *(f"{first[:12]}{index:013}" for index in range(1, depth))]
    jumps = [f"-A {caller} -j {callee}" for caller, callee in pairwise(names)]
    return [CLUSTER_IP.replace("10.0.0.1", address).replace(SVC, first), *jumps, f"-A {names[-1]} -j ACCEPT"]


def test_thousands_of_nested_chains_are_no_trouble() -> None:
    assert _only(_nat(*_nested(3000))).endpoints == ()


@pytest.mark.parametrize("beside", [(), ("KUBE-SVC-AAAAAAAAAAAAAAAA", "10.0.0.2")])
def test_work_grows_with_the_depth_of_chains_and_not_with_its_square(beside: tuple[str, ...]) -> None:
    def calls(depth: int) -> int:
        text = _nat(*_nested(depth), *(_nested(depth, *beside) if beside else ()))
        events: list[str] = []
        sys.setprofile(lambda _, event, __: events.append(event))
        try:
            explain(read_dump(text))
        finally:
            sys.setprofile(None)
        return events.count("call")

    calls(5)  # what is loaded and compiled once
    assert calls(400) < 2.5 * calls(200)


def test_affinity_is_in_seconds_and_does_not_move_the_chances() -> None:
    sticky = "-m recent --rcheck --seconds 10800 --reap --name {0} --mask 255.255.255.255 --rsource -j {0}"
    text = _nat(
        CLUSTER_IP,
        f"-A {SVC} {sticky.format(SEP_A)}",
        f"-A {SVC} {sticky.format(SEP_B)}",
        f"-A {SVC} -m statistic --mode random --probability 0.50000000000 -j {SEP_A}",
        f"-A {SVC} -j {SEP_B}",
        *_endpoint(SEP_A, "10.1.0.1"),
        *_endpoint(SEP_B, "10.1.0.2"),
    )
    service = _only(text)
    assert service.affinity_seconds == 10800
    assert [each.affinity_timeout for each in service.endpoints] == [10800, 10800]
    assert _chances(service) == {"10.1.0.1:443": 0.5, "10.1.0.2:443": 0.5}


def test_kube_proxy_1_1_set_its_mark_without_a_chain_for_it() -> None:
    mark = "MARK --set-xmark 0x4d415351/0xffffffff"
    text = _nat(
        CLUSTER_IP,
        '-A POSTROUTING -m comment --comment "kubernetes service traffic requiring SNAT" -m mark --mark 0x4d415351 -j MASQUERADE',
        f"-A {SVC} -j {SEP_A}",
        _endpoint(SEP_A, "10.1.0.1")[0].replace("KUBE-MARK-MASQ", mark),
        _endpoint(SEP_A, "10.1.0.1")[1],
    )
    explanation = explain(read_dump(text))
    assert explanation.rulesets[0].masquerade_mark == (0x4D415351, 0xFFFFFFFF)
    assert explanation.services[0].endpoints[0].hairpin is True


def test_the_userspace_proxy_is_recognised() -> None:
    rule = (
        '-A KUBE-PORTALS-CONTAINER -d 10.0.0.1/32 -p tcp -m comment --comment "default/kubernetes:" -m tcp --dport 443'
    )
    facts = explain(read_dump(_nat(f"{rule} -j REDIRECT --to-ports 40123"))).rulesets[0]
    assert facts.mode is None
    assert "userspace" in facts.evidence


def test_ipvs_mode_is_recognised_by_its_chains_and_sets() -> None:
    rule = '-A KUBE-SERVICES -m comment --comment "Kubernetes service cluster ip + port for masquerade purpose"'
    facts = explain(read_dump(_nat(f"{rule} -m set --match-set KUBE-CLUSTER-IP src,dst -j KUBE-MARK-MASQ"))).rulesets[0]
    assert facts.mode is ProxyMode.IPVS


@pytest.mark.parametrize(
    ("addresses", "said"),
    [
        ("! -s 10.244.0.0/16 -d 10.0.0.1/32", "10.244.0.0/16"),
        ("-d 10.0.0.1/32 ! -i cni0", "! -i cni0"),
        ("-d 10.0.0.1/32 ! -i veth+", "! -i veth+"),
    ],
)
def test_off_cluster_masquerading_is_told_by_its_condition(addresses: str, said: str) -> None:
    comment = '-m comment --comment "default/kubernetes:https cluster IP"'
    mark = f"-A {SVC} {addresses} -p tcp {comment} -m tcp --dport 443 -j KUBE-MARK-MASQ"
    masquerade = _only(_nat(CLUSTER_IP, mark, f"-A {SVC} -j {SEP_A}", *_endpoint(SEP_A, "10.1.0.1"))).masquerade
    assert (masquerade.off_cluster, masquerade.all) == (said, False)


def test_masquerade_all_has_no_condition() -> None:
    mark = CLUSTER_IP.replace(f"-j {SVC}", "-j KUBE-MARK-MASQ").replace("-A KUBE-SERVICES", f"-A {SVC}")
    masquerade = _only(_nat(CLUSTER_IP, mark, f"-A {SVC} -j {SEP_A}", *_endpoint(SEP_A, "10.1.0.1"))).masquerade
    assert (masquerade.off_cluster, masquerade.all) == (None, True)


def test_packets_are_those_of_the_dnat_rule() -> None:
    rules = (f"[5:300] {rule}" for rule in [CLUSTER_IP, f"-A {SVC} -j {SEP_A}", *_endpoint(SEP_A, "10.1.0.1")])
    text = (
        f"*nat\n{_BUILT_IN}:KUBE-SERVICES - [0:0]\n:{SVC} - [0:0]\n:{SEP_A} - [0:0]\n" + "\n".join(rules) + "\nCOMMIT\n"
    )
    assert _only(text).endpoints[0].packets == 5


def test_a_node_port_with_external_policy_local_has_a_way_of_its_own_for_the_node() -> None:
    ext, svl = "KUBE-EXT-NPX46M4PTMTKRN6Y", "KUBE-SVL-NPX46M4PTMTKRN6Y"
    local = "-m addrtype --src-type LOCAL"
    text = _nat(
        CLUSTER_IP,
        f'-A KUBE-NODEPORTS -p tcp -m comment --comment "default/kubernetes:https" -m tcp --dport 30443 -j {ext}',
        f'-A {ext} -m comment --comment "masquerade LOCAL traffic for default/kubernetes:https external destinations" {local}'
        " -j KUBE-MARK-MASQ",
        f'-A {ext} -m comment --comment "route LOCAL traffic for default/kubernetes:https external destinations" {local} -j {SVC}',
        f"-A {ext} -j {svl}",
        f"-A {svl} -j {SEP_A}",
        f"-A {SVC} -m statistic --mode random --probability 0.50000000000 -j {SEP_A}",
        f"-A {SVC} -j {SEP_B}",
        *_endpoint(SEP_A, "10.1.0.1"),
        *_endpoint(SEP_B, "10.1.0.2"),
    )
    service = _only(text)
    node_port = service.frontends[1]
    assert (node_port.balancer, node_port.node_balancer) == (svl, SVC)
    assert service.external_policy is TrafficPolicy.LOCAL
    assert {each.address: each.local for each in service.endpoints} == {"10.1.0.1": True, "10.1.0.2": None}


def test_nothing_is_said_of_a_text_without_rules() -> None:
    explanation = explain(read_dump(""))
    assert (explanation.rulesets, explanation.services) == ((), ())


def test_the_policy_of_an_external_ip_is_known_where_a_chain_puts_it_into_effect() -> None:
    external = CLUSTER_IP.replace("cluster IP", "external IP").replace("10.0.0.1", "192.0.2.7")
    rules = (CLUSTER_IP, f"-A {SVC} -j {SEP_A}", *_endpoint(SEP_A, "10.1.0.1"))
    assert _only(_nat(external, *rules)).external_policy is None
    ext = "KUBE-EXT-NPX46M4PTMTKRN6Y"
    tail = (f"-A {ext} -j KUBE-MARK-MASQ", f"-A {ext} -j {SVC}")
    assert _only(_nat(external.replace(SVC, ext), *rules, *tail)).external_policy is TrafficPolicy.CLUSTER


def test_a_share_marked_for_dropping_behind_another_chain_is_no_endpoints_share() -> None:
    other = "KUBE-SVC-BBBBBBBBBBBBBBBB"
    text = _nat(
        CLUSTER_IP,
        f"-A {SVC} -m statistic --mode random --probability 0.50000000000 -j {other}",
        f"-A {SVC} -j {SEP_A}",
        f"-A {other} -j KUBE-MARK-DROP",
        *_endpoint(SEP_A, "10.1.0.1"),
    )
    service = _only(text)
    assert _chances(service) == {"10.1.0.1:443": 0.5}
    assert service.balancers[0].unmatched == 0.5


def test_a_way_that_leads_outside_clients_to_all_endpoints_is_not_called_local() -> None:
    ext = "KUBE-EXT-NPX46M4PTMTKRN6Y"
    text = _nat(
        CLUSTER_IP,
        f'-A KUBE-NODEPORTS -p tcp -m comment --comment "default/kubernetes:https" -m tcp --dport 30443 -j {ext}',
        f"-A {ext} -m addrtype --src-type LOCAL -j {SVC}",
        f"-A {ext} -j {SVC}",
        f"-A {SVC} -j {SEP_A}",
        *_endpoint(SEP_A, "10.1.0.1"),
    )
    assert _only(text).external_policy is TrafficPolicy.CLUSTER


@pytest.mark.parametrize("address", ["10.96.0.0/24", "0.0.0.0/0", "10.96.0.0/255.255.0.255", "my.host"])
def test_a_frontend_for_more_than_one_address_is_judged_too(address: str) -> None:
    text = (
        f'-A KUBE-SERVICES -d {address} -p tcp -m comment --comment "shop/web cluster IP" -m tcp --dport 80 '
        "-j KUBE-SVC-E3PXEPMWAWIUT6ZV\n-A KUBE-SVC-E3PXEPMWAWIUT6ZV -j KUBE-SEP-QAI6IJGEKZYOMWSX\n"
        "-A KUBE-SEP-QAI6IJGEKZYOMWSX -p tcp -m tcp -j DNAT --to-destination 10.244.0.5:53\n"
    )
    (service,) = explain(read_dump(text)).services
    assert [endpoint.probability for endpoint in service.endpoints] == [1.0 if address != "my.host" else None]


@pytest.mark.parametrize("match", ["-p TCP --dport 443", "-p 6 -m tcp --dport https", "-p tcp --destination-port https"])
def test_protocols_and_ports_by_whatever_name_restore_takes(match: str) -> None:
    service = _only(f"-A KUBE-SERVICES -d 10.96.0.1 {match} -j KUBE-SVC-NPX46M4PTMTKRN6Y\n")
    assert (service.protocol, service.port) == ("tcp", 443)


@pytest.mark.parametrize(("version", "chains"), [("1.18", "KUBE-XLB-"), ("1.30", "KUBE-SVL-")])
def test_chains_of_local_endpoints_are_local(version: str, chains: str) -> None:
    told = explain(read_dump(scenario(version, "policy").ipv4)).services
    scopes = {(each.chain.startswith(chains), each.scope) for service in told for each in service.balancers}
    assert scopes == {(True, Scope.LOCAL), (False, Scope.CLUSTER)}


def test_a_rule_that_lists_ports_leads_from_each() -> None:
    text = scenario("1.30", "basic").ipv4
    listing = text.replace("-m udp --dport 53 -j KUBE-SVC", "-m multiport --dports 53,5353 -j KUBE-SVC")
    (dns,) = [each for each in explain(read_dump(listing)).services if each.protocol == "udp"]
    assert [(front.address, front.port) for front in dns.frontends] == [("10.96.0.10", 53), ("10.96.0.10", 5353)]
    assert [front.fates.pod.served for front in dns.frontends if front.fates is not None] == [1.0, 1.0]


@pytest.mark.parametrize("ports", ["-m udp ! --dport 53", "-m multiport --dports 53:60", "-m multiport ! --dports 53"])
def test_a_rule_that_leads_from_no_address_and_port_is_named(ports: str) -> None:
    text = scenario("1.30", "basic").ipv4.replace("-m udp --dport 53 -j KUBE-SVC", f"{ports} -j KUBE-SVC")
    line = next(number for number, each in enumerate(text.splitlines(), 1) if f"{ports} -j" in each)
    (warning,) = explain(read_dump(text)).warnings
    assert warning.startswith(f"-:{line}: this rule of KUBE-SERVICES leads to KUBE-SVC-TCOU7JCQXEZGVUNU, but")


def test_a_protocol_that_no_rule_tells_is_unknown() -> None:
    explanation = explain(read_dump(f"-A {SVC} -j {SEP_A}\n"))
    assert '"protocol": null' in explanation.to_json()


def test_whether_an_endpoint_reaches_itself_may_depend_on_an_interface() -> None:
    node = scenario("1.30", "basic").ipv4
    hook = next(line for line in node.splitlines() if line.startswith("-A POSTROUTING "))

    def hairpins(rule: str) -> set[bool | None]:
        services = explain(read_dump(node.replace(hook, f"{rule}\n{hook}"))).services
        return {endpoint.hairpin for service in services for endpoint in service.endpoints}

    assert hairpins("-A POSTROUTING -o cni0 -j RETURN") == {None}
    assert hairpins("-A POSTROUTING -d 10.0.0.0/8 -j RETURN") == {False, True}


@pytest.mark.parametrize("target", ["ACCEPT", "DNAT --to-destination 192.0.2.1:443"])
def test_a_rule_of_others_before_a_service_s_own_takes_its_connections_but_not_its_place(target: str) -> None:
    taking = CLUSTER_IP.replace(f"-j {SVC}", f"-j {target}").replace("default/kubernetes:https cluster IP", "mine")
    service = _only(_nat(taking, CLUSTER_IP, f"-A {SVC} -j {SEP_A}", *_endpoint(SEP_A, "10.244.1.1")))
    assert (service.name, service.frontends[0].evidence.target) == ("kubernetes", SVC)
    assert service.state is (ServiceState.UNMATCHED if target == "ACCEPT" else ServiceState.DIVERTED)


@pytest.mark.parametrize(
    ("chain", "kind"), [("EXT", "external"), ("XLB", "external"), ("FW", "load-balancer"), ("SVC", "cluster-ip")]
)
def test_without_a_comment_the_chain_shows_the_kind_of_address(chain: str, kind: str) -> None:
    service = _only(f"-A KUBE-SERVICES -d 203.0.113.9/32 -p tcp -m tcp --dport 80 -j KUBE-{chain}-AAAAAAAAAAAAAAAA\n")
    assert [(each.kind.value, each.address) for each in service.frontends] == [(kind, "203.0.113.9")]
