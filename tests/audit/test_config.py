"""Configuration files, selection of rules, baselines: what they mean, and what is said of mistakes in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from ipt_explain.audit.baseline import baseline_text, read_baseline
from ipt_explain.audit.config import load_config
from ipt_explain.audit.rules import RULES_BY_ID
from ipt_explain.audit.runner import audit_dump
from ipt_explain.audit.selection import Selection, parse_ids
from ipt_explain.errors import UsageError
from ipt_explain.parsing import read_dump


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_setup_cfg_of_a_directory_above_counts(tmp_path: Path) -> None:
    write(tmp_path / "setup.cfg", "[ipt-explain]\nselect = IPT0, IPT7\nignore = IPT004\nfail-on = warning\n")
    (tmp_path / "below").mkdir()
    config = load_config(None, RULES_BY_ID, tmp_path / "below")
    assert (config.select, config.ignore, config.fail_on) == (("IPT0", "IPT7"), ("IPT004",), "warning")


def test_pyproject_counts_and_its_baseline_lies_beside_it(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", '[tool.ipt-explain]\nselect = ["IPT0"]\nbaseline = "known.json"\n')
    config = load_config(None, RULES_BY_ID, tmp_path)
    assert (config.select, config.baseline) == (("IPT0",), tmp_path / "known.json")


def test_other_projects_files_are_not_our_business(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", "this is not TOML [")
    write(tmp_path / "setup.cfg", "[metadata]\nname = other\n")
    (tmp_path / ".git").mkdir()
    assert load_config(None, RULES_BY_ID, tmp_path).select is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[ipt-explain]\nselct = IPT0\n", "unknown option selct; the nearest is select"),
        ("[ipt-explain]\nselect = IPT00l\n", "select: no rule has the ID IPT00L; the nearest is IPT0"),
        ("[ipt-explain]\nfail-on = warnings\n", "fail-on is warnings; the nearest is warning"),
        ("[other]\n", "has no section"),
    ],
)
def test_mistakes_are_named_with_the_nearest(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "audit.cfg", text)
    with pytest.raises(UsageError) as error:
        load_config(path, RULES_BY_ID)
    assert message in str(error.value)
    assert str(path) in str(error.value)


def test_broken_toml_is_an_error_where_it_is_ours(tmp_path: Path) -> None:
    path = write(tmp_path / "audit.toml", "[tool.ipt-explain]\nselect = [\n")
    with pytest.raises(UsageError, match=r"audit\.toml"):
        load_config(path, RULES_BY_ID)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read"):
        load_config(tmp_path / "none.cfg", RULES_BY_ID)


def test_the_longer_prefix_wins() -> None:
    selection = Selection(select=("IPT0", "IPT70"), ignore=("IPT00", "IPT7"))
    assert not selection.wants("IPT001")  # IPT00 is longer than IPT0
    assert selection.wants("IPT010")
    assert selection.wants("IPT701")  # IPT70 is longer than IPT7
    assert not selection.wants("IPT201")


def test_everything_is_selected_by_default() -> None:
    assert all(map(Selection().wants, RULES_BY_ID))


def test_ids_may_be_listed_with_commas_in_any_case() -> None:
    assert parse_ids(["ipt001,IPT7", "IPT003"], RULES_BY_ID, "--select") == ("IPT001", "IPT7", "IPT003")


def test_an_unknown_id_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"--select: no rule has the ID IPT0010; the nearest is IPT"):
        parse_ids(["IPT0010"], RULES_BY_ID, "--select")


def test_a_baseline_takes_away_what_it_knows_and_nothing_else(tmp_path: Path) -> None:
    report = audit_dump(read_dump("-A INPUT -j LOG\n-A INPUT -j LOG\n"))
    path = write(tmp_path / "known.json", baseline_text(report.findings))
    later = audit_dump(
        read_dump("-A INPUT -i lo\n-A INPUT -j LOG\n-A INPUT -j LOG\n-A FORWARD -j LOG\n-A FORWARD -j LOG\n")
    )
    new = later.without(read_baseline(path))
    assert [finding.chain for finding in new.findings] == ["FORWARD"]
    assert new.known == 1


@pytest.mark.parametrize("text", ["", "[]", '{"schema": "other/1", "findings": []}', '{"findings": 3}'])
def test_a_file_that_is_no_baseline_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(UsageError, match=r"write-baseline|not JSON"):
        read_baseline(write(tmp_path / "b.json", text))
