"""Limits: a value each, which a variable raises."""

from __future__ import annotations

import pytest

from ipt_explain.errors import UsageError
from ipt_explain.inputs import limits
from ipt_explain.inputs.limits import DUMP_LINES, INPUT_BYTES, InputLimit, size_text

ALL_LIMITS = [each for each in vars(limits).values() if isinstance(each, InputLimit)]


@pytest.mark.parametrize("limit", ALL_LIMITS, ids=lambda limit: limit.name)
def test_a_variable_raises_a_limit(limit: InputLimit, monkeypatch: pytest.MonkeyPatch) -> None:
    assert limit.value() == limit.default
    monkeypatch.setenv(limit.variable, "2G")
    assert limit.value() == 2 << 30
    monkeypatch.setenv(limit.variable, " 17 ")
    assert limit.value() == 17


@pytest.mark.parametrize("text", ["much", "-1", "1.5G", "1e9", "٣", "9" * 5000])
def test_an_invalid_amount_is_refused(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(INPUT_BYTES.variable, text)
    with pytest.raises(UsageError, match=r"IPT_EXPLAIN_MAX_INPUT_BYTES is .* give a whole number"):
        INPUT_BYTES.value()


def test_an_error_names_the_limit_and_how_to_raise_it() -> None:
    assert str(INPUT_BYTES.exceeded("node.txt")) == (
        "node.txt: it holds more than 512 MiB; if you trust it, IPT_EXPLAIN_MAX_INPUT_BYTES=1G allows more"
    )
    assert "more than 4,000,000 lines" in str(DUMP_LINES.exceeded("-"))
    assert "IPT_EXPLAIN_MAX_DUMP_LINES=40000000" in str(DUMP_LINES.exceeded("-"))


def test_sizes_are_spelled_in_binary_units() -> None:
    assert [size_text(size) for size in (0, 1000, 1 << 10, 3 << 20, 1 << 40)] == [
        "0 bytes", "1,000 bytes", "1 KiB", "3 MiB", "1 TiB",
    ]  # fmt: skip
