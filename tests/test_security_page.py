"""SECURITY.md lists the limits that the program has."""

from __future__ import annotations

import re
from pathlib import Path

from ipt_explain.inputs import limits
from ipt_explain.inputs.limits import LONGEST_NUMBER, InputLimit

PAGE = (Path(__file__).parents[1] / ".github" / "SECURITY.md").read_text(encoding="utf-8")


def test_every_limit_is_listed_with_its_default() -> None:
    listed = dict(re.findall(r"^\| `(IPT_EXPLAIN_MAX_\w+)` \| (\w+) \|", PAGE, re.MULTILINE))
    assert listed == {limit.variable: _written(limit) for limit in vars(limits).values() if isinstance(limit, InputLimit)}
    assert f"more than {LONGEST_NUMBER:,} digits" in PAGE


def _written(limit: InputLimit) -> str:
    for sign, size in (("T", 1 << 40), ("G", 1 << 30), ("M", 1 << 20)):
        if limit.unit == "bytes" and limit.default % size == 0:
            return f"{limit.default // size}{sign}"
    return str(limit.default)
