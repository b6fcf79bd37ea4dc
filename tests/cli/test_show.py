from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipt_explain.cli.show import split_words
from tests.cli.program import SAMPLES
from tests.cli.program import run_here as run
from tests.golden_support import Golden

BASIC = SAMPLES / "kube-proxy-1.30-basic.txt"
DUAL = SAMPLES / "kube-proxy-1.30-dual-stack.txt"
FRAGMENT = SAMPLES / "fragment-3-affinity.txt"
SERVICE = "KUBE-SVC-SNP24T7IBBNZDJ76"

HOSTILE = (
    "*filter\n:INPUT ACCEPT [0:0]\n:[red]x[/red] - [0:0]\n:\x1b[31mred - [0:0]\n:a\u202eb - [0:0]\n:\udcff - [0:0]\n"
    '-A INPUT -m comment --comment "a\x07\x1b]0;title\x07[bold]b[/bold] :smile:" -j [red]x[/red]\n'
    "-A INPUT -j \x1b[31mred\n-A INPUT -j a\u202eb\n-A INPUT -j \udcff\n-A [red]x[/red] -i \x1b[2J -j DROP\nCOMMIT\n"
)


@pytest.mark.parametrize("width", ["80", "200"])
def test_a_service_chain(width: str, golden: Golden) -> None:
    shown = run("show", SERVICE, FRAGMENT.relative_to(SAMPLES.parent), "--width", width)
    assert shown.status == 0 and shown.err == ""
    assert all(len(line) <= int(width) for line in shown.out.splitlines())
    golden(f"show/fragment-service-chain-{width}.txt", shown.out)


def test_the_overview_by_owner(golden: Golden) -> None:
    golden("show/overview.txt", run("show", BASIC.relative_to(SAMPLES.parent)).out)


def test_a_built_in_chain_with_who_put_its_rules_there(golden: Golden) -> None:
    golden("show/built-in.txt", run("show", "INPUT", "--table", "filter", BASIC.relative_to(SAMPLES.parent)).out)


def test_one_rule_needs_no_dump() -> None:
    shown = run(
        "show", "--rule", "-A KUBE-SVC-X -m statistic --mode random --probability 0.5 -j KUBE-SEP-Y", "--width", "300"
    )
    assert shown.status == 0
    assert shown.out.splitlines() == [
        "If a packet is picked at random, with a chance of 50 % (1073741824 of 2^31 in the kernel), it jumps to chain KUBE-SEP-Y (one endpoint of a service port: rewrites the destination to the pod), and goes on to the next rule if it comes back.",
        "Chain: KUBE-SVC-X, of kube-proxy: spreads new connections of one service port over all its endpoints",
    ]


@pytest.mark.parametrize(
    "text",
    [
        "-A POSTROUTING -j MASQUERADE",
        "iptables -t nat -A POSTROUTING -j MASQUERADE",
        "sudo /usr/sbin/ip6tables-nft -w 5 -t nat -I POSTROUTING -j MASQUERADE",
        "# iptables -A POSTROUTING -j MASQUERADE",
        "iptables -A POSTROUTING -t nat -j MASQUERADE",
        "iptables -t nat -A POSTROUTING -m comment --comment 'quoted for a shell' -j MASQUERADE",
        "-j MASQUERADE",
    ],
)
def test_a_rule_is_understood_as_people_paste_it(text: str) -> None:
    shown = run("show", "--rule", text, "-o", "json")
    assert shown.status == 0, shown.err
    (rule,) = json.loads(shown.out)["rules"]
    assert rule["sentence"].startswith("Every packet gets its source rewritten to the address of the interface")


@pytest.mark.parametrize(
    ("text", "note"),
    [
        ("-D X -j ACCEPT", "this line deletes such a rule"),
        ("-I X -j ACCEPT", "inserted as rule 1"),
        ("-I X 3 -j ACCEPT", "inserted as rule 3"),
        ("-R X 2 -j ACCEPT", "replaces rule 2"),
        ("[7:420] -A X -j ACCEPT", "7 packets, 420 bytes"),
    ],
)
def test_a_lines_counters_and_command_are_noted(text: str, note: str) -> None:
    assert f"Note: {note}\n" in run("show", "--rule", text).out


