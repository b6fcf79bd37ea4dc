from __future__ import annotations

import re

import pytest

from ipt_explain.analyzers import explain
from ipt_explain.model import Backend, Family, Form
from ipt_explain.parsing import read_dump
from ipt_explain.render.explain.table import table
from ipt_explain.render.explain.tree import tree
from ipt_explain.services.explanation import Explanation
from ipt_explain.services.ports import (
    FrontendKind,
    FrontendVerdict,
    Masquerade,
    ProxyMode,
    Scope,
    ServiceChains,
    ServicePort,
    ServiceState,
    TrafficPolicy,
)
from tests.render.made import balancer, endpoint, explanation, frontend, ruleset, service

SVC, SVL = "KUBE-SVC-AAAAAAAAAAAAAAAA", "KUBE-SVL-AAAAAAAAAAAAAAAA"


def shown(made: Explanation, width: int = 80) -> str:
    return "".join(tree(made, width, color=False))


def service_lines(made: ServicePort, width: int = 80, form: Form = Form.SAVE) -> list[str]:
    """A service's tree without the header above it."""
    text = shown(explanation(made, form=form), width)
    start = re.search(rf"^{re.escape(made.label)} ·", text, re.MULTILINE)
    assert start is not None
    return text[start.start() :].partition("\n\nNext:")[0].splitlines()


def test_a_healthy_service() -> None:
    made = service(0.25, 0.25, 0.25, 0.25, affinity_seconds=10800)
    made_sticky = service(
        frontends=(frontend(), frontend(FrontendKind.NODE_PORT, port=30080)),
        endpoints=tuple(endpoint(number, 0.25, affinity_timeout=10800) for number in (9, 10, 13, 14)),
        affinity_seconds=made.affinity_seconds,
        external_policy=TrafficPolicy.CLUSTER,
    )
    assert service_lines(made_sticky) == [
        "shop/cart:http · tcp · KUBE-SVC-AAAAAAAAAAAAAAAA",
        "├─ ClusterIP     10.96.14.7:80                                       line 310",
        "├─ NodePort      30080                                               line 310",
        "├─ affinity      ClientIP, 3 h (10800 s), renewed by each new connection",
        "├─ endpoints     4, even",
        "│  ├─ 25.00 %  10.244.1.9:8080   hairpin ok                          line 409",
        "│  ├─ 25.00 %  10.244.1.10:8080  hairpin ok                          line 410",
        "│  ├─ 25.00 %  10.244.1.13:8080  hairpin ok                          line 413",
        "│  └─ 25.00 %  10.244.1.14:8080  hairpin ok                          line 414",
        "└─ masqueraded   hairpin; ClusterIP from outside 10.244.0.0/16; NodePort always",
        "                 (policy Cluster)",
    ]


def test_policy_local_shows_who_reaches_which_endpoints() -> None:
    endpoints = (endpoint(1, 0.5, local=True), endpoint(2, 0.5))
    made = service(
        frontends=(
            frontend(FrontendKind.LOAD_BALANCER, address="203.0.113.9", balancer=SVL, node_balancer=SVC,
                     source_ranges=("10.0.0.0/8", "198.51.100.0/24")),
            frontend(),
        ),
        endpoints=endpoints,
        balancers=(
            balancer(endpoints),
            balancer((endpoint(1, 1.0),), chain=SVL, scope=Scope.LOCAL),
        ),
        external_policy=TrafficPolicy.LOCAL,
        health_check_node_port=30017,
        chains=ServiceChains(SVC, SVL),
    )  # fmt: skip
    assert service_lines(made) == [
        "shop/cart:http · tcp · KUBE-{SVC,SVL}-AAAAAAAAAAAAAAAA",
        "├─ ClusterIP     10.96.14.7:80                                       line 310",
        "├─ LoadBalancer  203.0.113.9:80  only from 10.0.0.0/8,               line 310",
        "│                198.51.100.0/24",
        "├─ policy        external Local: from outside, only this node's endpoints",
        "├─ health check  node port 30017",
        "├─ endpoints     2, even, for ClusterIP; LoadBalancer from inside",
        "│  ├─ 50.00 %  10.244.1.1:8080  local   hairpin ok                   line 401",
        "│  └─ 50.00 %  10.244.1.2:8080  remote  hairpin ok                   line 402",
        "├─ endpoints     1, for LoadBalancer from outside",
        "│  └─ 100 %  10.244.1.1:8080",
        "└─ masqueraded   hairpin; ClusterIP from outside 10.244.0.0/16; not LoadBalancer",
        "                 (policy Local)",
    ]


