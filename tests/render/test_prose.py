"""Wrapped prose keeps what is copied or read as a whole on one line."""

from ipt_explain.audit.catalogue import catalogue
from ipt_explain.render.audit.rule_pages import pages_text
from ipt_explain.render.text.prose import prose_lines


def test_commands_and_percentages_are_not_broken() -> None:
    text = "Set it with `iptables -t nat -P OUTPUT ACCEPT` once, and see that 33 % of all clients, 22 % of others, come back"
    for width in range(30, 100):
        lines = prose_lines(text, width, "  ")
        assert all(len(line) <= width for line in lines)
        assert " ".join(line.strip() for line in lines) == text
        assert not any(line.startswith(("  %", "%")) for line in lines)
        if width >= 48:
            assert any("`iptables -t nat -P OUTPUT ACCEPT`" in line for line in lines)


def test_code_longer_than_a_line_is_broken() -> None:
    assert prose_lines(f"run `{'word ' * 30}`", 40)[0] == "run `word word word word word word word"
    assert prose_lines("", 40) == [""]


def test_examples_are_laid_out_as_a_tool_prints_them() -> None:
    pages = "".join(pages_text(catalogue(), 88))
    assert "\n        map service-ips {\n            type ipv4_addr" in pages
    assert '"kubernetes firewall for dropping marked packets"' in pages
