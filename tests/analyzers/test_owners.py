from __future__ import annotations

import pytest

from ipt_explain.analyzers.owners.nft_tables import owner_of_nft_chain
from ipt_explain.analyzers.owners.owner import owner_of, owner_of_rule
from ipt_explain.analyzers.profiles.mark_bits import DEFAULT_MARKS, mark_names
from ipt_explain.model import Rule
from ipt_explain.parsing import read_dump


def rules(text: str) -> list[Rule]:
    """The rules of a fragment."""
    (ruleset,) = read_dump(text).rulesets
    return [rule for table in ruleset.tables.values() for chain in table.chains.values() for rule in chain.rules]


@pytest.mark.parametrize(
    ("chain", "owner"),
    [
        ("KUBE-SERVICES", "kube-proxy"),
        ("KUBE-SVC-SNP24T7IBBNZDJ76", "kube-proxy"),
        ("KUBE-SEP-UWNFTKZFYWNNNTK7", "kube-proxy"),
        ("KUBE-XLB-SNP24T7IBBNZDJ76", "kube-proxy"),
        ("KUBE-PROXY-CANARY", "kube-proxy"),
        ("KUBE-KUBELET-CANARY", "kubelet"),
        ("KUBE-IPTABLES-HINT", "kubelet"),
        ("KUBE-FIREWALL", "kube-proxy and kubelet"),
        ("KUBE-LOAD-BALANCER", "kube-proxy (IPVS mode)"),
        ("KUBE-PORTALS-HOST", "kube-proxy (userspace mode, removed in 1.26)"),
        ("KUBE-ROUTER-INPUT", "kube-router"),
        ("KUBE-POD-FW-JHQ2X3YVQ6W2ZRTT", "kube-router"),
        ("KUBE-NWPLCY-AAAAAAAAAAAAAAAA", "kube-router"),
        ("KUBE-HOSTPORTS", "CRI-O or dockershim"),
        ("KUBE-HP-QNPFVCBUIOAHNEMV", "CRI-O or dockershim"),
        ("CRIO-MASQ-AAAAAAAAAAAAAAAA", "CRI-O"),
        ("DOCKER", "Docker"),
        ("DOCKER-ISOLATION-STAGE-2", "Docker"),
        ("CNI-DN-9c8b4d6e2a1f0c7b5d3e1", "CNI portmap"),
        ("CNI-HOSTPORT-SETMARK", "CNI portmap"),
        ("CNI-3f2a1b0c9d8e7f6a5b4c3d2e", "CNI bridge or ptp"),
        ("FLANNEL-POSTRTG", "flannel"),
        ("cali-fw-cali1234567890a", "Calico"),
        ("cali-PREROUTING", "Calico"),
        ("CILIUM_POST_nat", "Cilium"),
        ("OLD_CILIUM_FORWARD", "Cilium"),
        ("WEAVE-NPC-DEFAULT", "Weave Net"),
        ("ANTREA-POSTROUTING", "Antrea"),
        ("KIND-MASQ-AGENT", "kindnet"),
        ("IP-MASQ-AGENT", "ip-masq-agent"),
        ("AWS-SNAT-CHAIN-0", "AWS VPC CNI"),
        ("ISTIO_OUTPUT", "Istio"),
        ("OPENSHIFT-MASQUERADE", "OpenShift SDN"),
        ("OVN-KUBE-NODEPORT", "OVN-Kubernetes"),
        ("AZURE-NPM-EGRESS-FROM", "Azure NPM"),
        ("SUBMARINER-POSTROUTING", "Submariner"),
        ("IN_public_allow", "firewalld"),
        ("ufw-before-input", "ufw"),
        ("f2b-sshd", "fail2ban"),
        ("ts-postrouting", "Tailscale"),
        ("NETAVARK-1D8721804F16F", "Podman (netavark)"),
        ("LIBVIRT_FWI", "libvirt"),
        ("POSTROUTING", "built-in"),
    ],
)
def test_known_names_have_owners_and_purposes(chain: str, owner: str) -> None:
    found = owner_of(chain)
    assert found is not None
    assert found.name == owner
    assert found.purpose


@pytest.mark.parametrize("chain", ["KUBE-FOO", "KUBERNETES", "IN_", "IN_LOUD", "CNI-MINE", "MY-DOCKER", "kube-services", ""])
def test_a_likeness_is_not_enough(chain: str) -> None:
    assert owner_of(chain) is None


