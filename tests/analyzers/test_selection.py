from __future__ import annotations

from collections.abc import Sequence

import pytest

from ipt_explain.analyzers.selection import Selection, explain_selected, select
from ipt_explain.errors import UsageError
from ipt_explain.model import Backend
from ipt_explain.parsing import read_dump
from ipt_explain.services.explanation import Explanation
from ipt_explain.services.ports import FrontendKind, ServiceChains
from tests.kube_corpus import scenario
from tests.render.made import endpoint, explanation, frontend, service

SHOP = explanation(
    service(1.0),
    service(1.0, name="cart", port_name="metrics", port=9090),
    service(1.0, name="checkout", port_name="", frontends=(frontend(address="10.96.0.8"),), cluster_ip="10.96.0.8"),
    service(
        namespace="kube-system",
        name="kube-dns",
        port_name="dns",
        cluster_ip="fd00:96::a",
        frontends=(frontend(address="fd00:96::a"), frontend(FrontendKind.LOAD_BALANCER, address="2001:db8::1")),
        endpoints=(endpoint(1, 1.0, address="fd00:244::5"),),
    ),
    service(1.0, namespace=None, name=None, port_name=None, cluster_ip="10.96.0.9", frontends=(),
            chains=ServiceChains("KUBE-SVC-NAMELESS")),
)  # fmt: skip


def chosen(services: Sequence[str], namespaces: Sequence[str] = (), addresses: Sequence[str] = ()) -> list[str]:
    return [found.label for found in select(SHOP, Selection.of(services, namespaces, addresses)).services]


@pytest.mark.parametrize(
    ("pattern", "labels"),
    [
        ("cart", ["shop/cart:http", "shop/cart:metrics"]),
        ("shop/cart", ["shop/cart:http", "shop/cart:metrics"]),
        ("cart:http", ["shop/cart:http"]),
        ("cart:9090", ["shop/cart:metrics"]),
        ("c*", ["shop/cart:http", "shop/cart:metrics", "shop/checkout"]),
        ("checkout:", ["shop/checkout"]),
        ("kube-*/*", ["kube-system/kube-dns:dns"]),
        ("kube-system/", ["kube-system/kube-dns:dns"]),
        ("KUBE-SVC-NAME*", ["KUBE-SVC-NAMELESS"]),
    ],
)
def test_services_by_name(pattern: str, labels: list[str]) -> None:
    assert chosen([pattern]) == labels


def test_several_words_of_one_kind_add_up_and_kinds_narrow_each_other() -> None:
    assert chosen(["checkout", "kube-dns"]) == ["shop/checkout", "kube-system/kube-dns:dns"]
    assert chosen(["checkout", "kube-dns"], ["shop"]) == ["shop/checkout"]
    assert chosen([], ["sh?p"]) == ["shop/cart:http", "shop/cart:metrics", "shop/checkout"]


@pytest.mark.parametrize(
    ("address", "label"),
    [
        ("10.96.0.8", "shop/checkout"),
        ("fd00:96::a", "kube-system/kube-dns:dns"),
        ("FD00:0096:0:0::A", "kube-system/kube-dns:dns"),
        ("[2001:db8::1]", "kube-system/kube-dns:dns"),
        ("fd00:244:0::5", "kube-system/kube-dns:dns"),
        ("10.96.0.9", "KUBE-SVC-NAMELESS"),
    ],
)
def test_services_by_any_of_their_addresses(address: str, label: str) -> None:
    assert chosen([], [], [address]) == [label]


def test_nothing_asked_is_everything() -> None:
    assert select(SHOP, Selection.of([], [], [])) is SHOP


@pytest.mark.parametrize(
    ("services", "namespaces", "addresses", "message"),
    [
        (["crat"], [], [], "no Service matches --service crat (). Nearest: cart."),
        (["shop/chekout"], [], [], "no Service matches --service shop/chekout (). Nearest: shop/checkout, shop/cart."),
        (["cart:htp"], [], [], "no Service matches --service cart:htp (). Nearest: cart:http, cart:80, cart:metrics."),
        ([], ["kube-sytem"], [], "no Service matches --namespace kube-sytem (). Nearest: kube-system."),
        ([], [], ["10.96.0.18"], "no Service matches --address 10.96.0.18 (). Nearest: 10.96.0.8, 10.96.0.9, 10.96.14.7."),
        (["zzz"], [], [], "no Service matches --service zzz (). Nearest: kube-dns, checkout, cart."),
        (["cart"], ["kube-system"], [], "no Service matches --service cart --namespace kube-system ()."),
    ],
)
def test_a_miss_names_the_nearest(services: list[str], namespaces: list[str], addresses: list[str], message: str) -> None:
    with pytest.raises(UsageError) as caught:
        chosen(services, namespaces, addresses)
    assert str(caught.value) == message.replace("()", "(searched 5 service ports)")


def test_for_a_miss_no_packets_are_followed(monkeypatch: pytest.MonkeyPatch) -> None:
    followed: list[int] = []
    monkeypatch.setattr("ipt_explain.analyzers.with_fates", lambda _, __, services, ___: followed.append(len(services)) or [])
    dump = read_dump(scenario("1.30", "basic").ipv4)
    with pytest.raises(UsageError, match=r"searched 4 service ports.*Nearest: kubernetes"):
        explain_selected([dump], Selection.of(["kubernets"], [], []))
    assert not any(followed)


def test_a_miss_where_there_is_no_service_says_so() -> None:
    with pytest.raises(UsageError, match="No Service here: there are no rules"):
        select(Explanation((), ()), Selection.of(["x"], [], []))


def test_where_no_service_has_a_name_an_address_is_asked_for() -> None:
    servers = explanation(service(1.0, namespace=None, name=None, port_name=None, backend=Backend.IPVS))
    with pytest.raises(UsageError, match=r"--service kube-dns \(searched 1 service port\)\. IPVS stores no names: use an address"):
        select(servers, Selection.of(["kube-dns"], [], []))
    with pytest.raises(UsageError, match="Nearest: "):
        select(servers, Selection.of([], [], ["10.96.0.1"]))


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(UsageError, match=r"--address 10\.0\.0: not an IPv4 or IPv6 address"):
        Selection.of([], [], ["10.0.0"])
