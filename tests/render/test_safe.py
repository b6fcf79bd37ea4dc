from __future__ import annotations

import unicodedata

import pytest

from ipt_explain.render.text.safe import cells, escape


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("KUBE-SVC-X", "KUBE-SVC-X"),
        ("naïve – 日本 🦊", "naïve – 日本 🦊"),
        ("\x1b[31mred", "\\x1b[31mred"),
        ("\x9b31m", "\\x9b31m"),
        ("over\rwritten", "over\\rwritten"),
        ("two\nlines\tand a tab", "two\\nlines\\tand a tab"),
        ("\x7f\x00", "\\x7f\\x00"),
        ("a\u2028b\u2029c\x85d", "a\\u2028b\\u2029c\\x85d"),
        ("\u202eevil\u2066", "\\u202eevil\\u2066"),
        ("\u200e\u200f\u061c", "\\u200e\\u200f\\u061c"),
        ("zero\u200bwidth\ufeff", "zero\\u200bwidth\\ufeff"),
        ("tag\U000e0041", "tag\\U000e0041"),
        ("\udcff\udc80", "\\xff\\x80"),
        ("\ud800", "\\ud800"),
        ("\u0301accent", "\\u0301accent"),
    ],
)
def test_what_a_terminal_would_act_upon_is_shown_as_an_escape(raw: str, shown: str) -> None:
    assert escape(raw) == shown


def test_accents_stay_on_their_letters() -> None:
    assert escape("e\u0301") == "e\u0301"


def test_our_own_line_feeds_can_be_kept() -> None:
    assert escape("one\ntwo\x1b", keep="\n") == "one\ntwo\\x1b"


# Format characters by Unicode's book, but visible ones: signs that stand before Arabic, Syriac and Kaithi numbers.
VISIBLE = frozenset(map(chr, (*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD)))


def test_every_control_and_invisible_format_character_is_escaped() -> None:
    unsafe = [
        character
        for character in map(chr, range(0x110000))
        if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Zl", "Zp") and character not in VISIBLE
    ]
    assert [hex(ord(character)) for character in unsafe if escape(character) == character] == []


def test_wide_characters_take_two_columns() -> None:
    assert cells("KUBE") == 4
    assert cells("é·─→") == 4
    assert cells("日本") == 4
    assert cells("e\u0301") == 1
