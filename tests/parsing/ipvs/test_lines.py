"""Single outputs: what is read of them, and what people are told of lines that are none."""

from __future__ import annotations

import pytest

from ipt_explain.errors import DumpSyntaxError
from ipt_explain.model import Family
from ipt_explain.model.node.ipsets import BridgePort, IpSet, SetPort
from ipt_explain.model.node.ipvs import Forwarding, VirtualServer
from ipt_explain.parsing import read_dump


def server(text: str) -> VirtualServer:
    servers = read_dump(text).node.virtual_servers
    assert servers is not None and len(servers.servers) == 1
    return servers.servers[0]


def ip_set(text: str) -> IpSet:
    (found,) = read_dump(text).node.sets.values()
    return found.set


def test_a_saved_virtual_server() -> None:
    found = server(
        "-A -t 10.0.0.1:80 -s mh -p 300 -M 255.255.255.0 -b mh-port,mh-fallback\n-a -t 10.0.0.1:80 -r 10.0.0.2:8080 -m -w 3\n"
    )
    assert (found.family, found.protocol, found.address, found.port) == (Family.IPV4, "tcp", "10.0.0.1", 80)
    assert (found.scheduler, found.flags) == ("mh", ("mh-port", "mh-fallback"))
    assert found.persistence is not None and (found.persistence.seconds, found.persistence.prefix_length) == (300, 24)
    (real,) = found.real_servers
    assert (real.address, real.port, real.forwarding, real.weight) == ("10.0.0.2", 8080, Forwarding.MASQUERADING, 3)


def test_clients_may_be_remembered_by_their_whole_ipv6_address() -> None:
    found = server("-A -t [fd00::1]:80 -s rr -p 300 -M 128\n")
    assert found.persistence is not None and found.persistence.prefix_length == 128


def test_ipvsadm_defaults_to_direct_routing_and_weight_1() -> None:
    (real,) = server("-A -u 10.0.0.1:53 -s rr\n-a -u 10.0.0.1:53 -r 10.0.0.2:53\n").real_servers
    assert (real.forwarding, real.weight) == (Forwarding.ROUTING, 1)


def test_a_listed_virtual_server() -> None:
    found = server(
        "Prot LocalAddress:Port Scheduler Flags\nSCTP [fd00::1]:5060 wrr persistent 60 mask 64\n"
        "  -> [fd00::2]:5060              Masq    2      12K        3         \n"
    )
    assert (found.family, found.protocol, found.address, found.port) == (Family.IPV6, "sctp", "fd00::1", 5060)
    assert found.persistence is not None and found.persistence.prefix_length == 64
    (real,) = found.real_servers
    assert real.weight == 2


def test_columns_of_statistics_leave_scheduler_and_weight_unknown() -> None:
    found = server("TCP  10.0.0.1:80   1   5   0   300   0\n  -> 10.0.0.2:80   1   5   0   300   0\n")
    assert found.scheduler is None
    assert found.real_servers[0].weight is None


def test_statistics_next_to_the_list_change_nothing() -> None:
    listed = "TCP  10.0.0.1:80 rr persistent 60\n  -> 10.0.0.2:80  Masq 1 0 0\n"
    counted = "TCP  10.0.0.1:80   1   5   0   300   0\n  -> 10.0.0.2:80   1   5   0   300   0\n"
    for text in (listed + counted, counted + listed):
        found = server(text)
        assert (found.scheduler, found.real_servers[0].weight) == ("rr", 1)


def test_a_server_of_a_firewall_mark() -> None:
    for text in ("-A -f 7 -6 -s rr\n", "FWM  7 IPv6 rr\n"):
        found = server(text)
        assert (found.fwmark, found.address, found.port, found.family) == (7, None, None, Family.IPV6)


PROC = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port Forward Weight ActiveConn InActConn
TCP  0A600001:01BB wrr persistent 10800 FFFFFFFF
  -> C0A8320A:1A85      Masq    3      12         0
TCP  [fd00:0010:0096:0000:0000:0000:0000:000a]:0035 rr
  -> [fd00:0010:0244:0002:0000:0000:0000:0002]:1F90      Masq    1      0          0
