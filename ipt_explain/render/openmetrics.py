"""Metrics in the OpenMetrics text format 1.0, which Prometheus and node_exporter's textfile collector read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from ipt_explain.records import Record
from ipt_explain.render.text.safe import escape

_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n"})


class Gauge(Record):
    """A gauge with its samples: labels, and the value."""

    name: str
    help: str
    samples: Iterable[tuple[Mapping[str, str], int | float]]


def openmetrics(gauges: Iterable[Gauge]) -> Iterator[str]:
    """The exposition, in lines."""
    for gauge in gauges:
        yield f"# TYPE {gauge.name} gauge\n# HELP {gauge.name} {gauge.help.translate(_ESCAPES)}\n"
        for labels, value in gauge.samples:
            pairs = ",".join(f'{name}="{escape(text).translate(_ESCAPES)}"' for name, text in labels.items())
            yield f"{gauge.name}{{{pairs}}} {value}\n" if pairs else f"{gauge.name} {value}\n"
    yield "# EOF\n"
