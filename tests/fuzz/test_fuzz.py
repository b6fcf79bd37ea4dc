"""Nothing that can be read, and nothing that cannot, makes the program fail.

FUZZ_EXAMPLES is how many inputs each test tries (the suite: a few; `.ci/run`: a minute's worth, always the same;
by hand: as many as there is time for). An input that fails is written below FUZZ_KEEP, if that names a folder; moved to
tests/fuzz/cases it is tried by every run from then on.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.fuzz.edits import changed, changed_dumps, changed_json, changed_objects
from tests.fuzz.running import complaints
from tests.fuzz.seeds import CONFIGS, dumps

CASES = Path(__file__).with_name("cases")
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "25"))
KEEP = os.environ.get("FUZZ_KEEP")

DUMP_COMMANDS: tuple[Sequence[str], ...] = (
    *(["explain", "-o", form, "DUMP"] for form in ("tree", "table", "wide", "json", "ndjson")),
    *(["audit", "-o", form, "DUMP"] for form in ("text", "concise", "json", "sarif", "github", "gitlab", "junit", "markdown", "openmetrics")),
    *(["graph", "-o", form, "DUMP"] for form in ("dot", "mermaid", "graphml", "json")),
    *(["show", "-o", form, "DUMP"] for form in ("text", "json")),
    ["show", "-o", "json", "--depth", "3", "KUBE-*", "DUMP"],
    ["show", "--depth", "3", "*", "DUMP"],
    *(["trace", "-o", form, "--from", "10.244.1.5", "--to", "10.96.0.1:443", "DUMP"] for form in ("text", "json")),
    ["trace", "--from", "10.244.1.5", "--to", "10.96.0.10:53/udp", "--why-not", "10.244.1.3:53", "-v", "DUMP"],
    ["trace", "--from", "fd00::5", "--to", "[fd00::1]:443", "DUMP"],
    *(["compare", "-o", form, "DUMP", "OTHER"] for form in ("text", "json")),
    *(["compare", "--nodes", "-o", form, "DUMP", "OTHER"] for form in ("text", "json")),
    ["compare", "--digest", "DUMP"],
    *(["report", "-o", form, "DUMP"] for form in ("html", "markdown")),
)  # fmt: skip
LENIENT = st.sampled_from([[], ["--lenient"]])

fuzzed = settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    phases=[Phase.reuse, Phase.generate, Phase.shrink],
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to work in: a repository of its own, with a dump in OTHER."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    (tmp_path / "OTHER").write_text(dumps()[0], encoding="utf-8")
    return tmp_path


def judge(arguments: Sequence[str], files: dict[str, bytes]) -> None:
    """Run with these files in the working directory; fail, and keep the case, where something is wrong."""
    for name, content in files.items():
        Path(name).write_bytes(content)
    found = complaints(arguments)
    if found and KEEP:
        case = {"arguments": list(arguments), "files": {name: content.decode("latin-1") for name, content in files.items()}}
        text = json.dumps(case, indent=1)
        Path(KEEP, f"{hashlib.sha256(text.encode()).hexdigest()[:12]}.json").write_text(text, encoding="utf-8")
    assert found == []


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass" if any("\ud800" <= sign < "\udc80" for sign in text) else "surrogateescape")


@fuzzed
@given(changed_dumps(), st.sampled_from(DUMP_COMMANDS), LENIENT)
def test_dumps(folder: Path, text: str, command: Sequence[str], lenient: list[str]) -> None:
    options = [] if command[0] == "show" and "--rule" in command else lenient
    judge([*command, *options], {"DUMP": _bytes(text)})


@fuzzed
@given(changed_objects(), st.sampled_from(["text", "json", "sarif", "github", "junit"]))
def test_objects(folder: Path, text: str, form: str) -> None:
    judge(["compare", "-o", form, "--objects", "OBJECTS", "OTHER"], {"OBJECTS": _bytes(text)})


@fuzzed
@given(st.data(), st.sampled_from(CONFIGS))
def test_configurations(folder: Path, data: st.DataObject, config: tuple[str, str]) -> None:
    name, text = config
    for other, _ in CONFIGS:
        Path(other).unlink(missing_ok=True)
    written = _bytes(changed(data.draw, text))
    judge(["audit", "OTHER"], {name: written, "known.json": b'{"schema": "ipt-explain/baseline/2", "findings": []}'})


def _made(folder: Path, *arguments: str) -> Any:
    """A JSON file that the program itself writes."""
    import contextlib
    import io

    from ipt_explain.cli.main import run

    out = io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(io.StringIO()):
        run(list(arguments))
    written = folder / "MADE"
    return json.loads(written.read_text(encoding="utf-8") if written.exists() else out.getvalue())


@fuzzed
@given(st.data())
def test_digests(folder: Path, data: st.DataObject) -> None:
    document = changed_json(data.draw, _made(folder, "compare", "--digest", "OTHER"))
    judge(["compare", "--nodes", "-o", data.draw(st.sampled_from(["text", "json"])), "a=DIGEST", "b=OTHER"], {"DIGEST": json.dumps(document).encode()})


@fuzzed
@given(st.data())
def test_baselines(folder: Path, data: st.DataObject) -> None:
    (folder / "MADE").unlink(missing_ok=True)
    document = changed_json(data.draw, _made(folder, "audit", "--no-config", "--write-baseline", "MADE", "OTHER"))
    judge(["audit", "--no-config", "--baseline", "KNOWN", "OTHER"], {"KNOWN": json.dumps(document).encode()})


@fuzzed
@given(st.data())
def test_rules_on_the_command_line(folder: Path, data: st.DataObject) -> None:
    rules = [line for line in data.draw(st.sampled_from(dumps())).split("\n") if line.startswith("-A")] or ["-A X -j Y"]
    text = changed(data.draw, data.draw(st.sampled_from(rules)))
    judge(["show", "--rule", text, "-o", data.draw(st.sampled_from(["text", "json"]))], {})


@pytest.mark.parametrize("case", sorted(CASES.glob("*.json")), ids=lambda path: path.stem)
def test_inputs_that_once_failed(folder: Path, case: Path) -> None:
    content = json.loads(case.read_text(encoding="utf-8"))
    judge(content["arguments"], {name: text.encode("latin-1") for name, text in content["files"].items()})