@pytest.mark.parametrize(
    ("state", "verdict", "words"),
    [
        (ServiceState.NO_ENDPOINTS, FrontendVerdict.REJECT, "REJECTED: no endpoints"),
        (ServiceState.NO_LOCAL_ENDPOINTS, FrontendVerdict.DROP, "DROPPED: no local endpoints"),
        (ServiceState.UNMATCHED, FrontendVerdict.UNMATCHED, "NOT TRANSLATED: no rule matches"),
        (ServiceState.UNKNOWN, FrontendVerdict.UNKNOWN, "unknown: its rules are not here"),
    ],
)
def test_a_service_that_does_not_serve_is_described_in_words(state: ServiceState, verdict: FrontendVerdict, words: str) -> None:
    made = service(state=state, frontends=(frontend(verdict=verdict, balancer=None),), balancers=(),
                   internal_policy=TrafficPolicy.LOCAL if verdict is FrontendVerdict.DROP else None)  # fmt: skip
    lines = service_lines(made)
    assert words in lines[1]
    assert lines[0] != "shop/cart:http · tcp · KUBE-SVC-AAAAAAAAAAAAAAAA"


def test_a_leak_is_shown_with_its_share() -> None:
    endpoints = (endpoint(1, 0.5), endpoint(2, 0.375))
    lines = service_lines(service(endpoints=endpoints, balancers=(balancer(endpoints, unmatched=0.125),)))
    assert "├─ endpoints     2, uneven" in lines
    assert "│  └─ 12.50 %  NOT TRANSLATED: sent to the Service's own address" in lines


def test_a_share_that_is_marked_for_dropping_does_not_leak() -> None:
    text = (
        f"-A {SVC} -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-AAAAAAAAAAAAAAAA\n"
        f"-A {SVC} -j KUBE-MARK-DROP\n"
        "-A KUBE-SEP-AAAAAAAAAAAAAAAA -p tcp -m tcp -j DNAT --to-destination 10.244.1.1:8080\n"
    )
    assert "└─ 50.00 %  marked for dropping\n" in shown(explain(read_dump(text)))


def test_the_same_gap_in_a_fragment_is_only_unaccounted_for() -> None:
    endpoints = (endpoint(1, 0.5, hairpin=None),)
    lines = service_lines(
        service(
            endpoints=endpoints,
            balancers=(balancer(endpoints, unmatched=None),),
            masquerade=Masquerade(None, False, None),
        ),
        form=Form.FRAGMENT,
    )
    assert lines[-2:] == [
        "   ├─ 50.00 %  10.244.1.1:8080  hairpin unknown                      line 401",
        "   └─ 50.00 %  not accounted for: rules may be missing from this input",
    ]


def test_an_endpoint_without_an_address_is_named_by_its_chain() -> None:
    unknown = endpoint(2, 0.5, address=None, port=None, hairpin=None)
    lines = service_lines(service(endpoints=(endpoint(1, 0.5), unknown)), form=Form.FRAGMENT)
    assert "│  └─ 50.00 %  address unknown: KUBE-SEP-AAAAAAAAAAAAAAA2            line 402" in lines


def test_missing_hairpin_and_partial_affinity_stand_out() -> None:
    endpoints = (endpoint(1, 0.5, affinity_timeout=60), endpoint(2, 0.5, hairpin=False))
    made = service(endpoints=endpoints, affinity_seconds=60, masquerade=Masquerade(False, True, None))
    assert service_lines(made)[2:] == [
        "├─ affinity      ClientIP, 1 min (60 s), renewed by each new connection; ONLY",
        "│                for 1 of 2 endpoints",
        "├─ endpoints     2, even",
        "│  ├─ 50.00 %  10.244.1.1:8080  hairpin ok                           line 401",
        "│  └─ 50.00 %  10.244.1.2:8080  hairpin MISSING                      line 402",
        "└─ masqueraded   hairpin (NOT for 1 of 2 endpoints); every ClusterIP connection",
    ]


