"""What stands around a rule is ignored only where its removal cannot change what the rule means."""

from __future__ import annotations

import pytest

from ipt_explain.parsing.iptables.diagnosis import safe_normalisation

RULE = (
    '-A KUBE-SEP-X -p tcp -m comment --comment "default/x -> 10.0.0.1:80" -m tcp -j DNAT --to-destination 10.0.0.1:80'
)


@pytest.mark.parametrize(
    ("line", "meant", "note"),
    [
        (f"    {RULE}", RULE, "leading spaces"),
        (f"\t{RULE}", RULE, "leading spaces"),
        (f"> {RULE}", RULE, "quote mark"),
        (f">{RULE}", RULE, "quote mark"),
        (f"> >   {RULE}", RULE, "quote mark"),
        (f"{RULE}\r", RULE, "carriage return"),
        (f"{RULE}  ", RULE, "trailing spaces"),
        (f"12:{RULE}", RULE, "line number"),
        (f"    12\t{RULE}", RULE, "line number"),
        ("\ufeff*nat", "*nat", "byte order mark"),
        ("  :KUBE-SVC-X - [0:0]", ":KUBE-SVC-X - [0:0]", "leading spaces"),
        ("> -P INPUT ACCEPT", "-P INPUT ACCEPT", "quote mark"),
        (">", "", "quote mark"),
        ("   ...", "...", "leading spaces"),
        ("root@master:~# iptables-save", "# root@master:~# iptables-save", "prompts"),
        ("[vagrant@node-1 ~]$ sudo iptables-save ", "# [vagrant@node-1 ~]$ sudo iptables-save", "prompts"),
        (">[root@kube-master01 ~]# iptables-save", "# >[root@kube-master01 ~]# iptables-save", "prompts"),
        ("$ iptables -t nat -S", "# $ iptables -t nat -S", "prompts"),
        ("sudo iptables-save | grep my-svc", "# sudo iptables-save | grep my-svc", "prompts"),
        ("kubectl debug node/n1 -it --image=busybox -- chroot /host iptables-save",
         "# kubectl debug node/n1 -it --image=busybox -- chroot /host iptables-save", "prompts"),
        ("root@master:~#", "# root@master:~#", "prompts"),
        ("iptables-save v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)",
         "# iptables-save v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)",
         ""),
        ("ip6tables-save: Permission denied", "# ip6tables-save: Permission denied", ""),
        ("Operation not permitted (you must be root)", "# Operation not permitted (you must be root)", "error messages"),
        (
            "Creating debugging pod node-debugger-n1-x7k2p with container debugger on node n1.",
            "# Creating debugging pod node-debugger-n1-x7k2p with container debugger on node n1.",
            "kubectl",
        ),
        ("```bash", "# ```bash", "fences"),
        ("–A INPUT –m comment —comment “kubernetes service portals” -j KUBE-SERVICES",
         '-A INPUT -m comment --comment "kubernetes service portals" -j KUBE-SERVICES', "typographic"),
        ("-A INPUT\u00a0-j ACCEPT", "-A INPUT -j ACCEPT", "typographic"),
        ("-A X -m comment --comment &quot;a -&gt; d&quot; -j Y", '-A X -m comment --comment "a -> d" -j Y', "entities"),
    ],
)  # fmt: skip
def test_reads_what_cannot_mean_anything_else(line: str, meant: str, note: str) -> None:
    found = safe_normalisation(line)
    assert found is not None
    assert found[0] == meant
    assert note in found[1]


@pytest.mark.parametrize(
    "line",
    [
        RULE,  # nothing to do
        f"+{RULE}",  # a diff: the other file lacks it
        f"< {RULE}",
        f"node-1.txt:{RULE}",  # grep over several dumps mixes nodes
        f"      2 {RULE}",  # uniq -c counts: the dump held the rule twice
        "root@node:~# iptables -F",
        "root@node:~# iptables -t nat -A PREROUTING -j DNAT --to-destination 10.0.0.1 -S",
        "Chain INPUT (policy ACCEPT)",
        "  hello",
        "-A X -m comment --comment “a -j Y",  # one quotation mark alone
        '-A X -m comment --comment "a – b" -j Y',  # a dash inside a value is the value's own
        '-A X -m comment --comment "a&quot;b" -j Y',
        "",
    ],
)
def test_ambiguous_text_is_left_alone(line: str) -> None:
    assert safe_normalisation(line) is None


def test_a_dash_inside_a_value_survives() -> None:
    found = safe_normalisation('  –A X -m comment --comment "a – b" -j Y')
    assert found is not None and found[0] == '-A X -m comment --comment "a – b" -j Y'


def test_lines_of_many_megabytes() -> None:
    for unit in ("> ", "–", "“", " –A", '"', "&quot;", "\u00a0", " ", "1", "kubectl "):
        safe_normalisation(unit * (3_000_000 // len(unit)))