FWM  00000007 rr
"""


@pytest.mark.parametrize(("mask", "length"), [("FFFFFFFF", None), ("FFFFFF00", 24), ("FF000000", 8)])
def test_the_kernel_writes_netmasks_in_hex(mask: str, length: int | None) -> None:
    found = server(PROC.replace("FFFFFFFF", mask).partition("TCP  [fd00")[0])
    assert found.persistence is not None and found.persistence.prefix_length == length


def test_the_kernels_own_list_is_in_hex() -> None:
    servers = read_dump(PROC).node.virtual_servers
    assert servers is not None
    one, two, marked = servers.servers
    assert (one.address, one.port, one.scheduler) == ("10.96.0.1", 443, "wrr")
    assert one.persistence is not None and (one.persistence.seconds, one.persistence.prefix_length) == (10800, None)
    assert [(real.address, real.port, real.weight) for real in one.real_servers] == [("192.168.50.10", 6789, 3)]
    assert (two.address, two.port, two.real_servers[0].address, two.real_servers[0].port) == (
        "fd00:10:96::a",
        53,
        "fd00:10:244:2::2",
        8080,
    )
    assert marked.fwmark == 7


def test_connections_are_left_out_and_named() -> None:
    dump = read_dump(
        "IPVS connection entries\npro expire state       source             virtual            destination\n"
        "TCP 14:59  ESTABLISHED 10.0.0.9:40000     10.0.0.1:80        10.0.0.2:80\n"
    )
    assert dump.node.virtual_servers is None
    assert "connections of IPVS" in dump.warnings[0]


def test_real_servers_without_their_virtual_server() -> None:
    dump = read_dump("  -> 10.0.0.2:80  Masq 1 0 0\nTCP  10.0.0.1:80 rr\n")
    assert dump.node.virtual_servers is not None and not dump.node.virtual_servers.complete
    assert "is the text cut off?" in dump.warnings[0]


PARTS = [
    ("hash:ip,port", "10.0.0.1,tcp:80", ("10.0.0.1", SetPort("tcp", "80"))),
    ("hash:ip,port", "10.0.0.1,icmp:8/3", ("10.0.0.1", SetPort("icmp", "8/3"))),
    ("hash:ip,port family inet6", "fd00::1,ipv6-icmp:echo-request", ("fd00::1", SetPort("ipv6-icmp", "echo-request"))),
    ("hash:ip,port family inet6", "::1,udplite:70", ("::1", SetPort("udplite", "70"))),
    ("hash:ip,port,ip", "10.0.0.1,tcp:80,10.0.0.1", ("10.0.0.1", SetPort("tcp", "80"), "10.0.0.1")),
    ("hash:ip,port,net", "10.0.0.1,99:0,0.0.0.0/1", ("10.0.0.1", SetPort("99", "0"), "0.0.0.0/1")),
    ("hash:net,iface", "10.0.0.0/8,physdev:eth0", ("10.0.0.0/8", BridgePort("eth0"))),
    ("hash:net,iface", "10.0.0.0/8,eth0.100", ("10.0.0.0/8", "eth0.100")),
    ("hash:ip,mark", "10.0.0.1,0x00000063", ("10.0.0.1", "0x00000063")),
    ("hash:mac", "01:02:03:04:05:06", ("01:02:03:04:05:06",)),
    ("bitmap:port range 0-65535", "80", (SetPort(None, "80"),)),
    ("bitmap:ip,mac range 10.0.0.0-10.0.0.255", "10.0.0.5", ("10.0.0.5",)),
    ("list:set size 8", "cali40s:abc", ("cali40s:abc",)),
]


@pytest.mark.parametrize(("type_", "element", "parts"), PARTS)
def test_elements_of_every_type(type_: str, element: str, parts: tuple[object, ...]) -> None:
    saved = ip_set(f'create S {type_}\nadd S {element} timeout 9 comment "a, b" nomatch\n')
    kind, _, options = type_.partition(" ")
    header = f"Name: S\nType: {kind}\nRevision: 7\nHeader: {options}\nSize in memory: 216\nReferences: 1\n"
    listed = ip_set(f'{header}Number of entries: 1\nMembers:\n{element} timeout 9 comment "a, b" nomatch\n')
    for found in (saved, listed):
        assert found.type == kind
        (only,) = found.elements
        assert (only.parts, only.timeout, only.comment, only.nomatch) == (parts, 9, "a, b", True)


def test_a_set_whose_members_are_cut_off_is_not_whole() -> None:
    head = "Name: S\nType: hash:ip\nRevision: 4\nHeader: family inet\nSize in memory: 216\nReferences: 1\nNumber of entries: 2\n"
    for text in (head, f"{head}Members:\n10.0.0.1\n", f"{head}Members:\n10.0.0.1\n*nat\nCOMMIT\n"):
        dump = read_dump(text)
        assert not dump.node.sets["S"].set.complete
        assert "are not shown" in dump.warnings[0]


def test_elements_without_their_set_have_a_guessed_type() -> None:
    found = ip_set("add KUBE-LOOP-BACK 10.0.0.1,tcp:80,10.0.0.1\n")
    assert (found.type, found.family, found.complete) == ("hash:ip,port,ip", Family.IPV4, False)


FULL = """\
1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00
    inet 127.0.0.1/8 scope host lo
       valid_lft forever preferred_lft forever
2: eth0@if5: <BROADCAST,UP> mtu 1500 qdisc noqueue state UP group default
    altname enp0s3
    inet 192.0.2.10/24 brd 192.0.2.255 scope global dynamic eth0
       valid_lft 80sec preferred_lft 80sec
