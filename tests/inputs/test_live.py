"""`--live`: which of the machine's tools are run, and what is said of those that could not be."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ipt_explain.cli.main import run
from ipt_explain.errors import UsageError
from ipt_explain.inputs.files import InputText
from ipt_explain.inputs.live import LiveRules, read_live
from ipt_explain.inputs.live.output import Failure
from ipt_explain.inputs.live.saving import as_one_file, is_such_a_file
from ipt_explain.parsing import read_dump
from tests.compare.helpers import scenario

NFT = "iptables-save v1.8.9 (nf_tables)"
LOOPBACK = "1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN group default qlen 1000\n    inet 127.0.0.1/8 scope host lo"
PRINTS = "echo '*nat'; echo COMMIT"

Machine = Callable[..., LiveRules]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Reads a machine that has just these tools (a shell line each) and legacy tables."""

    def read(tools: dict[str, str], tables: str | None = "nat\n", timeout: float = 30, plain_version: str = NFT) -> LiveRules:
        folder, proc = tmp_path / "bin", tmp_path / "net"
        folder.mkdir()
        proc.mkdir()
        for name, line in tools.items():
            script = folder / name
            script.write_text(f'#!/bin/sh\nif [ "$1" = --version ]; then echo "{plain_version}"; exit; fi\n{line}\n')
            script.chmod(0o755)
        if tables is not None:
            (proc / "ip_tables_names").write_text(tables)
            (proc / "ip6_tables_names").write_text(tables)
        (proc / "if_inet6").touch()
        return read_live(str(folder), proc, timeout)

    return read


def failures(rules: LiveRules) -> list[str]:
    return [f"{failed.name}: {failed.reason}" for failed in rules.failed]


def names(rules: LiveRules) -> list[str]:
    return [found.name for found in rules.inputs]


def test_both_families_and_both_interfaces_are_read_once(machine: Machine) -> None:
    rules = machine(
        dict.fromkeys(
            [f"{family}{kind}" for family in ("iptables", "ip6tables") for kind in ("-save", "-legacy-save", "-nft-save")],
            PRINTS,
        )
    )
    assert names(rules) == ["iptables-save", "iptables-legacy-save", "ip6tables-save", "ip6tables-legacy-save"]
    assert rules.inputs[0].text == "*nat\nCOMMIT\n"
    assert list(rules.notes) == [
        "read iptables-save (nf_tables), iptables-legacy-save (legacy), ip6tables-save (nf_tables), ip6tables-legacy-save (legacy)"
    ]


def test_counters_are_requested(machine: Machine) -> None:
    rules = machine({"iptables-save": 'echo "# $1"', "ip6tables-save": PRINTS})
    assert rules.inputs[0].text == "# -c\n"


def test_tools_that_fail_are_named_as_the_cause(machine: Machine) -> None:
    lock = "Another app is currently holding the xtables lock"
    with pytest.raises(UsageError) as found:
        machine({"iptables-save": f"echo '{lock}' >&2; exit 4", "ip6tables-save": "exit 3"})
    assert str(found.value) == (
        f"--live could not read the rules:\n  iptables-save: {lock}\n  ip6tables-save: it ended with status 3"
    )


def test_a_machine_without_the_plain_name(machine: Machine) -> None:
    rules = machine({"iptables-nft-save": PRINTS})
    assert names(rules) == ["iptables-nft-save"]
    assert "ip6tables-save: not found on this machine" in rules.notes


def test_a_plain_tool_that_is_the_legacy_one_is_run_once(machine: Machine) -> None:
    tools = dict.fromkeys(["iptables-save", "iptables-legacy-save", "iptables-nft-save"], PRINTS)
    rules = machine(tools, plain_version="iptables-save v1.6.1")
    assert rules.notes[0] == "read iptables-save (legacy), iptables-nft-save (nf_tables)"


def test_legacy_tools_are_not_run_where_the_kernel_has_no_legacy_tables(machine: Machine, tmp_path: Path) -> None:
    trace = tmp_path / "was-run"
    rules = machine({"iptables-save": PRINTS, "iptables-legacy-save": f"touch {trace}"}, tables=None)
    assert names(rules) == ["iptables-save"]
    assert "iptables-legacy-save: not run, as the kernel has no legacy tables here" in rules.notes
    assert not trace.exists()