def test_interface_conditions_are_shown_as_the_rule_has_them() -> None:
    lines = service_lines(service(1.0, masquerade=Masquerade(True, False, "! -i cni0")))
    assert lines[-1] == "└─ masqueraded   hairpin; ClusterIP where `! -i cni0`"


def test_counters_and_chains_where_there_is_room() -> None:
    made = service(endpoints=(endpoint(1, 0.5, packets=1), endpoint(2, 0.5, packets=1234567)))
    assert "10.244.1.1:8080  hairpin ok  1 packet" in shown(explanation(made))
    assert "10.244.1.2:8080  hairpin ok  1,234,567 packets" in shown(explanation(made))
    assert "1,234,567 packets  KUBE-SEP-AAAAAAAAAAAAAAA2" in shown(explanation(made), 200)


def test_full_ipv6_addresses_break_the_line_not_the_address() -> None:
    address = "2001:db8:aaaa:bbbb:cccc:dddd:eeee:ffff"
    made = service(
        family=Family.IPV6,
        frontends=(frontend(address=address),),
        endpoints=(endpoint(1, 1 / 3, address=address, port=65535, local=True), endpoint(2, 2 / 3, address="fd00::1")),
    )
    lines = shown(explanation(made, family=Family.IPV6)).splitlines()
    assert max(map(len, lines)) <= 80
    assert f"│  ├─ 33.33 %  [{address}]:65535" in lines[-4] + lines[-5] + lines[-6]


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_exceeds_the_width(width: int) -> None:
    made = service(
        0.5, 0.5, namespace="n" * 63, name="s" * 63, port_name="p" * 15,
        frontends=(frontend(source_ranges=tuple(f"10.{number}.0.0/16" for number in range(40))),),
    )  # fmt: skip
    assert max(map(len, shown(explanation(made), width).splitlines())) <= width


HOSTILE = "[red]x[/x] :smile: \x1b[31m\r\u2028\u202e\udcff"
ESCAPED = "[red]x[/x] :smile: \\x1b[31m\\r\\u2028\\u202e\\xff"


def hostile() -> Explanation:
    endpoints = (
        endpoint(1, 0.5, address=HOSTILE, chain=HOSTILE),
        endpoint(2, 0.5, address=None, port=None, chain="KUBE-SEP-" + HOSTILE),
    )
    made = service(
        namespace=HOSTILE, name=HOSTILE, port_name=HOSTILE, protocol=HOSTILE, source=HOSTILE, cluster_ip=HOSTILE,
        frontends=(frontend(address=HOSTILE, source_ranges=(HOSTILE,)),),
        endpoints=endpoints,
        balancers=(balancer(endpoints), balancer(endpoints[:1], chain=HOSTILE)),
        masquerade=Masquerade(True, False, HOSTILE),
        chains=ServiceChains(HOSTILE, HOSTILE + "2"),
    )  # fmt: skip
    nameless = service(source=HOSTILE, namespace=None, name=None, port_name=None, chains=ServiceChains(HOSTILE))
    facts = ruleset(source=HOSTILE, generator=HOSTILE, evidence=HOSTILE, version=HOSTILE)
    return Explanation((facts,), (made, nameless))


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("form", ["tree", "table"])
def test_nothing_from_a_dump_reaches_the_terminal_raw(form: str, width: int) -> None:
    text = shown(hostile(), width) if form == "tree" else "".join(table(hostile()))
    assert text.replace("\n", "").isprintable()
    if width == 200:
        assert ESCAPED.replace(" ", "\\x20" if form == "table" else " ") in text


