"""Hashes of chains, many at once."""

from __future__ import annotations

import pytest

from ipt_explain.audit.evidence.names.hashes import bear_hashes, unfit

KUBERNETES, DNS = "NPX46M4PTMTKRN6Y", "TCOU7JCQXEZGVUNU"
NAMES = ["default/kubernetes:httpstcp", "kube-system/kube-dns:dnsudp"]


def test_all_fit() -> None:
    assert bear_hashes([KUBERNETES, DNS], NAMES)
    assert list(unfit([KUBERNETES, DNS], NAMES)) == []
    assert bear_hashes([], [])


def test_those_that_do_not_fit_are_found() -> None:
    assert list(unfit([DNS, DNS], NAMES)) == [0]
    assert list(unfit([DNS, KUBERNETES], NAMES)) == [0, 1]


@pytest.mark.parametrize(
    "odd", ["", "NPX46M4PTMTKRN6", "npx46m4ptmtkrn6y", "NPX46M4PTMTKRN6_", "NPX46M4PTMTKRN61", "é" * 16]
)
def test_what_is_no_hash_fits_nothing(odd: str) -> None:
    assert list(unfit([odd, DNS], NAMES)) == [0]
