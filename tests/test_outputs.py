"""Files are written whole or not at all, and over nothing that should be kept."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipt_explain.errors import UsageError
from ipt_explain.outputs import write_file


def _is_ours(head: bytes) -> bool:
    return head.startswith(b"ours")


def test_a_file_is_written_without_leftovers(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    write_file(path, ["ä", b"\xff", "\udcfe"])
    assert path.read_bytes() == b"\xc3\xa4\xff\xfe"
    assert os.listdir(tmp_path) == ["out.txt"]


def test_an_old_file_keeps_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    path.write_text("old")
    path.chmod(0o640)
    write_file(path, ["new"])
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ("new", 0o640)


@pytest.mark.parametrize("failure", [KeyboardInterrupt, OSError(28, "No space left on device"), SystemExit(143)])
def test_the_old_file_stays_where_writing_fails(tmp_path: Path, failure: BaseException) -> None:
    path = tmp_path / "out.txt"
    path.write_text("old")

    def chunks() -> Iterator[str]:
        yield "new" * 10_000
        raise failure

    with pytest.raises(UsageError if isinstance(failure, OSError) else BaseException):
        write_file(path, chunks())
    assert path.read_text() == "old"
    assert os.listdir(tmp_path) == ["out.txt"]


def test_a_full_disk_is_reported(tmp_path: Path) -> None:
    def chunks() -> Iterator[str]:
        raise OSError(28, "No space left on device")
        yield ""

    with pytest.raises(UsageError, match=r"cannot write .*out\.txt: No space left on device"):
        write_file(tmp_path / "out.txt", chunks())


def test_an_input_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "node.txt"
    path.write_text("*nat\nCOMMIT\n")
    with pytest.raises(UsageError, match="is read by this command"):
        write_file(path, ["new"], inputs=[tmp_path / "other.txt", f"{tmp_path}/./node.txt"])
    write_file(path, ["new"], inputs=[path], force=True)
    assert path.read_text() == "new"


def test_only_what_may_be_replaced_is(tmp_path: Path) -> None:
    path = tmp_path / "out.txt"
    for content in ("", "ours, an old one"):
        path.write_text(content)
        write_file(path, ["ours"], may_replace=_is_ours)
        assert path.read_text() == "ours"
    path.write_text("a letter")
    with pytest.raises(UsageError, match="holds something else"):
        write_file(path, ["ours"], may_replace=_is_ours)
    assert path.read_text() == "a letter"


def test_a_link_is_not_followed_unless_forced(tmp_path: Path) -> None:
    target, link = tmp_path / "target.txt", tmp_path / "link.txt"
    target.write_text("old")
    link.symlink_to(target)
    with pytest.raises(UsageError, match="symbolic link"):
        write_file(link, ["new"])
    assert target.read_text() == "old"
    write_file(link, ["new"], force=True)
    assert (target.read_text(), link.is_symlink()) == ("new", True)


@pytest.mark.parametrize("name", [".", "no/such/folder.txt", "bad\0name"])
def test_a_file_that_cannot_be_written_is_reported(tmp_path: Path, name: str) -> None:
    with pytest.raises(UsageError, match="cannot write"):
        write_file(f"{tmp_path}/{name}", ["x"])


def test_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="not a regular file"):
        write_file(tmp_path / "pipe", ["x"], may_replace=_is_ours)
