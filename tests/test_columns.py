"""Records in columns."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ipt_explain.columns import Columns, columns, constant
from ipt_explain.services.ports import Share

SHARES = Columns(Share, {"chain": ["KUBE-SEP-A", "KUBE-SEP-B"], "probability": [0.5, 0.5]})


def test_a_field_without_a_column_is_none_in_all_records() -> None:
    assert SHARES.column("weight") == (None, None)
    assert SHARES[1] == Share(None, "KUBE-SEP-B", 0.5)


def test_a_misspelt_field_is_an_error() -> None:
    with pytest.raises(AttributeError, match="Share has no field wieght"):
        SHARES.column("wieght")
    with pytest.raises(AttributeError, match="wieght"):
        columns(SHARES, ("chain", "wieght"))


def test_joined_records_have_the_fields_of_all_parts() -> None:
    weighed = Columns(Share, {"chain": ["KUBE-SEP-C"], "weight": [7]})
    assert Columns.joined((SHARES, weighed)).column("weight") == [None, None, 7]


def test_a_part_has_its_own_rows_of_shared_columns() -> None:
    part = SHARES.part(1, 2)
    assert part.column("chain") == ["KUBE-SEP-B"]
    assert columns(part, ("chain", "weight")) == [["KUBE-SEP-B"], (None,)]
    assert list(part) == [Share(None, "KUBE-SEP-B", 0.5)]
    with pytest.raises(AttributeError, match="wieght"):
        part.column("wieght")


def test_a_part_takes_columns_of_its_own() -> None:
    whole = SHARES.part(1, 2).with_columns(probability=[1.0])
    assert list(whole) == list(whole.of_kind(Share)) == [Share(None, "KUBE-SEP-B", 1.0)]
    assert len(whole) == len(whole.rows([0])) == len(whole.part(0, 1)) == 1
    joined = Columns.joined((SHARES.part(0, 1), whole))
    assert list(joined) == [SHARES[0], Share(None, "KUBE-SEP-B", 1.0)]


def test_a_part_of_a_part() -> None:
    three = Columns(Share, {"chain": ["KUBE-SEP-A", "KUBE-SEP-B", "KUBE-SEP-C"]})
    assert three.part(1, 3).part(1, 2).column("chain") == ["KUBE-SEP-C"]


def test_one_record_is_made_without_the_others() -> None:
    shares = Columns(Share, {"chain": ["A", "B"]})
    assert shares[-1] == Share(None, "B", None)  # type: ignore[arg-type]
    assert shares._made is None
    assert list(shares)[1] == shares[1]


def test_a_column_of_one_value_keeps_its_type() -> None:
    assert [type(each[0]) for each in (constant(Fraction(1), 1), constant(1.0, 1), constant(True, 1))] == [Fraction, float, bool]
