"""Objects that went through kubectl neat, IPv6 written long, YAML as fast as JSON: no finding comes of how they are written."""

from __future__ import annotations

import ipaddress
import json
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ipt_explain.compare.objects.cluster import judge_all
from ipt_explain.compare.objects.reading import read_objects
from ipt_explain.compare.objects.yaml_values import yaml_documents
from ipt_explain.errors import UsageError
from ipt_explain.parsing import read_dump
from tests.compare.objects_helpers import edited, judged, save_texts
from tests.kube_corpus import Scenario, scenarios

CAPTURES = [capture for capture in scenarios() if capture.version == "1.30" and capture.objects]
EACH = pytest.mark.parametrize("capture", CAPTURES, ids=lambda capture: capture.id)


def _neat(objects: Any) -> None:
    """What kubectl neat leaves out."""
    for item in objects["items"]:
        item.pop("status", None)
        for key in ("creationTimestamp", "resourceVersion", "uid", "managedFields", "generation"):
            item["metadata"].pop(key, None)
        spec = item.get("spec", {})
        if spec.get("sessionAffinity") == "None":
            del spec["sessionAffinity"]
        for port in spec.get("ports", []):
            if port.get("protocol") == "TCP":
                del port["protocol"]


def _long(value: Any) -> Any:
    """The same with every IPv6 address written long, in capitals."""
    if isinstance(value, dict):
        return {key: _long(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_long(each) for each in value]
    if isinstance(value, str) and value.count(":") > 1:
        try:
            return ipaddress.IPv6Address(value).exploded.upper()
        except ValueError:
            return value
    return value


@EACH
def test_objects_from_kubectl_neat_give_no_findings(capture: Scenario) -> None:
    found = judged(edited(capture.objects, _neat), *save_texts(capture), node=capture.config["node_name"])
    before = judged(capture.objects, *save_texts(capture), node=capture.config["node_name"])
    assert [each.message for each in found if each not in before] == []


@EACH
def test_long_addresses_give_no_findings(capture: Scenario) -> None:
    found = judged(_long(capture.objects), *save_texts(capture), node=capture.config["node_name"])
    assert found == judged(capture.objects, *save_texts(capture), node=capture.config["node_name"])


@EACH
def test_yaml_says_what_json_says(capture: Scenario) -> None:
    written = yaml.safe_dump(capture.objects)
    assert list(yaml_documents(written, "x")) == [capture.objects]
    texts = [read_dump(text, source=str(number)) for number, text in enumerate(save_texts(capture))]
    from_yaml = judge_all(read_objects(written, "objects"), texts)
    assert from_yaml == judge_all(read_objects(json.dumps(capture.objects), "objects"), texts)


@pytest.mark.parametrize(
    "text",
    [
        "a: &x {b: 1, c: [1, 2]}\nd: *x\ne: {<<: *x, b: 3}\n",
        "---\na: 1\n---\nb: !!str 5\nc: '5'\nd: 0x1f\ne: 1.5\nf: true\ng: ~\nh: 2001-01-01\ni: 1_000\nj: !!int '7'\n",
        "- a\n- |\n  x\n  y\n- >-\n  folded\n  text\n",
        "",
        "a",
        "{a: 1, a: 2}",
        "e: {<<: [{a: 1}, {a: 2, b: 3}]}",
        "--- \n...\n",
        "on: off\nyes: no\n",
    ],
)
def test_yaml_is_read_as_its_library_reads_it(text: str) -> None:
    assert list(yaml_documents(text, "x")) == list(yaml.safe_load_all(text))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-99, 10**9) | st.floats(allow_nan=False, width=32) | st.text(max_size=9),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
        max_leaves=8,
    )
)
def test_yaml_reads_back_what_was_written(value: Any) -> None:
    written = yaml.safe_dump(value)
    assert list(yaml_documents(written, "x")) == list(yaml.safe_load_all(written))


@pytest.mark.parametrize("text", ["a: *b", "a: !!python/name:os.system x", "a: [1", "? {a: b}\n: c"])
def test_other_yaml_is_refused_with_a_message(text: str) -> None:
    with pytest.raises(UsageError, match=r"^x"):
        list(yaml_documents(text, "x"))