def test_warnings_are_passed_on_but_not_the_one_about_the_other_interface(machine: Machine) -> None:
    rules = machine({
        "iptables-save": f"{PRINTS}; echo '# Warning: table is odd' >&2",
        "ip6tables-save": f"{PRINTS}; echo '# Warning: ip6tables-legacy tables present, use ip6tables-legacy-save' >&2",
    })
    assert rules.notes[1:] == ("iptables-save: # Warning: table is odd",)


def test_one_tool_without_rights_does_not_hide_the_other(machine: Machine) -> None:
    rules = machine({"iptables-save": PRINTS, "ip6tables-save": "echo 'Could not fetch rules: Permission denied' >&2; exit 4"})
    assert names(rules) == ["iptables-save"]
    assert failures(rules) == ["ip6tables-save: Could not fetch rules: Permission denied"]


def test_no_tool_with_rights_says_what_right_is_missing(machine: Machine) -> None:
    refuses = "echo 'iptables-save v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied' >&2; exit 4"
    with pytest.raises(UsageError, match=r"run it as root \(sudo\), or with CAP_NET_ADMIN\n  iptables-save: .*Permission denied"):
        machine({"iptables-save": refuses, "ip6tables-save": refuses})


def test_no_tool_at_all(machine: Machine) -> None:
    with pytest.raises(UsageError, match=r"is iptables installed\?\n  iptables-save: not found on this machine"):
        machine({})


def test_tools_without_output(machine: Machine) -> None:
    with pytest.raises(UsageError, match="the node's own network namespace"):
        machine({"iptables-save": "true", "ip6tables-save": "true"})


def test_a_tool_that_hangs(machine: Machine) -> None:
    rules = machine({"iptables-save": "exec sleep 60", "ip6tables-save": PRINTS}, timeout=0.5)
    assert names(rules) == ["ip6tables-save"]
    assert failures(rules) == ["iptables-save: no answer within 0.5 seconds"]


def test_a_tool_that_prints_without_end(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IPT_EXPLAIN_MAX_INPUT_BYTES", "1M")
    rules = machine({"iptables-save": "exec yes", "ip6tables-save": PRINTS})
    assert names(rules) == ["ip6tables-save"]
    assert failures(rules) == ["iptables-save: it printed more than 1 MiB; IPT_EXPLAIN_MAX_INPUT_BYTES sets another limit"]


def test_a_tool_that_complains_without_end(machine: Machine) -> None:
    rules = machine({"iptables-save": "yes no >&2", "ip6tables-save": PRINTS}, timeout=0.5)
    assert failures(rules) == ["iptables-save: no answer within 0.5 seconds"]


@pytest.mark.parametrize("entry", ["", ".", "bin"])
def test_no_tool_of_the_current_folder_is_run(entry: str, machine: Machine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError):
        machine({})
    for folder in (tmp_path, tmp_path / "bin"):
        (folder / "iptables-save").write_text(f"#!/bin/sh\ntouch {tmp_path}/was-run\n{PRINTS}\n")
        (folder / "iptables-save").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match="iptables-save: not found on this machine"):
        read_live(entry, tmp_path / "net")
    assert not (tmp_path / "was-run").exists()


def test_a_tool_that_fails_silently(machine: Machine) -> None:
    rules = machine({"iptables-save": "exit 7", "ip6tables-save": PRINTS})
    assert failures(rules) == ["iptables-save: it ended with status 7"]


def test_a_file_that_is_no_program(machine: Machine, tmp_path: Path) -> None:
    (tmp_path / "extra").mkdir()
    rules = machine({"iptables-save": PRINTS, "ip6tables-nft-save": "\n"})
    broken = tmp_path / "bin" / "ip6tables-nft-save"
    broken.write_bytes(b"\x7fELF")
    rules = read_live(str(tmp_path / "bin"), tmp_path / "net")
    assert failures(rules)[0].startswith("ip6tables-nft-save: cannot be run: ")


