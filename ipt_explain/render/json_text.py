"""JSON without control characters."""

from __future__ import annotations

import json


def json_text(value: object, indent: int | None = None) -> str:
    """A value as ASCII JSON, with DEL escaped, too, which json.dumps leaves in strings."""
    return json.dumps(value, indent=indent).replace("\x7f", "\\u007f")