def test_the_table_of_a_rule_must_be_one_of_iptables() -> None:
    shown = run("show", "--table", "bogus", "--rule", "-j DROP")
    assert shown.status == 2 and "there is no table bogus" in shown.err


def test_a_dump_names_the_marks_of_a_rule() -> None:
    text = "*nat\n:KUBE-MARK-MASQ - [0:0]\n-A KUBE-MARK-MASQ -j MARK --set-xmark 0x100/0x100\nCOMMIT\n"
    shown = run("show", "--rule", "-A X -m mark --mark 0x100/0x100 -j ACCEPT", "-", stdin=text)
    assert "mark bit 0x100 (the masquerade mark) set" in shown.out


@pytest.mark.parametrize("text", ["hello", "KUBE-SVC-ABC", "drop all - now"])
def test_what_is_no_rule_is_named_as_it_was_given(text: str) -> None:
    shown = run("show", "--rule", text)
    assert shown.status == 2
    assert shown.err.startswith(f"ipt-explain: --rule: {text} is not a rule")
    assert ("to see a chain" in shown.err) is (" " not in text)



def test_a_caret_points_at_an_invalid_rule() -> None:
    shown = run("show", "--rule", "-p tcp -j")
    assert shown.err.startswith("--rule:1:8: -j has no argument\n  -p tcp -j\n         ^^\n")
    shown = run("show", "--table", "nat", "--rule", "-p tcp -j ACCEPT\n-p udp hello")
    assert shown.err.startswith("--rule:2:8: `hello` is one argument too many for -p\n  -p udp hello\n         ^^^^^\n")
    shown = run("show", "--rule", "-A X --nonsense")
    assert shown.status == 2 and shown.out == ""
    assert "--nonsense" in shown.err and "^" in shown.err


def test_a_chain_and_a_rule_at_once_are_too_much() -> None:
    assert run("show", "KUBE-SERVICES", "--rule", "-j ACCEPT").status == 2


@pytest.mark.parametrize(
    ("name", "near"),
    [("KUBE-SERVICE", "KUBE-SERVICES"), ("kube-svc-", "KUBE-SVC-"), ("KUBE-PSTROUTING", "KUBE-POSTROUTING"), ("kube-dsn", "nearest: kube-dns,")],
)
def test_an_unknown_chain_is_answered_with_the_nearest(name: str, near: str) -> None:
    shown = run("show", name, BASIC)
    assert shown.status == 2 and shown.out == ""
    assert f"there is no chain or Service {name}" in shown.err and near in shown.err


def test_a_title_breaks_before_its_dots(tmp_path: Path) -> None:
    dump = tmp_path / f"{'long' * 12}.txt"
    dump.write_bytes(BASIC.read_bytes())
    first, second, *_ = run("show", "KUBE-SERVICES", "--table", "nat", dump).out.splitlines()
    assert first.split()[:3] == ["KUBE-SERVICES", "·", "nat"] and " · line " not in " ".join(first.split())
    assert second.startswith("│  · /")


def test_an_unknown_table_is_answered_with_those_there_are() -> None:
    shown = run("show", "--table", "nut", BASIC)
    assert shown.status == 2 and "nat" in shown.err


def test_missing_input_is_reported() -> None:
    assert run("show", "KUBE-SERVICES", "no-such-file.txt").status == 2


def test_names_and_dumps_may_come_in_any_order() -> None:
    first, second = run("show", "KUBE-SERVICES", BASIC), run("show", BASIC, "KUBE-SERVICES")
    assert first.status == 0 and first.out == second.out
    piped = run("show", "KUBE-SERVICES", stdin=BASIC.read_text(encoding="utf-8"))
    assert piped.out.count("line") == first.out.count("line")


def test_words_that_are_files_or_paths_are_dumps() -> None:
    assert split_words(["KUBE-SERVICES", str(BASIC), "-", "gone.txt", "./some/where"]) == (
        ["KUBE-SERVICES"],
        [str(BASIC), "-", "gone.txt", "./some/where"],
    )
    assert split_words(["some/where"]) == ([], ["some/where"])
    assert split_words(["kube-system/kube-dns", "-"]) == (["kube-system/kube-dns"], ["-"])


