"""What `compare -o json` prints of two dumps or many nodes."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ipt_explain.compare.differences import Difference

SCHEMA = "ipt-explain/compare/1"


def compare_json(differences: Sequence[Difference], notes: Sequence[str], nodes: int | None = None) -> str:
    """The differences as one JSON document. `notes` say what could not be compared; `nodes` is how many were."""
    document: dict[str, object] = {
        "schema": SCHEMA,
        "equal": not differences,
        "differences": [difference.to_json() for difference in differences],
        "notes": list(notes),
    }
    if nodes is not None:
        document["nodes"] = nodes
    # JSON need not escape DEL, and json.dumps does not. It can stand inside strings only.
    return json.dumps(document, indent=2).replace("\x7f", "\\u007f") + "\n"