def test_a_hash_that_is_none_is_said_to_be_none() -> None:
    real, made_up = owner_of("KUBE-SVC-SNP24T7IBBNZDJ76"), owner_of("KUBE-SVC-X")
    assert real is not None and real.evidence == "name (KUBE-SVC- and a hash)"
    assert made_up is not None and "not a hash" in made_up.evidence


def test_one_name_means_different_things_in_different_tables() -> None:
    nat, filter_ = owner_of("KUBE-SERVICES", table="nat"), owner_of("KUBE-SERVICES", table="filter")
    assert nat is not None and "looks up Services" in nat.purpose
    assert filter_ is not None and "refuses" in filter_.purpose
    assert owner_of("PREROUTING", table="filter") is None


@pytest.mark.parametrize(
    ("comment", "owner"),
    [
        ("cali:abc_DEF-12345678", "Calico"),
        ("cilium-feeder: CILIUM_INPUT", "Cilium"),
        ("flanneld masq", "flannel"),
        ("kube-router netpol - 4IA2OSFRMVNDXBVV", "kube-router"),
        ("Antrea: jump to Antrea input rules", "Antrea"),
        ("AWS SNAT CHAIN", "AWS VPC CNI"),
        ("NodeLocal DNS Cache: skip conntrack", "node-local-dns"),
        ("kubernetes service portals", "kube-proxy"),
    ],
)
def test_comments_tell_who_wrote_a_rule(comment: str, owner: str) -> None:
    (rule,) = rules(f'-A MINE -m comment --comment "{comment}" -j RETURN\n')
    by_rule, by_chain = owner_of_rule(rule), owner_of("MINE", [rule])
    assert by_rule is not None and by_chain is not None
    assert by_rule.name == by_chain.name == owner
    assert comment.startswith(by_rule.evidence.removeprefix('comment "').removesuffix('…"'))


def test_a_rule_without_comment_belongs_to_whom_it_jumps_to() -> None:
    docker, drop, mine = rules("-A INPUT -j DOCKER-USER\n-A INPUT -j DROP\n-A INPUT -j MINE\n")
    found = owner_of_rule(docker)
    assert found is not None and (found.name, found.evidence) == ("Docker", "it jumps to DOCKER-USER")
    assert owner_of_rule(drop) is None
    assert owner_of_rule(mine) is None


def test_marks_are_named_by_the_chains_that_set_them() -> None:
    text = (
        "*nat\n:PREROUTING ACCEPT [0:0]\n:KUBE-MARK-MASQ - [0:0]\n:KUBE-MARK-DROP - [0:0]\n:CNI-HOSTPORT-SETMARK - [0:0]\n"
        "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x100/0x100\n-A KUBE-MARK-DROP -j MARK --or-mark 0x200\n"
        '-A CNI-HOSTPORT-SETMARK -m comment --comment "CNI portfwd masquerade mark" -j MARK --set-xmark 0x2000/0x2000\nCOMMIT\n'
    )
    (ruleset,) = read_dump(text).rulesets
    assert mark_names(ruleset) == {
        0x100: "the masquerade mark",
        0x200: "the drop mark",
        0x2000: "the CNI portmap plugin's masquerade mark",
    }


def test_a_fragment_has_the_default_marks_and_a_foreign_dump_none() -> None:
    (fragment,) = read_dump("-A KUBE-SVC-A -j KUBE-SEP-B\n").rulesets
    assert mark_names(fragment) == DEFAULT_MARKS
    (foreign,) = read_dump("*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n").rulesets
    assert mark_names(foreign) == {}


@pytest.mark.parametrize(
    ("table", "chain", "owner"),
    [
        ("firewalld", "filter_FWD_public", "firewalld"),
        ("docker-bridges", "filter-FORWARD", "Docker"),
        ("wg-quick-wg0", "preraw", "wg-quick"),
        ("filter", "ts-forward", "Tailscale"),
        ("filter", "FORWARD", None),
        ("filter", "forward", None),
    ],
)
def test_tables_of_nftables_tell_their_owner(table: str, chain: str, owner: str | None) -> None:
    found = owner_of_nft_chain(table, chain)
    assert (None if found is None else found.name) == owner