def test_colour_adds_nothing_but_styles() -> None:
    coloured = "".join(tree(hostile(), 120, color=True))
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == shown(hostile(), 120)


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"mode": ProxyMode.IPVS, "evidence": "kube-proxy in IPVS mode"}, "`ipvsadm-save -n` and `ipset save` show them"),
        ({"mode": None, "evidence": "only kubelet's chains"}, "only kubelet's chains"),
        ({"mode": None, "evidence": ""}, "none of these rules is kube-proxy's"),
        ({"mode": None, "evidence": "", "tables": {}}, "there are no rules: they were flushed"),
        ({"mode": None, "evidence": "", "family": Family.IPV6}, "In nftables mode, `nft list ruleset` shows"),
        ({"mode": ProxyMode.IPTABLES}, "they lead to no Service"),
        ({"mode": None, "evidence": "", "form": Form.FRAGMENT}, "none of these rules belongs to KUBE-SERVICES"),
    ],
)
def test_a_ruleset_without_services_says_what_it_is(facts: dict[str, object], words: str) -> None:
    assert words in " ".join(shown(explanation(**facts)).split())


def test_what_a_selection_left_out_is_counted() -> None:
    text = "".join(tree(explanation(service(1.0)), 80, color=False, total=58))
    assert text.splitlines()[-1] == "1 of 58 service ports shown, as selected."


def test_rulesets_are_separated_by_source_family_and_backend() -> None:
    made = Explanation(
        (ruleset(), ruleset(backend=Backend.LEGACY, generator=None), ruleset(family=Family.IPV6)),
        (
            service(1.0, name="new"),
            service(1.0, name="leftover", backend=Backend.LEGACY),
            service(1.0, name="six", family=Family.IPV6),
        ),
    )
    lines = shown(made).splitlines()
    assert [line for line in lines if line.startswith(("node.txt", "shop"))] == [
        "node.txt · IPv4 · iptables-save v1.8.9 (nf_tables)",
        "shop/new:http · tcp · KUBE-SVC-AAAAAAAAAAAAAAAA",
        "node.txt · IPv4 · legacy backend",
        "shop/leftover:http · tcp · KUBE-SVC-AAAAAAAAAAAAAAAA",
        "node.txt · IPv6 · iptables-save v1.8.9 (nf_tables)",
        "shop/six:http · tcp · KUBE-SVC-AAAAAAAAAAAAAAAA",
    ]


def test_the_table_has_one_line_a_frontend_in_columns_without_spaces() -> None:
    made = service(
        0.5, 0.25,
        frontends=(frontend(), frontend(FrontendKind.NODE_PORT, port=30080, verdict=FrontendVerdict.REJECT, balancer=None)),
        affinity_seconds=600,
        external_policy=TrafficPolicy.LOCAL,
    )  # fmt: skip
    header, cluster_ip, node_port = (line.split() for line in table(explanation(made)))
    assert dict(zip(header, cluster_ip)) == {
        "NAMESPACE": "shop", "NAME": "cart", "PORT": "http", "PROTOCOL": "tcp", "FRONTEND": "ClusterIP",
        "ADDRESS": "10.96.14.7:80", "VERDICT": "balance", "ENDPOINTS": "2", "BALANCE": "uneven", "POLICY": "-",
        "AFFINITY": "600s", "LINE": "310", "SOURCES": "-",
    }  # fmt: skip
    assert dict(zip(header, node_port))["ADDRESS"] == "*:30080"
    assert dict(zip(header, node_port))["VERDICT"] == "reject"
    assert dict(zip(header, node_port))["POLICY"] == "Local"


def test_the_table_names_dump_family_and_backend_where_there_are_several() -> None:
    two_dumps = Explanation((), (service(1.0, source="a.txt"), service(1.0, source="b.txt")))
    assert [line.split()[0] for line in table(two_dumps)] == ["DUMP", "a.txt", "b.txt"]
    two_more = Explanation((), (service(1.0), service(1.0, family=Family.IPV6, backend=Backend.LEGACY)))
    assert [line.split()[:3] for line in table(two_more)] == [
        ["FAMILY", "BACKEND", "NAMESPACE"],
        ["ipv4", "nft", "shop"],
        ["ipv6", "legacy", "shop"],
    ]