@pytest.mark.parametrize(
    "text",
    [
        "iptables -t nat -I PREROUTING -p tcp -m comment --comment 'a b' -j REDIRECT --to-port 80",
        "sudo iptables -w 5 -t nat -I PREROUTING -p tcp -m comment --comment a\\ b -j REDIRECT --to 80",
        "+ iptables -w 5 -W 100000 -t nat -C PREROUTING -p tcp -m comment --comment 'a b' -j REDIRECT --to-ports 80",
        "root@node:~# iptables -t nat -A PREROUTING -p tcp -m comment --comment 'a b' -j REDIRECT --to-ports 80",
        "`iptables -t nat -A PREROUTING -p tcp -m comment --comment 'a b' -j REDIRECT --to-ports 80`",
        "-t nat -A PREROUTING -p tcp -m comment --comment 'a b' -j REDIRECT --to-port 80",
        "iptables -t nat -A PREROUTING \\\n  -p tcp -m comment --comment \"a b\" \\\n  -j REDIRECT --to-ports 80",
    ],
)
def test_a_rule_as_people_type_it(text: str) -> None:
    shown = run("show", "--rule", text)
    assert shown.status == 0
    assert "If a packet is TCP, it is redirected to this node itself, port 80 (REDIRECT)" in shown.out
    assert 'Comment: "a b"' in shown.out


def test_a_glob_shows_all_matches_in_every_family() -> None:
    document = json.loads(run("show", "KUBE-SVC-*", DUAL, "-o", "json").out)
    chains = document["chains"]
    assert document["schema"] == "ipt-explain/show/1"
    assert {chain["family"] for chain in chains} == {"ipv4", "ipv6"}
    assert all(chain["chain"].startswith("KUBE-SVC-") and chain["owner"]["name"] == "kube-proxy" for chain in chains)


def test_depth_shows_the_chains_below_each_once() -> None:
    document = json.loads(run("show", "KUBE-SVC-NPX46M4PTMTKRN6Y", BASIC, "--depth", "2", "-o", "json").out)
    names = [chain["chain"] for chain in document["chains"]]
    assert names[0] == "KUBE-SVC-NPX46M4PTMTKRN6Y" and "KUBE-MARK-MASQ" in names
    assert any(name.startswith("KUBE-SEP-") for name in names) and len(names) == len(set(names))


def test_json_of_a_chain_has_callers_rules_and_where_they_jump() -> None:
    (chain,) = json.loads(run("show", SERVICE, FRAGMENT, "-o", "json").out)["chains"]
    assert chain["callers"] == [{"chain": "KUBE-SERVICES", "line": 10, "goto": False}]
    assert chain["exists"] is True and chain["reached_from"] == []
    assert [rule["line"] for rule in chain["rules"]] == [13, 19, 21, 23]
    first = chain["rules"][0]
    assert first["jumps_to"] == "KUBE-SEP-BI762VOIAZZWU5S7" and first["packets"] is None
    assert first["conditions"] and first["sentence"].endswith(f"{first['after']}.")


def test_a_chain_that_is_only_jumped_to_is_unknown_in_a_fragment_and_missing_in_a_dump() -> None:
    fragment = json.loads(run("show", "KUBE-MARK-MASQ", FRAGMENT, "-o", "json").out)
    assert fragment["chains"][0]["exists"] is None
    dump = "*nat\n:PREROUTING ACCEPT [0:0]\n-A PREROUTING -j GONE\nCOMMIT\n"
    assert json.loads(run("show", "GONE", "-o", "json", stdin=dump).out)["chains"][0]["exists"] is False
    assert "does not exist" in run("show", "GONE", stdin=dump).out


def test_a_long_cycle_is_shortened_in_its_middle() -> None:
    declared = "".join(f":C{number} - [0:0]\n" for number in range(20))
    jumps = "".join(f"-A C{number} -j C{(number + 1) % 20}\n" for number in range(20))
    shown = run("show", "--width", "200", stdin=f"*filter\n:INPUT ACCEPT [0:0]\n{declared}{jumps}COMMIT\n").out
    ahead = " → ".join(f"C{number}" for number in range(11))
    assert f"cycle  {ahead} → … 8 more … → C19 → C0\n" in shown