NFT_TABLES = """
case "$*" in
"list tables") printf 'table ip nat\\ntable ip kube-proxy\\n';;
"list ruleset") printf 'table ip nat {\\n}\\ntable ip kube-proxy {\\n}\\n';;
"list table ip kube-proxy") printf 'table ip kube-proxy {\\n}\\n';;
esac"""


def test_nft_lists_tables_that_no_iptables_save_showed(machine: Machine) -> None:
    generated = f"echo '# Generated by {NFT} on Wed Nov 25 18:00:00 2026'; {PRINTS}"
    rules = machine({"iptables-save": generated, "nft": NFT_TABLES})
    assert names(rules) == ["iptables-save", "nft"]
    assert rules.inputs[1].text == "table ip kube-proxy {\n}\n"
    assert rules.notes[0] == "read iptables-save (nf_tables), nft (ip kube-proxy)"


def test_nft_alone_is_enough(machine: Machine) -> None:
    rules = machine({"nft": NFT_TABLES})
    assert names(rules) == ["nft"]
    assert rules.inputs[0].text.startswith("table ip nat {")


def test_sets_are_read_if_rules_name_some(machine: Machine) -> None:
    names_a_set = "echo '*nat'; echo '-A KUBE-SERVICES -m set --match-set KUBE-CLUSTER-IP dst,dst -j ACCEPT'; echo COMMIT"
    ipset = 'echo "create $1 hash:ip"'
    assert names(machine({"iptables-save": names_a_set, "ipset": ipset})) == ["iptables-save", "ipset"]


def test_no_tool_is_run_that_would_only_load_a_module(machine: Machine, tmp_path: Path) -> None:
    trace = tmp_path / "was-run"
    rules = machine({"iptables-save": PRINTS, "ipset": f"touch {trace}", "ipvsadm": f"touch {trace}"})
    assert names(rules) == ["iptables-save"]
    assert not trace.exists()


def test_virtual_servers_are_read_if_the_kernel_has_ipvs(machine: Machine, tmp_path: Path) -> None:
    tools = {"iptables-save": PRINTS, "ipvsadm": 'echo "$*"', "ip": 'echo "$*"'}
    machine(tools)
    (tmp_path / "net" / "ip_vs").touch()
    rules = read_live(str(tmp_path / "bin"), tmp_path / "net")
    assert [(found.name, found.text) for found in rules.inputs[1:]] == [("ipvsadm", "-Sn\n"), ("ip", "addr\n")]


def test_without_ipvsadm_the_kernels_own_list_is_read(machine: Machine, tmp_path: Path) -> None:
    machine({"iptables-save": PRINTS})
    (tmp_path / "net" / "ip_vs").write_text("TCP  0A600001:01BB rr \n")
    rules = read_live(str(tmp_path / "bin"), tmp_path / "net")
    assert (rules.inputs[1].name, rules.inputs[1].text) == (f"{tmp_path}/net/ip_vs", "TCP  0A600001:01BB rr \n")


def test_the_kernels_list_shows_that_there_are_no_virtual_servers(machine: Machine, tmp_path: Path) -> None:
    machine({"iptables-save": PRINTS, "ipvsadm": "true"})
    heading = "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n"
    (tmp_path / "net" / "ip_vs").write_text(heading)
    rules = read_live(str(tmp_path / "bin"), tmp_path / "net")
    assert (rules.inputs[1].name, rules.inputs[1].text) == (f"{tmp_path}/net/ip_vs", heading)


def test_a_missing_tool_is_named(machine: Machine) -> None:
    names_a_set = "echo '*nat'; echo '-A KUBE-SERVICES -m set --match-set S dst,dst -j ACCEPT'; echo COMMIT"
    assert "ipset: not found on this machine, though the rules name IP sets" in machine({"iptables-save": names_a_set}).notes


TOOLS = ("iptables-legacy-save", "iptables-nft-save", "ip6tables-legacy-save", "ip6tables-nft-save", "unshare")
SEARCH = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
MISSING = [tool for tool in TOOLS if shutil.which(tool, path=SEARCH) is None]


