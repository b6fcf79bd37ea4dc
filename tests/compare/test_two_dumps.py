"""Two dumps: what is noise is nothing, and each change of meaning is that change and no other."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from ipt_explain.compare.differences import DifferenceKind
from ipt_explain.compare.dumps import compare_nodes
from tests.compare.helpers import changed, compared, scenario, shuffled, view, without
from tests.kube_corpus import Scenario, scenarios

EACH_SCENARIO = pytest.mark.parametrize("capture", scenarios(), ids=lambda capture: capture.id)

SAMPLES = Path(__file__).parents[2] / "samples"
MARKED = '-m comment --comment "demo/nginx-web-1:" \\\n'
POLICY = "1.30/policy"
BALANCER = "1.30/loadbalancer"


@EACH_SCENARIO
def test_order_and_comments_are_noise(capture: Scenario) -> None:
    for name, text in capture.dumps.items():
        if "-c" not in name:
            assert compared(text, shuffled(text, seed=1, comments="ip6tables" in name)).differences == ()


@pytest.mark.parametrize("name", ["basic", "affinity", "dual-stack"])
def test_both_backends_do_the_same(name: str) -> None:
    nft, legacy = scenario(f"1.30/{name}"), scenario(f"1.30/{name}-legacy")
    assert compared(nft.ipv4, legacy.ipv4).differences == ()


@pytest.mark.parametrize(("older", "newer"), [("1.18", "1.22"), ("1.22", "1.24"), ("1.24", "1.27"), ("1.27", "1.30")])
@pytest.mark.parametrize("name", ["basic", "nodeport", "affinity", "counts", "shared"])
def test_releases_that_write_the_same_differently_are_equal(older: str, newer: str, name: str) -> None:
    found = compared(scenario(f"{older}/{name}").ipv4, scenario(f"{newer}/{name}").ipv4)
    # kube-proxy from 1.21 accepts health checks by a rule of its own.
    other = [each for each in found.differences if each.subject != "health check node port"]
    assert [each.message for each in other if each.service is not None] == []


# What is done to a dump, and the differences that it makes: kind, service, subject.
Change = Callable[[str], str]
Found = set[tuple[str, str | None, str | None]]
CHANGES: list[tuple[str, str, Change, Found]] = [
    (
        "a probability",
        POLICY,
        lambda text: changed(text, r"^(-A KUBE-SVC-7AZ64RN3BZ2QJCPH .*--probability )0\.5", r"\g<1>0.7"),
        {("probability", "default/etp-local-all", "all endpoints")},
    ),
    (
        "a leak",
        POLICY,
        lambda text: changed(
            text, r"^(-A KUBE-SVC-7AZ64RN3BZ2QJCPH -m comment --comment \S+ -> \S+) (-j)", r"\1 -m statistic --mode random --probability 0.5 \2"
        ),
        {("probability", "default/etp-local-all", "all endpoints")},
    ),
    (
        "an endpoint's address",
        POLICY,
        lambda text: text.replace("10.244.2.13", "10.244.2.99"),
        {
            ("endpoint-removed", "default/etp-local-aff", None),
            ("endpoint-added", "default/etp-local-aff", None),
        },
    ),
    (
        "an affinity timeout",
        POLICY,
        lambda text: text.replace("--seconds 900", "--seconds 901"),
        {("affinity", "default/etp-local-aff", None)},
    ),
    (
        "one affinity rule's timeout",
        POLICY,
        lambda text: changed(text, "--seconds 900", "--seconds 901"),
        {("affinity", "default/etp-local-aff", None)},
    ),
    (
        "an affinity record",
        POLICY,
        lambda text: changed(text, r"-m recent --set --name \S+ --mask \S+ --rsource ", ""),
        {("affinity", "default/etp-local-aff", None)},
    ),
    (
        "a hairpin rule",
        POLICY,
        lambda text: without(text, r"-s 10\.244\.1\.7/32 .*KUBE-MARK-MASQ"),
        {("masquerade", "default/etp-local-all", "hairpin")},
    ),
    (
        "masquerading from outside",
        POLICY,
        lambda text: without(text, r"-A KUBE-SVC-7AZ64RN3BZ2QJCPH ! -s 10\.244\.0\.0/16"),
        {("masquerade", "default/etp-local-all", "ClusterIP")},
    ),
    (
        "masquerading of external connections",
        POLICY,
        lambda text: without(text, r"-A KUBE-EXT-VPMWIAR4MWIFFBGK .*-j KUBE-MARK-MASQ"),
        {("masquerade", "default/etp-local-aff", "external addresses")},
    ),
    (
        "a REJECT that is a DROP",
        POLICY,
        lambda text: changed(text, r"(itp-local-0 has no endpoints.*-j )REJECT --reject-with \S+", r"\1DROP"),
        {("verdict", "default/itp-local-0", "ClusterIP 10.96.0.22:80")},
    ),
    (
        "a node port",
        POLICY,
        lambda text: text.replace("--dport 30025 ", "--dport 30999 "),
        {
            ("frontend-removed", "default/etp-local-all", "NodePort 30025"),
            ("frontend-added", "default/etp-local-all", "NodePort 30999"),
        },
    ),
    (
        "a health check node port",
        POLICY,
        lambda text: without(text, r"--dport 30031 -j ACCEPT"),
        {("frontend-removed", "default/etp-local-all", "health check node port")},
    ),
    (
        "a load balancer's address",
        POLICY,
        lambda text: without(text, r"-A KUBE-SERVICES -d 203\.0\.113\.32/32"),
        {("frontend-removed", "default/etp-local-all", "LoadBalancer 203.0.113.32:80")},
    ),
    (
        "an external policy",
        POLICY,
        lambda text: "".join(
            line
            for line in text.replace(
                "-j KUBE-SVL-VPMWIAR4MWIFFBGK", "-j KUBE-SVC-VPMWIAR4MWIFFBGK"
            ).splitlines(keepends=True)
            if not line.startswith(("-A KUBE-SVL-VPMWIAR4MWIFFBGK", ":KUBE-SVL-VPMWIAR4MWIFFBGK"))
            and not (line.startswith("-A KUBE-EXT-VPMWIAR4MWIFFBGK") and ("pod traffic" in line or "route LOCAL" in line))
        ),
        {("policy", "default/etp-local-aff", "external traffic policy")},
    ),
    (
        "a service",
        POLICY,
        lambda text: without(without(text, r"-A KUBE-SERVICES -d 10\.96\.0\.17/32"), "-d 10.96.0.17/32 .*KUBE-MARK-MASQ"),
        {("service-removed", "default/itp-local", None)},
    ),
    (
        "a hook",
        POLICY,
        lambda text: without(text, r"-A PREROUTING .*-j KUBE-SERVICES"),
        {("hook", None, "nat PREROUTING"), ("fate", None, "nat PREROUTING")},
    ),
    (
        "a hook behind another rule",
        POLICY,
        lambda text: changed(text, r"^(-A OUTPUT .*-j KUBE-SERVICES)$", r"-A OUTPUT -j MINE\n\1"),
        {("foreign-rules", None, "filter OUTPUT"), ("fate", None, "filter OUTPUT")},
    ),
    (
        "a policy of a built-in chain",
        POLICY,
        lambda text: changed(text, r"^:FORWARD ACCEPT", ":FORWARD DROP"),
        {("chain-policy", None, "mangle FORWARD"), ("fate", None, "mangle FORWARD")},
    ),
    (
        "the mark",
        POLICY,
        lambda text: text.replace("-A KUBE-MARK-MASQ -j MARK --set-xmark 0x4000/0x4000", "-A KUBE-MARK-MASQ -j MARK --set-xmark 0x8/0x8"),
        {("masquerade", None, "nat KUBE-MARK-MASQ"), ("masquerade", None, "marks")},
    ),
    (
        "masquerading altogether",
        POLICY,
        lambda text: without(text, r"-A KUBE-POSTROUTING .*MASQUERADE"),
        {("masquerade", None, "nat KUBE-POSTROUTING"), ("masquerade", None, "marks")},
    ),
    (
        "the guard of invalid packets",
        POLICY,
        lambda text: without(text, r"-A KUBE-FORWARD -m conntrack --ctstate INVALID"),
        {("verdict", None, "filter KUBE-FORWARD")},
    ),
    (
        "the way to node ports",
        POLICY,
        lambda text: without(text, r"-A KUBE-SERVICES .*-j KUBE-NODEPORTS"),
        {("verdict", None, "nat KUBE-SERVICES"), ("fate", None, "nat KUBE-SERVICES")},
    ),
    (
        "a neighbour's rule",
        POLICY,
        lambda text: changed(text, r"^COMMIT", "-A DOCKER-USER -s 192.0.2.1/32 -j DROP\nCOMMIT"),
        {("foreign-rules", None, "mangle DOCKER-USER")},
    ),
    (
        "a source range",
        BALANCER,
        lambda text: changed(text, r"^(-A KUBE-FW-\S+ -s )198\.51\.100\.0/24", r"\g<1>198.51.100.0/25"),
        {("source-ranges", "", None)},
    ),
]  # fmt: skip


@pytest.mark.parametrize(("what", "capture", "change", "expected"), CHANGES, ids=[each[0] for each in CHANGES])
def test_a_change_of_meaning_is_the_only_difference(what: str, capture: str, change: Change, expected: Found) -> None:
    text = scenario(capture).ipv4
    found = compared(text, change(text)).differences
    if ("source-ranges", "", None) in expected:
        assert [each.kind for each in found] == [DifferenceKind.SOURCE_RANGES], [each.message for each in found]
        return
    assert {(each.kind.value, each.service, each.subject) for each in found} == expected, [
        each.message for each in found
    ]


# A comment alone, and the second of two equal rules that kube-proxy up to 1.22 wrote, do nothing.
_NOTHING = re.compile(r'-A KUBE-FW-\S+ -m comment --comment "[^"]*"$|-A KUBE-FORWARD .*RELATED,ESTABLISHED -j ACCEPT$')


@pytest.mark.parametrize("capture", ["1.30/loadbalancer", "1.22/policy"])
def test_no_rule_goes_unnoticed(capture: str) -> None:
    """Each rule that goes (here every sixth) is a difference of one service port, or of the node alone; one of the node
    may also lose connections of service ports.
    """
    text = scenario(capture).ipv4
    lines = text.splitlines(keepends=True)
    before = view(text)
    for index, line in list(enumerate(lines))[::6]:
        if line.startswith("-A ") and not _NOTHING.match(line.rstrip()):
            found = compare_nodes(before, view("".join(lines[:index] + lines[index + 1 :]))).differences
            subjects = {each.service for each in found if each.kind is not DifferenceKind.FATE}
            losing = {each.service for each in found if each.kind is DifferenceKind.FATE}
            assert len(subjects or losing) == 1, line
            assert not subjects or losing <= subjects or subjects == {None}, line


_WORDS: list[tuple[str, Callable[[re.Match[str]], str]]] = [
    (r"(?<=-[sd] )\d+\.\d+(?=\.\d+\.\d+/)", lambda found: f"1{found[0]}"[:4].replace(".", "1") + ".0"),
    (r"(?<=--to-destination )\S+", lambda found: found[0] + "1"),
    (r"(?<=--probability )\S+", lambda found: "0.12300000000"),
    (r"(?<=--dport )\d+", lambda found: str(int(found[0]) + 11)),
    (r"(?<=--seconds )\d+", lambda found: found[0] + "1"),
    (r"0x4000/0x4000", lambda found: "0x1/0x1"),
    (r"(?<=-type )LOCAL", lambda found: "UNICAST"),
    (r"(?<= )! ", lambda found: ""),
    (r"(?<=-j )(ACCEPT|RETURN)$", lambda found: "DROP"),
    (r"(?<=-j )(DROP|REJECT.*)$", lambda found: "ACCEPT"),
]


@pytest.mark.parametrize("capture", ["1.30/policy", "1.18/nodeport"])
@pytest.mark.parametrize(("pattern", "other"), _WORDS, ids=[pattern for pattern, _ in _WORDS])
def test_no_changed_word_goes_unnoticed(capture: str, pattern: str, other: Callable[[re.Match[str]], str]) -> None:
    """An address, port, chance, time, mark or verdict that is another one, in every fourth rule that has it."""
    text = scenario(capture).ipv4
    before = view(text)
    places = [found for found in re.finditer(pattern, text, re.MULTILINE) if text.rfind("\n-A ", 0, found.start()) > 0]
    for found in places[::4]:
        after = text[: found.start()] + other(found) + text[found.end() :]
        assert compare_nodes(before, view(after)).differences, text[: found.end()].rpartition("\n")[2]


def test_swapped_dumps_give_the_opposite_differences() -> None:
    before, after = scenario("1.30/basic").ipv4, scenario("1.30/nodeport").ipv4
    there, back = compared(before, after).differences, compared(after, before).differences
    assert len(there) == len(back)
    assert sum(each.kind is DifferenceKind.SERVICE_ADDED for each in there) == sum(
        each.kind is DifferenceKind.SERVICE_REMOVED for each in back
    )


def test_kube_jumps_among_themselves_have_no_order() -> None:
    text = scenario(POLICY).ipv4
    hooks = [line for line in text.splitlines() if line.startswith("-A INPUT ")]
    assert len(hooks) > 2
    turned = text.replace("\n".join(hooks), "\n".join(reversed(hooks)))
    assert turned != text
    assert compared(text, turned).differences == ()


def test_a_hook_that_moved_past_a_common_rule_is_reported() -> None:
    text = changed(scenario(POLICY).ipv4, r"^(-A OUTPUT .*-j KUBE-SERVICES)$", r"-A OUTPUT -d 10.0.0.0/8 -j ACCEPT\n\1")
    lines = text.splitlines(keepends=True)
    index = next(number for number, line in enumerate(lines) if line.startswith("-A OUTPUT -d 10.0.0.0/8"))
    lines[index], lines[index + 1] = lines[index + 1], lines[index]
    found = compared(text, "".join(lines)).differences
    # Ahead of the refusals, the rule lets connections to Services without endpoints go on.
    told = {(each.kind.value, each.subject) for each in found}
    assert told == {("hook", "filter OUTPUT"), ("fate", "filter OUTPUT")}


def test_a_service_has_its_name_though_one_dump_lacks_comments() -> None:
    text = scenario("1.30/basic").ipv4
    bare = shuffled(without(text, "-A KUBE-SVC-TCOU7JCQXEZGVUNU .*--probability"), seed=2, comments=False)
    for before, after in ((text, bare), (bare, text)):
        assert {each.service for each in compared(before, after).differences} == {"kube-system/kube-dns:dns"}


def test_what_a_fragment_lacks_is_not_reported() -> None:
    text = scenario(POLICY).ipv4
    fragment = "".join(line for line in text.splitlines(keepends=True) if "etp-local-all" in line)
    found = compared(text, fragment)
    assert [each for each in found.differences if each.kind is DifferenceKind.SERVICE_REMOVED] == []
    assert any("not a complete dump" in note for note in found.notes)


def test_fragments_prove_another_timeout_but_not_that_one_has_no_affinity() -> None:
    text = (SAMPLES / "fragment-3-affinity.txt").read_text(encoding="utf-8")
    (found,) = compared(text, text.replace("--seconds 10800", "--seconds 3600")).differences
    assert found.kind is DifferenceKind.AFFINITY
    recent, chosen = (text.index(f"-A KUBE-SVC-SNP24T7IBBNZDJ76 {MARKED}{each}") for each in ("-m recent", "-m statistic"))
    assert compared(text, text[:recent] + text[chosen:]).differences == ()


def test_both_families_at_once() -> None:
    capture = scenario("1.30/dual-stack")
    assert capture.ipv6 is not None
    both = view(capture.ipv4, capture.ipv6)
    assert {family.value for family in both.families} == {"ipv4", "ipv6"}
    joined = capture.ipv4 + capture.ipv6
    assert compared(joined, shuffled(capture.ipv6, 3) + shuffled(capture.ipv4, 4)).differences == ()


def test_a_family_missing_on_one_side_is_reported() -> None:
    capture = scenario("1.30/dual-stack")
    assert capture.ipv6 is not None
    found = compared(capture.ipv4 + capture.ipv6, capture.ipv4)
    assert found.differences == ()
    assert any("IPv6" in note for note in found.notes)


def test_json_names_every_kind_of_the_contract() -> None:
    text = scenario(POLICY).ipv4
    record = compared(text, text.replace("10.244.2.13", "10.244.2.99")).differences[0].to_json()
    assert set(record) >= {"kind", "service", "protocol", "family", "before", "after", "nodes", "message"}
    assert {kind.value for kind in DifferenceKind} == {
        "service-added", "service-removed", "endpoint-added", "endpoint-removed", "probability", "affinity", "policy", "verdict",
        "frontend-added", "frontend-removed", "source-ranges", "masquerade", "hook", "chain-policy", "foreign-rules", "fate",
    }  # fmt: skip