def test_the_overview_names_what_is_odd() -> None:
    dump = (
        "*nat\n:PREROUTING ACCEPT [0:0]\n:A - [0:0]\n:B - [0:0]\n:LOST - [0:0]\n"
        "-A PREROUTING -j A\n-A A -j B\n-A B -j A\n-A LOST -j GONE\nCOMMIT\n"
    )
    shown = run("show", stdin=dump).out
    assert "cycle  A → B → A" in shown
    assert "not reached from any hook LOST" in shown
    assert "jumped to, but missing GONE (line 9)" in shown
    (table,) = json.loads(run("show", "-o", "json", stdin=dump).out)["tables"]
    assert table["cycles"] == [["A", "B"]] and table["unreachable"] == ["LOST"]
    assert table["owners"] == [{"name": None, "chains": 3, "rules": 3, "names": {"A": 1, "B": 1, "LOST": 1}}]


def test_counters_are_shown_where_the_dump_has_them() -> None:
    dump = "*filter\n:INPUT DROP [0:0]\n[7:420] -A INPUT -j ACCEPT\nCOMMIT\n"
    assert "[7 packets, 420 bytes]" in run("show", "INPUT", stdin=dump).out


@pytest.mark.parametrize("arguments", [["show"], ["show", "INPUT"], ["show", "*"], ["show", "INPUT", "-o", "json"]])
def test_nothing_from_a_dump_reaches_the_terminal_raw(arguments: list[str]) -> None:
    shown = run(*arguments, stdin=HOSTILE)
    assert shown.status == 0, shown.err
    assert not any(character in shown.out + shown.err for character in "\x1b\x07\u202e\udcff")
    assert "[red]x[/red]" in shown.out


def test_colour_changes_no_text() -> None:
    plain = run("show", SERVICE, FRAGMENT, "--width", "100")
    coloured = run("show", SERVICE, FRAGMENT, "--width", "100", "--color", "always")
    assert "\x1b[" in coloured.out and "\x1b[" not in plain.out


@pytest.mark.parametrize(
    "name",
    [
        "kube-dns", "kube-system/kube-dns", "kube-system/kube-dns:dns", "svc/kube-dns", "kube-dns.kube-system",
        "kube-dns.kube-system.svc.cluster.local", "10.96.0.10:53", "10.96.0.10:53/udp",
    ],
)  # fmt: skip
def test_a_service_stands_for_its_chains(name: str) -> None:
    shown = run("show", name, BASIC, "-o", "json")
    assert shown.status == 0
    chains = {chain["chain"] for chain in json.loads(shown.out)["chains"]}
    assert "KUBE-SVC-TCOU7JCQXEZGVUNU" in chains
    assert all(chain.startswith(("KUBE-SVC-", "KUBE-SEP-")) for chain in chains)


def test_an_address_that_no_service_has_is_no_chain() -> None:
    assert run("show", "10.96.0.10:54", BASIC).status == 2


def test_a_chain_of_nftables_mode_with_slashes_is_no_file() -> None:
    chain = "service-FY5PMXPG-kube-system/kube-dns/udp/dns"
    assert split_words([chain, "endpoint-*/kube-dns/udp/*", "-"]) == ([chain, "endpoint-*/kube-dns/udp/*"], ["-"])
    assert split_words(["service-dumps/node-1"]) == ([], ["service-dumps/node-1"])


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("-A KUBE-POSTROUTING -j RETURN", "returns to the calling chain."),
        ("-A POSTROUTING -j RETURN", "leaves this chain, and its policy applies."),
        ("-p tcp -j RETURN", "returns to the calling chain (in a built-in chain: to its policy)."),
    ],
)
def test_where_a_return_leads_is_said_as_far_as_the_chain_is_known(rule: str, words: str) -> None:
    assert run("show", "--rule", rule, "--width", "200").out.splitlines()[0].endswith(words)
