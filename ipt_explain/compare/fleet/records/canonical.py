"""JSON text that is the same for the same content, whoever writes it."""

from __future__ import annotations

import json


def compact(content: object) -> str:
    """Content as JSON without blanks, its keys in order."""
    return json.dumps(content, separators=(",", ":"), sort_keys=True)
