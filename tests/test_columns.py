"""Records in columns."""

from __future__ import annotations

import pytest

from ipt_explain.services.columns import Columns, columns
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
