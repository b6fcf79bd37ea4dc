"""One grammar, two speeds: forms read what Lark reads, and refuse what Lark refuses."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lark.exceptions import UnexpectedInput

from ipt_explain.parsing.nft.elements import ElementReader
from ipt_explain.parsing.nft.forms.forms import FormCache
from tests.nft_corpus import listings


def _distinct_lines() -> list[str]:
    lines = {line.strip() for each in listings() for line in each.text.split("\n")}
    return sorted(
        line for line in lines if line and not line.startswith("elements") and line.count("{") == line.count("}")
    )


LINES = _distinct_lines()
CACHE = FormCache("line", r"[ \t]*", r"[ \t]*(?:\n+|\Z)", ElementReader().literal)


def by_lark(line: str) -> object:
    """What Lark reads; None where it refuses."""
    try:
        return CACHE.parse(line, remember=False)
    except (UnexpectedInput, ValueError):
        return None


def by_forms(line: str) -> list[object]:
    """What the forms read that take the line."""
    found = []
    for form in CACHE.candidates(line):
        match = form.match(line, 0)
        if match is not None and match.end() == len(line):
            found.append(form.make(match.groups()))
    return found


@pytest.fixture(scope="module", autouse=True)
def _all_forms_known() -> None:
    for line in LINES:
        if not by_forms(line) and by_lark(line) is not None:
            CACHE.parse(line)


def test_forms_read_what_lark_reads() -> None:
    read = 0
    for line in LINES[::7]:
        found = by_forms(line)
        read += bool(found)
        for each in found:
            assert each == by_lark(line)
    assert read > 0.8 * len(LINES[::7])


@settings(max_examples=300)
@given(st.sampled_from(LINES), st.data())
def test_a_changed_line_is_read_the_same_or_refused_by_both(line: str, data: st.DataObject) -> None:
    place = data.draw(st.integers(0, len(line) - 1))
    put_in = data.draw(
        st.sampled_from(
            ["", " ", "0", "9", "a", "z", ".", ":", "/", "-", ",", "{", "}", '"', "@", "#", "*", "0x", "\t"]
        )
    )
    changed = line[:place] + put_in + line[place + data.draw(st.integers(0, 1)) :]
    for each in by_forms(changed):
        assert each == by_lark(changed)


ELEMENTS = [
    "10.0.0.{} . 10.0.0.{} . tcp . 8{}", "{} : 10.0.1.{} . 80{}", '10.{}.0.1 . tcp . 80 comment "a, b}}" : goto service-{}',
    "fd00::{} . udp . 5{} : drop", "10.{}.0.0/16", "10.0.{}.1 timeout 3h expires 2h5{}m", "10.0.0.1-10.0.0.{}", "{}",
    "what? {}", "*", "...",
]  # fmt: skip


def _elements(numbers: list[tuple[int, int]]) -> list[str]:
    return [ELEMENTS[which].format(number, number, number % 9) for which, number in numbers]


@settings(max_examples=200)
@given(
    st.lists(st.tuples(st.sampled_from([0, 0, 0, 1, 1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10]), st.integers(0, 255))),
    st.sampled_from([", ", ",\n\t\t\t     ", ",", " , \n"]),
    st.sampled_from([" }", "}\n", "", ",}"]),
    st.integers(0, 3),
)
def test_many_elements_are_read_as_each_alone(numbers: list[tuple[int, int]], comma: str, end: str, line: int) -> None:
    reader = ElementReader()
    for which in range(len(ELEMENTS)):
        reader.read(",".join(_elements([(which, 7)] * 60)) + "}", 0, 0)
    texts = _elements(numbers)
    text = comma.join(texts) + end
    found = reader.read(text, 0, line)
    assert [element for each in texts for element in ElementReader().read(f"{each}}}", 0, 0).elements] == list(
        found.elements
    )
    shown = [place for place, each in enumerate(texts) if each != "..."]
    assert [each.line for each in found.elements] == [line and line + comma.count("\n") * place for place in shown]
    assert (found.closed, found.elided) == (bool(end), "..." in texts)
