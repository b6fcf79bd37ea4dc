"""Dumps from paths and standard input."""

from __future__ import annotations

import gzip
import io
import os
import threading
from pathlib import Path

import pytest

from ipt_explain.errors import UsageError
from ipt_explain.inputs import InputText, read_inputs
from ipt_explain.inputs.limits import INPUT_BYTES

DUMP = "*nat\nCOMMIT\n"


class Terminal(io.TextIOWrapper):
    """Standard input that nobody piped anything into."""

    def isatty(self) -> bool:
        return True


def pipe_in(monkeypatch: pytest.MonkeyPatch, content: bytes) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(content)))


def test_files_in_the_order_given(tmp_path: Path) -> None:
    first, second = tmp_path / "a.txt", tmp_path / "b.txt.gz"
    first.write_text(DUMP)
    second.write_bytes(gzip.compress(DUMP.encode()))
    assert read_inputs([str(second), str(first)]) == (InputText(str(second), DUMP), InputText(str(first), DUMP))


def test_gzip_is_known_by_its_content_not_its_name(tmp_path: Path) -> None:
    path = tmp_path / "node.txt"
    path.write_bytes(gzip.compress(DUMP.encode()))
    assert read_inputs([str(path)])[0].text == DUMP


def test_a_dash_means_standard_input(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("*filter\nCOMMIT\n")
    pipe_in(monkeypatch, gzip.compress(DUMP.encode()))
    assert [found.name for found in read_inputs([str(path), "-"])] == [str(path), "-"]


def test_without_a_path_standard_input_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe_in(monkeypatch, DUMP.encode())
    assert read_inputs([]) == (InputText("-", DUMP),)


def test_without_path_or_pipe_both_ways_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", Terminal(io.BytesIO()))
    with pytest.raises(UsageError, match=r"ipt-explain node\.txt.*iptables-save \| ipt-explain"):
        read_inputs([])


def test_closed_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(UsageError, match="nothing to read"):
        read_inputs([])
    with pytest.raises(UsageError, match="standard input"):
        read_inputs(["-"])


def test_standard_input_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    pipe_in(monkeypatch, DUMP.encode())
    with pytest.raises(UsageError, match="only once"):
        read_inputs(["-", "-"])


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"node\.txt: there is no such file"):
        read_inputs([str(tmp_path / "node.txt")])


def test_a_directory(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="this is a directory; name the dumps in it"):
        read_inputs([f"{tmp_path}/"])


def test_a_file_without_the_right_to_read_it(tmp_path: Path) -> None:
    path = tmp_path / "node.txt"
    path.write_text(DUMP)
    path.chmod(0)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)  # root may read every file; nobody may not
    try:
        with pytest.raises(UsageError, match=r"node\.txt: permission denied"):
            read_inputs([str(path)])
    finally:
        os.seteuid(user)


@pytest.mark.parametrize("name", ["a\0b", "x" * 5000])
def test_an_impossible_file_name(name: str) -> None:
    with pytest.raises(UsageError, match=r"null byte|too long"):
        read_inputs([name])


def test_a_file_in_the_way_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "node.txt").write_text(DUMP)
    with pytest.raises(UsageError, match="Not a directory"):
        read_inputs([str(tmp_path / "node.txt" / "more")])


def test_a_named_pipe_from_process_substitution(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    writer = threading.Thread(target=path.write_text, args=(DUMP,))
    writer.start()
    try:
        assert read_inputs([str(path)])[0].text == DUMP
    finally:
        writer.join()


def test_a_device_without_end_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(INPUT_BYTES.variable, "4M")
    with pytest.raises(UsageError, match="/dev/zero: it holds more than"):
        read_inputs(["/dev/zero"])
