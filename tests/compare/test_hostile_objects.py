"""Objects from strangers: every document is read or refused in words, at bounded cost."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipt_explain.compare.objects.reading import read_objects
from ipt_explain.errors import UsageError

ITEM = "kind: List\nitems:\n- kind: Service\n  x: "
BOMB = "a0: &a0 {kind: Service}\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 30)}]\n" for n in range(1, 9))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (BOMB, "its aliases repeat more than 100,000 values"),
        ("[" * 200_000, "nested too deeply"),
        ('{"a":' * 100_000, "nested too deeply"),
        ("- " * 200_000, "it is nested more than 100 levels"),
        (ITEM + "!!bool maybe", "a tag"),
        (ITEM + '!!int ""', "a tag"),
        (ITEM + '!!float ""', "a tag"),
        (ITEM + "!!timestamp x", "a tag"),
        (ITEM + "2001-99-99", "neither JSON nor YAML"),
        (ITEM + "!!python/object:os.system x", "could not determine a constructor"),
        (ITEM + "9" * 5000, "a number of 5,000 digits fits no field"),
        (ITEM + ":".join(["59"] * 100_000), "fits no field"),
        ("*x", "undefined alias"),
        ("kind: &a [*a]", "not a Kubernetes object"),
        ('{"kind": "List",\n "items": oops}', r"objects\.yaml:2:11: this is not JSON: expecting value"),
    ],
)
def test_unreadable_input_is_refused_with_a_message(text: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        read_objects(text, "objects.yaml")


@pytest.mark.parametrize(
    ("written", "name"),
    [(r"a\ud800", "a\ufffd"), (r"a\udc00b", "a\ufffdb"), (r"\ud83d\ude00", "😀"), (r"\\ud800", r"\ud800"), ("a\udcff", "a\ufffd")],
)
def test_undecodable_characters_are_replaced(written: str, name: str) -> None:
    objects = read_objects(f'{{"kind": "Node", "metadata": {{"name": "{written}"}}}}', "objects.json")
    assert list(objects.nodes) == [name]


def test_undecodable_bytes_in_yaml_are_replaced() -> None:
    assert list(read_objects("kind: Node\nmetadata: {name: a\udcff}", "objects.yaml").nodes) == ["a\ufffd"]


def test_a_number_too_long_for_any_field_is_ignored() -> None:
    port = '{"kind": "Service", "metadata": {"name": "a"}, "spec": {"clusterIP": "10.96.0.1", "ports": [{"port": %s}]}}'
    with pytest.raises(UsageError, match="has a port without a number"):
        read_objects(port % ("9" * 9000), "objects.json")


PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.sampled_from(["List", "Service", "Node", "x", ""]))
TAGS = st.sampled_from(["!!int", "!!float", "!!bool", "!!null", "!!timestamp", "!!binary", "!!set", "!!omap", "!!pairs", "!!map", "!!seq", "!!str", "!x", ""])


@given(st.lists(st.tuples(st.sampled_from(["kind: ", "items: ", "- ", "  x: ", "&a ", "*a ", "<<: "]), TAGS, PLAIN), max_size=12))
def test_any_tag_at_any_value(parts: list[tuple[str, str, object]]) -> None:
    text = "\n".join(f"{key}{tag} {value!r}" for key, tag, value in parts)
    with suppress(UsageError):
        read_objects(text, "objects.yaml")
