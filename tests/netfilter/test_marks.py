"""Mark arithmetic, as the kernel does it."""

import pytest

from ipt_explain.netfilter.marks import Mark, mark_change, parse_mark


@pytest.mark.parametrize(
    ("option", "argument", "before", "after"),
    [
        ("--set-xmark", "0x4000/0x4000", 0x1, 0x4001),
        ("--set-xmark", "0x4000/0x0", 0x4000, 0x0),  # flips: passing twice clears the bit
        ("--set-xmark", "0x1/0xffffffff", 0x4000, 0x1),  # wipes what others set
        ("--set-xmark", "0x4000", 0xFFFF, 0x4000),
        ("--set-mark", "0x3/0x1", 0xF0, 0xF3),
        ("--or-mark", "0x4000", 0x4001, 0x4001),
        ("--and-mark", "0xffff", 0x14000, 0x4000),
        ("--xor-mark", "0x00004000", 0x4000, 0x0),  # kube-proxy 1.18 and later, in KUBE-POSTROUTING
    ],
)
def test_options_change_marks(option: str, argument: str, before: int, after: int) -> None:
    assert mark_change(option, argument).apply(before) == after


def test_only_a_change_that_flips_without_clearing_toggles() -> None:
    assert mark_change("--set-xmark", "0x4000/0x0").toggles
    assert not mark_change("--set-xmark", "0x4000/0x4000").toggles


def test_comparison_takes_the_whole_mask() -> None:
    assert parse_mark("0x4000/0x4000").fits(0x4001)
    assert not parse_mark("0x4000/0xffff").fits(0x4001)
    assert not Mark(3, 1).fits(3)  # the value has a bit outside of its mask


def test_numbers_may_be_decimal_octal_or_padded_hex() -> None:
    assert parse_mark("0x00004000/0x00004000") == parse_mark("16384/16384") == parse_mark("040000/040000")


@pytest.mark.parametrize("text", ["", "0x", "0x100000000", "-1", "1/", "mark"])
def test_what_is_no_mark_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse_mark(text)
