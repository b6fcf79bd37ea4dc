"""Canonical JSON: the same text for the same content."""

from __future__ import annotations

import json


def compact(content: object) -> str:
    """Content as JSON without blanks, with sorted keys."""
    return json.dumps(content, separators=(",", ":"), sort_keys=True)
