"""Texts with more of something than any dump has."""

from __future__ import annotations

import pytest

from ipt_explain import DumpSyntaxError, parse
from ipt_explain.errors import UsageError
from ipt_explain.inputs.limits import DUMP_LINES, LONGEST_NUMBER

LONG = "9" * 4301


@pytest.mark.parametrize(
    ("line", "column"),
    [
        (f":INPUT ACCEPT [{LONG}:0]", 16),
        (f"[0:{LONG}] -A INPUT -j RETURN", 4),
        (f"-A INPUT -p tcp -m tcp --dport {LONG} -j RETURN", 32),
        (f"-A INPUT -p tcp -m tcp --dport {'٣' * (LONGEST_NUMBER + 1)} -j RETURN", 32),
        (LONG, 1),
    ],
)
def test_a_number_that_fits_no_field_is_refused_at_its_place(line: str, column: int) -> None:
    text = f"*filter\n:INPUT ACCEPT [0:0]\n{line}\nCOMMIT\n"
    with pytest.raises(DumpSyntaxError, match="more than 1,000 digits fits no field") as caught:
        parse(text)
    assert (caught.value.line, caught.value.column) == (3, column)
    dump = parse(text, lenient=True)
    assert dump.warnings == ("-: skipped 1 line that is not iptables-save syntax",)


@pytest.mark.parametrize("shift", [0, 1, 249, 250, 251, 499, 501])
@pytest.mark.parametrize("length", [LONGEST_NUMBER, LONGEST_NUMBER + 1])
def test_wherever_the_number_is(shift: int, length: int) -> None:
    text = f"# {'x' * shift}\n-A INPUT -m comment --comment a{'1' * length}b\n"
    if length > LONGEST_NUMBER:
        with pytest.raises(DumpSyntaxError, match="digits"):
            parse(text)
    else:
        assert parse(text).rulesets


def test_the_line_above_a_number_that_is_too_long_is_read() -> None:
    first, second = (f"-A INPUT -m comment --comment {'1' * length}\n" for length in (LONGEST_NUMBER, LONGEST_NUMBER + 1))
    text = parse(first + second, lenient=True).to_text()
    assert first in text
    assert second not in text


def test_a_counter_of_more_digits_than_the_kernel_has_is_no_counter() -> None:
    with pytest.raises(DumpSyntaxError, match="counters are not of the form"):
        parse(f"*filter\n:INPUT ACCEPT [0:0]\n[{10**20}:0] -A INPUT -j RETURN\nCOMMIT\n")
    dump = parse(f"*filter\n:INPUT ACCEPT [0:0]\n[{2**64 - 1}:0] -A INPUT -j RETURN\nCOMMIT\n")
    assert f"[{2**64 - 1}:0] -A INPUT -j RETURN" in dump.to_text()


def test_more_lines_than_a_dump_may_have(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(DUMP_LINES.variable, "10")
    for first in ("", "#", "#" * 9, "#" * 100, "#\n#"):
        dump = f"*filter\n:INPUT ACCEPT [0:0]\nCOMMIT\n{first}"
        most = dump + "\n" * (10 - dump.count("\n"))
        assert parse(most).rulesets
        with pytest.raises(UsageError, match="-: it holds more than 10 lines"):
            parse(most + "\n")
        with pytest.raises(UsageError, match="-: it holds more than 10 lines"):
            parse("\n" * 11 + first)
