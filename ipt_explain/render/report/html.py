"""A report as one HTML file: readable without network or scripts; light and dark; printable."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator
from datetime import datetime, timezone
from importlib.resources import files

from ipt_explain import __version__
from ipt_explain.render.report.document import Document


def html(document: Document) -> Iterator[str]:
    """The page, in pieces. The template escapes every text; the page's policy allows only its own script, by hash."""
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    script = _read("filter.js")
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    template = environment.from_string(_read("report.html.jinja"))
    yield from template.generate(
        report=document,
        style=_read("report.css"),
        script=script,
        script_hash=f"sha256-{digest}",
        version=__version__,
        now=datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
    )
    yield "\n"


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