"""
ONE_LINE = """\
1: lo    inet 127.0.0.1/8 scope host lo\\       valid_lft forever preferred_lft forever
2: eth0    inet 192.0.2.10/24 brd 192.0.2.255 scope global eth0\\       valid_lft forever preferred_lft forever
"""
BRIEF = """\
lo               UNKNOWN        127.0.0.1/8
eth0@if5         UP             192.0.2.10/24
"""


@pytest.mark.parametrize("text", [FULL, ONE_LINE, BRIEF])
def test_addresses_in_each_form_of_ip_addr(text: str) -> None:
    found = read_dump(text).node.addresses
    assert found is not None and found.complete
    assert [(each.interface, each.address, each.prefix_length) for each in found.addresses] == [
        ("lo", "127.0.0.1", 8),
        ("eth0", "192.0.2.10", 24),
    ]


def test_addresses_of_one_interface_are_not_all() -> None:
    found = read_dump(
        "3: kube-ipvs0: <BROADCAST,NOARP> mtu 1500 qdisc noop state DOWN \n    inet 10.0.0.1/32 scope global kube-ipvs0\n"
    ).node
    assert found.addresses is not None and not found.addresses.complete


REFUSED = [
    ("-A -t x:y -s rr", 7, "`x:y` is unexpected in a line of ipvsadm", "An address and a port in numbers."),
    ("TCP  kubernetes:https rr", 6, "`kubernetes:https` is unexpected", "An address and a port in numbers."),
    ("-A -t 10.0.0.1:99999 -s rr", 16, "99999 is not a port", ""),
    ("-A -t 10.0.0.999:80 -s rr", 7, "10.0.0.999 is not an address", ""),
    ("-A -t 10.0.0.1:80 -s", 21, "the line ends too early", "A scheduler."),
    ("add S 10.0.0.1,tcp:80 timeout", 30, "the line ends too early", "A number of seconds."),
    ("create S hash:ip,moon", 10, "hash:ip,moon is an unknown type", ""),
    ("    inet 10.0.0.300/8 scope global eth0", 10, "10.0.0.300 is not an address", ""),
    ("    inet 10.0.0.3/99 scope global eth0", 10, "10.0.0.3/99 is not a network", ""),
]


@pytest.mark.parametrize(("line", "column", "message", "expected"), REFUSED)
def test_lines_that_cannot_be_read(line: str, column: int, message: str, expected: str) -> None:
    with pytest.raises(DumpSyntaxError) as caught:
        read_dump(f"*nat\nCOMMIT\n{line}\n")
    (only,) = caught.value.diagnostics
    assert (only.line, only.column, only.expected, only.excerpt) == (3, column, expected, line)
    assert only.message.startswith(message)
    assert "--lenient" in only.remedy


def test_lenient_reading_leaves_them_out_and_knows_less() -> None:
    dump = read_dump("*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\nTCP  a:b rr\nTCP  10.0.0.1:80 rr\n", lenient=True)
    assert dump.node.virtual_servers is not None and not dump.node.virtual_servers.complete
    assert not dump.rulesets[0].fragment
    assert "skipped 1 line" in dump.warnings[0]


@pytest.mark.parametrize(
    "line",
    [
        "-A TCP -p tcp -j ACCEPT",
        "add rule ip nat POSTROUTING counter masquerade",
        "Name: nginx",
        "-A INPUT -t nat -j ACCEPT",
        "TCP        tcp  --  0.0.0.0/0            0.0.0.0/0",
    ],
)
def test_lines_of_others_are_left_to_their_readers(line: str) -> None:
    assert not read_dump(f"*nat\n:OUTPUT ACCEPT [0:0]\nCOMMIT\n{line}\n", lenient=True).node


def test_a_session_in_which_one_tool_was_run_after_another() -> None:
    session = """\
[root@node1 ~]# ipvsadm -Ln
IP Virtual Server version 1.2.1 (size=4096)
TCP  10.96.0.1:443 rr
  -> 192.168.50.10:6443           Masq    1      0          0
[root@node1 ~]# ipset list KUBE-CLUSTER-IP
Name: KUBE-CLUSTER-IP
Type: hash:ip,port
Header: family inet hashsize 1024 maxelem 65536
Number of entries: 1
Members:
10.96.0.1,tcp:443
[root@node1 ~]# iptables-save -t nat
*nat
:PREROUTING ACCEPT [0:0]
COMMIT
root@node1:~# ip addr show kube-ipvs0
3: kube-ipvs0: <BROADCAST,NOARP> mtu 1500 qdisc noop state DOWN group default
    inet 10.96.0.1/32 scope global kube-ipvs0
       valid_lft forever preferred_lft forever
$ sudo ipset save
create X hash:ip family inet
"""
    dump = read_dump(session)
    assert len(dump.rulesets) == 1
    assert list(dump.node.sets) == ["KUBE-CLUSTER-IP", "X"]
    assert dump.node.virtual_servers is not None and dump.node.addresses is not None


LONG = 100_000


@pytest.mark.parametrize(
    "line", [f"    inet {'1:' * LONG}\n", f"-A -t {' ' * LONG}x\n"], ids=["an address", "blanks before a word"]
)
def test_a_long_line_that_nobody_prints_is_given_up_in_one_pass(line: str) -> None:
    """Any way of trying again from each of its characters would not come to an end here."""
    device = "7: kube-ipvs0: <BROADCAST,NOARP> mtu 1500\n" + "    inet 10.96.0.1/32 scope global kube-ipvs0\n" * 3
    assert read_dump(device + line, lenient=True).node.addresses is not None