@pytest.mark.skipif(os.geteuid() != 0, reason="making a network namespace takes root")
@pytest.mark.skipif(bool(MISSING), reason=f"not installed: {', '.join(MISSING)}")
def test_the_real_tools_in_a_network_namespace_of_our_own() -> None:
    """Rules in both interfaces and both families; each is read, once."""
    script = """
    set -e
    iptables-legacy -t nat -A PREROUTING -d 10.96.0.1/32 -p tcp --dport 443 -m comment --comment legacy4 -j RETURN
    iptables-nft -t nat -A PREROUTING -d 10.96.0.2/32 -p tcp --dport 443 -m comment --comment nft4 -j RETURN
    ip6tables-legacy -t nat -A PREROUTING -d fd00::1/128 -m comment --comment legacy6 -j RETURN
    ip6tables-nft -t nat -A PREROUTING -d fd00::2/128 -m comment --comment nft6 -j RETURN
    exec "$0" -c '
from ipt_explain.inputs.live import read_live
rules = read_live()
print("\\n".join(found.text for found in rules.inputs))
print("\\n".join("NOTE " + note for note in rules.notes))
'
    """
    done = subprocess.run(
        ["unshare", "-n", "sh", "-c", script, sys.executable],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": SEARCH},
        cwd=Path(__file__).parents[2],
    )
    if "an't initialize" in done.stderr or "does not exist" in done.stderr:
        pytest.skip(f"this kernel lacks one of the interfaces: {done.stderr.strip()}")
    assert done.returncode == 0, done.stderr
    for word in ("legacy4", "nft4", "legacy6", "nft6"):
        assert done.stdout.count(f"--comment {word} ") == 1
    notes = [line for line in done.stdout.splitlines() if line.startswith("NOTE ")]
    assert len(notes) == 1
    assert notes[0].count("(nf_tables)") == notes[0].count("(legacy)") == 2


def test_all_output_is_saved_as_one_file() -> None:
    rules = LiveRules((InputText("iptables-save", "*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n"), InputText("ip", LOOPBACK)), ())
    file = as_one_file(rules, "node.txt")
    assert file.name == "node.txt"
    assert file.text.split("\n", 1)[1] == "*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n" + LOOPBACK + "\n"
    assert is_such_a_file(file.text.encode()) and not is_such_a_file(b"*nat\n")
    dump = read_dump(file.text, source=file.name)
    assert dump.rulesets[0].tables["nat"].chains["PREROUTING"].line == 3
    assert not dump.warnings


WHOLE = "*nat\n:PREROUTING ACCEPT [0:0]\nCOMMIT\n*filter\n:FORWARD ACCEPT [0:0]\nCOMMIT\n"
WITHOUT_IPV6 = LiveRules(
    (InputText("iptables-save", f"# Generated by {NFT} on Wed Nov 25 18:00:00 2026\n{WHOLE}"),),
    (),
    (Failure("ip6tables-save", "Permission denied"),),
)
UNKNOWN = "ip6tables-save failed, so this node's IPv6 rules are unknown: Permission denied"


