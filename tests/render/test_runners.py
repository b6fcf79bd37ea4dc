"""No line of the program is a command to a CI system, by the rules that the runners themselves parse with."""

from __future__ import annotations

import json
import re
from xml.etree import ElementTree

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ipt_explain.render.text.ci_commands import Disarmer, disarmed


def obeyed(line: str) -> bool:
    """Whether GitHub's runner (either form), Azure Pipelines' agent or TeamCity would look for a command in a line."""
    return line.lstrip().startswith("::") or re.search(r"##\w*\[", line) is not None


PIECES = st.sampled_from(["::", ":", "#", "##[", "##vso[", "##teamcity[", " ", "\t", "\u3000", "\n", "error", "x", "\x1b[1m", "{", "<"])


@given(st.lists(PIECES, max_size=30).map("".join))
@example(":\x1b[1m::")
@example("\x1b[1m:\x1b[1m:")
def test_no_text_acts_as_a_command(text: str) -> None:
    assert not any(map(obeyed, re.sub(r"\x1b\[1m", "", disarmed(text)).split("\n")))


@given(st.lists(st.lists(PIECES, max_size=5).map("".join), max_size=5), st.sampled_from([None, 2]))
def test_json_means_the_same(values: list[str], indent: int | None) -> None:
    text = disarmed(json.dumps({"values": values}, indent=indent, ensure_ascii=False))
    assert json.loads(text) == {"values": values}
    assert not any(map(obeyed, text.split("\n")))


@pytest.mark.parametrize("value", ["::error::x", "a\n  ::error::x", "##[error]x", "##vso[task.complete]"])
def test_xml_means_the_same(value: str) -> None:
    element = ElementTree.Element("e")
    element.text = value
    text = disarmed(ElementTree.tostring(element, encoding="unicode"))
    assert ElementTree.fromstring(text).text == value
    assert not any(map(obeyed, text.split("\n")))


def test_harmless_text_stays_as_it_is() -> None:
    text = "-d ::1/128 -p tcp\n  fd00::1 ## [x] a::b\n: :\n#[x]\n"
    assert disarmed(text) == text


def test_annotations_are_meant() -> None:
    assert Disarmer(annotations=True).disarm("::error file=x::##[y]\n") == "::error file=x::#\\x23[y]\n"
