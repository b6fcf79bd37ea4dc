from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from ipt_explain.render.report.layers import columns


def test_a_box_is_right_of_all_that_lead_to_it() -> None:
    assert columns(["a", "b", "c", "d"], [("a", "b"), ("b", "c"), ("a", "c"), ("d", "c")]) == [["a", "d"], ["b"], ["c"]]


def test_cycles_are_cut() -> None:
    assert columns(["a", "b"], [("a", "b"), ("b", "a"), ("a", "a")]) == [["a"], ["b"]]


NAMES = st.sampled_from("abcdefgh")


@given(st.lists(st.tuples(NAMES, NAMES), max_size=30))
def test_every_box_has_one_place(arrows: list[tuple[str, str]]) -> None:
    found = columns("abcdefgh", arrows)
    assert sorted(box for column in found for box in column) == list("abcdefgh")
    place = {box: number for number, column in enumerate(found) for box in column}
    if all(source < target for source, target in arrows):
        assert all(place[source] < place[target] for source, target in arrows)
