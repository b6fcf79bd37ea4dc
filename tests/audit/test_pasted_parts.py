"""Nobody is accused of what only the copy of a text did to its rules."""

from __future__ import annotations

import pytest

from tests.audit.helpers import fired

_LISTED = """\
$ iptables -t nat -L
Chain PREROUTING (policy ACCEPT)
target     prot opt source               destination
KUBE-SERVICES  all  --  anywhere             anywhere             /* kubernetes service portals */ {hook}

Chain KUBE-SVC-AAAAAAAAAAAAAAAA (1 references)
target     prot opt source               destination
KUBE-SEP-BBBBBBBBBBBBBBBB  all  {opt}  anywhere             anywhere             /* demo/web */ {jump}
"""
_WHOLE = (
    '-A KUBE-NODEPORTS -p tcp -m comment --comment "demo/web" -m tcp --dport 30080 -j KUBE-MARK-MASQ\n'
    '-A KUBE-NODEPORTS -p tcp -m comment --comment "demo/web" -m tcp --dport 30080 -j KUBE-SVC-AAAAAAAAAAAAAAAA\n'
)


@pytest.mark.parametrize("opt", ["--", "—", "–"])
@pytest.mark.parametrize("note", ["← 1", "# see above", "!? nobody knows", "<- this"])
def test_words_that_someone_wrote_into_a_listing(opt: str, note: str) -> None:
    found = fired(_LISTED.format(hook=note, opt=opt, jump=note))
    assert not found & {"IPT104", "IPT115"}


@pytest.mark.parametrize("half", ["-j KUBE-MAR", "-j KUBE-SVC-AAAAA"])
def test_a_node_port_whose_last_rule_was_cut_off(half: str) -> None:
    cut = f'-A KUBE-NODEPORTS -p tcp -m comment --comment "demo/web" -m tcp --dport 30080 {half}\n'
    assert "IPT512" not in fired(_WHOLE + cut)


def test_a_comment_that_was_cut_off_holds_no_line_feed() -> None:
    assert "IPT008" not in fired(f'{_WHOLE}-A KUBE-SERVICES -m comment --comment "kubernetes service no\n')


def test_conditions_that_someone_left_out() -> None:
    assert "IPT115" not in fired(f"{_WHOLE}-A KUBE-SVC-AAAAAAAAAAAAAAAA -p tcp ... -j KUBE-MARK-MASQ\n")


def test_rules_of_a_listing_that_grep_filtered() -> None:
    text = """\
# iptables -S -t nat | grep OUTPUT
-P OUTPUT ACCEPT
-A OUTPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES

# iptables -S -t nat | grep KUBE-MARK-MASQ
-N KUBE-MARK-MASQ
-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000
-A KUBE-NODE-PORT -p tcp -m set --match-set KUBE-NODE-PORT-TCP dst -j KUBE-MARK-MASQ
"""
    assert not fired(text) & {"IPT101", "IPT102"}


def test_a_map_in_a_rule_of_which_someone_left_out_elements() -> None:
    chain = "numgen random mod 3 vmap { 0 : goto endpoint-AAAAAAAA-demo/web/tcp/__10.0.0.1/80, ... }"
    table = f"table ip kube-proxy {{\n\tchain service-AAAAAAAA-demo/web/tcp/ {{\n\t\t{chain}\n\t}}\n}}\n"
    assert "IPT917" not in fired(table)
    assert "IPT917" in fired(table.replace(", ...", ""))


def test_the_list_of_tables_above_one_of_them() -> None:
    assert fired("# nft list tables\ntable ip nat\ntable ip kube-proxy\n\ntable ip kube-proxy {\n}\n") == {"IPT901"}