@pytest.mark.parametrize("saved", [False, True])
def test_every_command_warns_of_rules_that_could_not_be_read(
    saved: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("ipt_explain.inputs.live.read_live", lambda: WITHOUT_IPV6)
    path = tmp_path / "node.txt"
    given = ["--live", *(["--save", str(path)] if saved else [])]
    place = f"{path}: " if saved else ""
    to_ipv4 = ["trace", "--from", "10.0.0.1", "--to", "10.0.0.2:80"]
    for command, status in ((["explain"], 0), (["audit", "--no-config"], 1), (to_ipv4, 0), (["show", "FORWARD"], 0)):
        assert run([*command, *given]) == status
        assert f"warning: {place}{UNKNOWN}\n" in capsys.readouterr().err
    assert run(["audit", "--no-config", "--fail-on", "never", *given]) == 0
    assert "IPv6 rules are unknown" in capsys.readouterr().out
    assert run(["explain", "-o", "json", *given]) == 0
    assert f"{place}{UNKNOWN}" in json.loads(capsys.readouterr().out)["warnings"]
    assert run(["trace", "--from", "fd00::1", "--to", "[fd00::2]:80", *given]) == 2
    assert "the dump has no IPv6 rules (ip6tables-save failed), and fd00::2 is IPv6" in capsys.readouterr().err


def test_rules_that_could_not_be_read_never_count_as_equal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before, after = tmp_path / "before.txt", tmp_path / "after.txt"
    before.write_text(as_one_file(WITHOUT_IPV6, "").text + "\n")
    after.write_text(WITHOUT_IPV6.inputs[0].text)
    for two in ([str(before), str(after)], [str(after), str(before)], [str(before), str(before)]):
        assert run(["compare", *two]) == 1
        assert UNKNOWN in capsys.readouterr().err
        assert run(["compare", "-o", "json", *two]) == 1
        assert json.loads(capsys.readouterr().out)["equal"] is False
    assert run(["compare", "--width", "400", str(after), str(before)]) == 1
    assert f"but the IPv6 rules of {before} are unknown" in capsys.readouterr().out
    assert run(["compare", "--fail-on", "never", str(after), str(before)]) == 0
    capsys.readouterr()
    assert run(["compare", "--nodes", str(after), str(before)]) == 1
    assert UNKNOWN in capsys.readouterr().out.replace("\n    ", " ")


@pytest.mark.parametrize("message", ["ip6tables-save v1.8.9 (nf_tables): no", "ip6tables-save: no", "# ip6tables-save failed: no"])
def test_error_messages_among_the_rules_say_which_rules_are_unknown(message: str) -> None:
    dump = read_dump(f"{WHOLE}{message}\n", source="node.txt")
    assert [str(failed) for failed in dump.failed] == ["ip6tables-save failed, so this node's IPv6 rules are unknown: no"]
    assert dump.warnings == ("node.txt: ip6tables-save failed, so this node's IPv6 rules are unknown: no",)


def test_without_ipv6_in_the_kernel_no_rules_are_unknown() -> None:
    assert not read_dump(f"{WHOLE}ip6tables-save v1.8.9 (nf_tables): Address family not supported by protocol\n").failed


def test_what_could_not_be_read_is_not_as_the_objects_want_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    capture = scenario("1.30/basic")
    dump, objects = tmp_path / "node.txt", tmp_path / "objects.json"
    objects.write_text(json.dumps(capture.objects))
    dump.write_text(capture.ipv4)
    assert run(["compare", "--objects", str(objects), str(dump), "--no-config"]) == 0
    dump.write_text(f"{capture.ipv4}# ip6tables-save failed: Permission denied\n")
    assert run(["compare", "--objects", str(objects), str(dump), "--no-config"]) == 1
    assert "IPv6 rules are unknown" in capsys.readouterr().out


def test_a_first_attempt_without_sudo_leaves_nothing_unknown() -> None:
    dump = read_dump(f"iptables-save v1.8.9 (nf_tables): Permission denied\n{WHOLE}", source="node.txt")
    assert not dump.failed


def test_no_ipv6_rules_are_lost_where_the_kernel_has_no_ipv6(machine: Machine, tmp_path: Path) -> None:
    machine({"iptables-save": PRINTS, "ip6tables-save": "echo 'Address family not supported' >&2; exit 1"})
    (tmp_path / "net" / "if_inet6").unlink()
    rules = read_live(str(tmp_path / "bin"), tmp_path / "net")
    assert not rules.failed
    assert rules.notes[1].startswith("ip6tables-save: Address family not supported; no rules are lost")


def test_saving_overwrites_only_an_earlier_save(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    rules = LiveRules((InputText("iptables-save", "*filter\n:INPUT ACCEPT [0:0]\n-A INPUT -j DROP\nCOMMIT\n"),), ())
    monkeypatch.setattr("ipt_explain.inputs.live.read_live", lambda: rules)
    path = tmp_path / "node.txt"
    for _ in range(2):
        assert run(["show", "INPUT", "--live", "--save", str(path)]) == 0
        assert "line 4" in capsys.readouterr().out
        assert "-A INPUT -j DROP" in path.read_text()
    path.write_text("precious\n")
    assert run(["show", "INPUT", "--live", "--save", str(path)]) == 2
    assert "save to another file" in capsys.readouterr().err
    assert path.read_text() == "precious\n"
    assert run(["show", "INPUT", "--save", str(path), str(path)]) == 2
    assert "add --live" in capsys.readouterr().err
