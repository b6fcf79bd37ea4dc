"""What assumptions about a packet say of further questions."""

from __future__ import annotations

from itertools import product

from hypothesis import given
from hypothesis import strategies as st

from ipt_explain.netfilter.assumptions import Assumption, known_answers

QUESTIONS = ("-s a", "-s b", "-s c")
_answers = st.lists(
    st.builds(
        lambda literals, hold: Assumption(tuple(literals.items()), hold),
        st.dictionaries(st.sampled_from(QUESTIONS), st.booleans(), min_size=1),
        st.booleans(),
    ),
    max_size=4,
).map(tuple)


@given(_answers)
def test_what_is_known_holds_wherever_all_assumptions_do(answers: tuple[Assumption, ...]) -> None:
    for truths in product((True, False), repeat=len(QUESTIONS)):
        world = dict(zip(QUESTIONS, truths, strict=True))
        if all(all(world[text] is wanted for text, wanted in each.literals) is each.hold for each in answers):
            assert known_answers(answers, ()).items() <= world.items()


def test_of_answers_that_do_not_all_hold_the_last_one_left_is_known() -> None:
    not_both = Assumption((("-s a", True), ("-s b", False)), False)
    only_a = Assumption((("-s a", True),), True)
    assert known_answers((not_both,), ()) == {}
    assert (
        known_answers((not_both, only_a), ()) == known_answers((only_a, not_both), ()) == {"-s a": True, "-s b": True}
    )
    assert known_answers((not_both,), (("-s b", False),)) == {"-s a": False}
