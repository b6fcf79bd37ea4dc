"""Output of which a command or a person left out some: nothing is known of what it lacks."""

from __future__ import annotations

import pytest

from ipt_explain.parsing import read_dump
from tests.audit.helpers import fired

_VERSION = "IP Virtual Server version 1.2.1 (size=4096)\n"
_COLUMNS = (
    "Prot LocalAddress:Port Scheduler Flags\n  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn\n"
)
_SERVER = "TCP  10.96.14.22:443 rr\n  -> 10.244.1.45:8443             Masq    1      0          0\n"
_SAVED = "-A -t 10.96.14.22:443 -s rr\n-a -t 10.96.14.22:443 -r 10.244.1.45:8443 -m -w 1\n"
_SET = """\
Name: KUBE-CLUSTER-IP
Type: hash:ip,port
Header: family inet hashsize 1024 maxelem 65536
Number of entries: 2
Members:
10.96.14.22,tcp:443
10.96.0.1,tcp:443
"""
_ADDRESSES = """\
5: kube-ipvs0: <BROADCAST,NOARP> mtu 1500 qdisc noop state DOWN group default
    inet 10.96.14.23/32 scope global kube-ipvs0
       valid_lft forever preferred_lft forever
"""


@pytest.mark.parametrize(
    ("text", "complete"),
    [
        (_VERSION + _COLUMNS + _SERVER, True),
        (f"$ ipvsadm -Ln\n{_VERSION}{_COLUMNS}{_SERVER}", True),
        (f"# ipvsadm-save -n\n{_SAVED}", True),
        (_COLUMNS + _SERVER, False),
        (f"$ sudo ipvsadm -Ln | grep -A1 10.96.14.22\n{_SERVER}", False),
        (f"$ ipvsadm -ln --tcp-service 10.96.14.22:443\n```\n{_COLUMNS}{_SERVER}", False),
        (f"# ipvsadm -S -n | grep 10.96.14.22\n{_SAVED}", False),
        (f"{_VERSION}{_COLUMNS}...\n{_SERVER}", False),
        (f"{_VERSION}{_COLUMNS}{_SERVER}   ...\n", False),
    ],
)
def test_servers_are_all_that_the_node_has_only_if_nothing_left_out_any(text: str, complete: bool) -> None:
    servers = read_dump(text).node.virtual_servers
    assert servers is not None
    assert servers.complete == complete
    assert ("IPT911" in fired(text + "\n" + _SET)) == complete


@pytest.mark.parametrize("dots", ["", "    ...\n"])
def test_addresses_that_were_left_out_may_be_on_the_interface(dots: str) -> None:
    text = f"{_SET}\n{_VERSION}{_COLUMNS}{_SERVER}\n$ ip addr show kube-ipvs0\n{_ADDRESSES}{dots}"
    assert ("IPT913" in fired(text)) == (not dots)


@pytest.mark.parametrize(
    "text",
    [
        _SET.replace("Members:\n", "Members:\n\n"),
        _SET.replace("entries: 2", "entries: 1"),
        "".join(f"      {line}\n" for line in _SET.splitlines()),
        "ipset list\n" + "".join(f"# {line}\n" for line in _SET.splitlines()),
        _SET.replace("tcp:", "6:"),
        f"{_SET}\nName: KUBE-LOOP-BACK\nType: hash:ip,port,ip\nMembe",
    ],
)
def test_sets_as_documents_show_them(text: str) -> None:
    found = read_dump(text).node.sets["KUBE-CLUSTER-IP"].set
    assert [[str(part) for part in each.parts] for each in found.elements] == [
        [str(part) for part in each.parts] for each in read_dump(_SET).node.sets["KUBE-CLUSTER-IP"].set.elements
    ]
    assert found.complete


def test_prose_below_a_set_is_none_of_its_elements() -> None:
    text = (
        _SET.split("Members:")[0].replace("entries: 2", "entries: 0")
        + "Members:\n\nThe set has no element at 10.0.0.1 yet.\n"
    )
    assert read_dump(text).node.sets["KUBE-CLUSTER-IP"].set.elements == ()


@pytest.mark.parametrize("page", [False, True])
def test_servers_as_documents_show_them(page: bool) -> None:
    text = "".join(f"  {line}\n" for line in (_VERSION + _COLUMNS + _SERVER).splitlines()).replace(
        "             Masq", "\t\tMasq"
    )
    if page:
        text = (
            f"<p>The servers:</p><pre><code># ipvsadm -ln\n{text.replace('>', '&gt;')}</code></pre><p>and so on.</p>\n"
        )
    servers = read_dump(text).node.virtual_servers
    assert servers is not None
    assert [[real.address for real in each.real_servers] for each in servers.servers] == [["10.244.1.45"]]
