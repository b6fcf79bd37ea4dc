"""Configuration files, selection of rules, baselines: what they mean, and what is said of mistakes in them."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from ipt_explain.audit.catalogue import rule_names
from ipt_explain.audit.rules.index import RULES
from ipt_explain.audit.runner import audit_dump
from ipt_explain.audit.settings.baseline import baseline_text, read_baseline, write_baseline
from ipt_explain.audit.settings.config import load_config
from ipt_explain.audit.settings.selection import RuleSelection, parse_ids
from ipt_explain.errors import UsageError
from ipt_explain.parsing import read_dump
from ipt_explain.records import replace

RULE_NAMES = rule_names(RULES)


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_setup_cfg_of_a_directory_above_counts_within_a_repository(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    write(tmp_path / "setup.cfg", "[ipt-explain]\nselect = IPT0, IPT7\nignore = IPT004\nfail-on = warning\n")
    (tmp_path / "below").mkdir()
    config = load_config(None, RULE_NAMES, tmp_path / "below")
    assert (config.select, config.ignore, config.fail_on) == (("IPT0", "IPT7"), ("IPT004",), "warning")


def test_pyproject_counts_and_its_baseline_lies_beside_it(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", '[tool.ipt-explain]\nselect = ["IPT0"]\nbaseline = "known.json"\n')
    config = load_config(None, RULE_NAMES, tmp_path)
    assert (config.select, config.baseline) == (("IPT0",), tmp_path / "known.json")


def test_other_projects_files_are_not_our_business(tmp_path: Path) -> None:
    write(tmp_path / "pyproject.toml", "this is not TOML [")
    write(tmp_path / "setup.cfg", "[metadata]\nname = other\n")
    (tmp_path / ".git").mkdir()
    assert load_config(None, RULE_NAMES, tmp_path).select is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[ipt-explain]\nselct = IPT0\n", "unknown option selct; the nearest is select"),
        ("[ipt-explain]\nselect = IPT00l\n", "select: no rule is called IPT00l; the nearest is IPT0"),
        ("[ipt-explain]\nfail-on = warnings\n", "fail-on is warnings; the nearest is warning"),
        ("[other]\n", "has no section"),
    ],
)
def test_mistakes_are_named_with_the_nearest(tmp_path: Path, text: str, message: str) -> None:
    path = write(tmp_path / "audit.cfg", text)
    with pytest.raises(UsageError) as error:
        load_config(path, RULE_NAMES)
    assert message in str(error.value)
    assert str(path) in str(error.value)


def test_broken_toml_is_an_error_where_it_is_ours(tmp_path: Path) -> None:
    path = write(tmp_path / "audit.toml", "[tool.ipt-explain]\nselect = [\n")
    with pytest.raises(UsageError, match=r"audit\.toml"):
        load_config(path, RULE_NAMES)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="there is no such file"):
        load_config(tmp_path / "none.cfg", RULE_NAMES)


def test_the_longer_prefix_wins() -> None:
    selection = RuleSelection(select=("IPT0", "IPT70"), ignore=("IPT00", "IPT7"))
    assert not selection.wants("IPT001")  # IPT00 is longer than IPT0
    assert selection.wants("IPT010")
    assert selection.wants("IPT701")  # IPT70 is longer than IPT7
    assert not selection.wants("IPT201")


def test_everything_is_selected_by_default() -> None:
    assert all(map(RuleSelection().wants, RULE_NAMES))


def test_ids_may_be_listed_with_commas_in_any_case() -> None:
    assert parse_ids(["ipt001,IPT7", "IPT003"], RULE_NAMES, "--select") == ("IPT001", "IPT7", "IPT003")


def test_an_unknown_id_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"--select: no rule is called IPT0010; the nearest is IPT"):
        parse_ids(["IPT0010"], RULE_NAMES, "--select")


def table(*rules: str) -> str:
    """A filter table of these rules."""
    return "\n".join(["*filter", ":INPUT ACCEPT [0:0]", ":FORWARD ACCEPT [0:0]", *rules, "COMMIT", ""])


TWICE = table("-A INPUT -j LOG", "-A INPUT -j LOG")


def test_a_baseline_takes_away_what_it_knows_and_nothing_else(tmp_path: Path) -> None:
    report = audit_dump(read_dump(TWICE))
    path = write(tmp_path / "known.json", baseline_text(report.findings))
    later = audit_dump(
        read_dump(table("-A INPUT -i lo", "-A INPUT -j LOG", "-A INPUT -j LOG", "-A FORWARD -j LOG", "-A FORWARD -j LOG"))
    )
    new = later.without(read_baseline(path))
    assert [finding.chain for finding in new.findings] == ["FORWARD"]
    assert new.known == 1


def test_what_is_known_of_one_node_hides_nothing_on_another(tmp_path: Path) -> None:
    text = TWICE
    path = write(tmp_path / "known.json", baseline_text(audit_dump(read_dump(text, "dumps/a.txt")).findings))
    known = read_baseline(path)
    assert audit_dump(read_dump(text, "./dumps/a.txt")).without(known).findings == ()
    assert len(audit_dump(read_dump(text, "dumps/b.txt")).without(known).findings) == 1


def test_a_second_finding_like_a_known_one_is_new(tmp_path: Path) -> None:
    report = audit_dump(read_dump(TWICE))
    (first,) = report.findings
    second = replace(first, fingerprint=f"{first.fingerprint}:2")  # as the runner numbers them
    known = read_baseline(write(tmp_path / "known.json", baseline_text([first])))
    assert replace(report, findings=(first, second)).without(known).findings == (second,)


def test_entries_that_no_longer_occur_are_named(tmp_path: Path) -> None:
    found = audit_dump(read_dump(TWICE, "a.txt")).findings
    known = read_baseline(write(tmp_path / "known.json", baseline_text(found)))
    assert known.gone((), ["a.txt"], {"IPT004"}) == ["IPT004 INPUT in a.txt"]
    assert known.gone((), ["b.txt"], {"IPT004"}) == []  # another node was judged
    assert known.gone((), ["a.txt"], {"IPT001"}) == []  # the rule was not asked
    assert known.gone(found, ["a.txt"], {"IPT004"}) == []


HEAD = '{"schema": "ipt-explain/baseline/2", "findings": '


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a baseline"),
        ("[]", "is not a baseline"),
        ("{", "this is not JSON"),
        ('{"schema": "other/1", "findings": []}', "is of schema other/1"),
        ('{"findings": 3}', "is not a baseline"),
        (HEAD + "3}", 'lacks "findings"'),
        (HEAD + "[3]}", "finding 1 lacks its source"),
        (HEAD + '[{"source": "a", "fingerprint": ["b"], "rule": "IPT001"}]}', "finding 1 lacks its source"),
        ("[" * 100_000, "nested too deeply"),
        ("[" + "9" * 9000 + "]", "is not a baseline"),
    ],
)
def test_a_file_that_is_no_baseline_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(UsageError, match=f"{said}.*--write-baseline makes one"):
        read_baseline(write(tmp_path / "b.json", text))


def test_a_baseline_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    assert read_baseline(write(tmp_path / "b.json", f"\ufeff{HEAD}[]}}")).entries == {}


def test_a_baseline_replaces_nothing_else_unless_forced(tmp_path: Path) -> None:
    path = write(tmp_path / "letter.txt", "Dear all,")
    with pytest.raises(UsageError, match="holds something else"):
        write_baseline(path, ())
    assert path.read_text(encoding="utf-8") == "Dear all,"
    write_baseline(path, (), force=True)
    write_baseline(path, ())
    assert read_baseline(path).entries == {}


@pytest.mark.parametrize("read", [read_baseline, lambda path: load_config(path, RULE_NAMES)], ids=["baseline", "config"])
def test_what_is_no_file_is_refused_in_words(tmp_path: Path, read: Callable[[Path], object]) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(UsageError, match="a pipe or a device, not a file"):
            read(path)
    with pytest.raises(UsageError, match="this is a directory"):
        read(tmp_path)
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.truncate(1 << 31)
    with pytest.raises(UsageError, match="it holds more than"):
        read(huge)


def test_nothing_is_read_above_the_repository_or_without_one_above_the_folder(tmp_path: Path) -> None:
    write(tmp_path / "setup.cfg", "[ipt-explain]\nignore = IPT\n")
    inner = tmp_path / "repository" / "inner"
    inner.mkdir(parents=True)
    assert load_config(None, RULE_NAMES, inner).path is None
    (tmp_path / "repository" / ".git").mkdir()
    assert load_config(None, RULE_NAMES, inner).path is None
    write(tmp_path / "repository" / "setup.cfg", "[ipt-explain]\nignore = IPT0\n")
    assert load_config(None, RULE_NAMES, inner).path == tmp_path / "repository" / "setup.cfg"


@pytest.mark.skipif(os.geteuid() != 0, reason="giving a file away takes root")
def test_another_users_file_is_not_read(tmp_path: Path) -> None:
    path = write(tmp_path / "setup.cfg", "[ipt-explain]\nignore = IPT\n")
    os.chown(path, 65534, 65534)
    config = load_config(None, RULE_NAMES, tmp_path)
    assert (config.path, config.ignore, config.unread) == (None, None, (path,))
    assert load_config(path, RULE_NAMES).ignore == ("IPT",)


@pytest.mark.parametrize(
    "text",
    [
        'tool = "x"\n# [tool.ipt-explain]\n',
        "[[tool]]\nipt-explain = 1\n",
        "[tool]\nipt-explain = 3\n",
        "[tool.ipt-explain]\nselect = " + "[" * 3000,
        "[tool.ipt-explain]\nselect = " + "9" * 5000 + "\n",
        "[tool.ipt-explain]\nselect = 3\n",
        "[tool.ipt-explain]\nfail-on = [1]\n",
        "[tool.ipt-explain]\nbaseline = 1979-05-27\n",
        "[tool.ipt-explain.select]\nx = 1\n",
        "[tool.ipt-explain]\nselect = '\udcff'\n",
    ],
)
def test_toml_of_any_shape_is_read_or_refused_in_words(tmp_path: Path, text: str) -> None:
    path = tmp_path / "pyproject.toml"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with suppress(UsageError):
        assert load_config(None, RULE_NAMES, tmp_path).select is None
