"""A part of the chain graph as an SVG picture, made without other programs: boxes in columns, arrows between them.

This computes positions and texts; the template turns them into elements and escapes the texts.
"""

from __future__ import annotations

from ipt_explain.records import Record
from ipt_explain.render.graph.drawing import LEAK, Drawing, Look, labels, leak_label, look_of
from ipt_explain.render.report.layers import columns
from ipt_explain.render.text.safe import cells

# Pixels: a monospaced character's width, a line's height, and the space around and between boxes.
CHARACTER, LINE = 6.7, 15
PADDING, ROW_GAP, COLUMN_GAP = 8, 14, 46

# A picture with more boxes is unreadable.
MOST_BOXES = 40
MOST_CHARACTERS = 44

_LEAK_ID = "\0leak"


class Box(Record):
    """A chain: its corner and size in pixels, its lines, and its look as a word for style sheets."""

    x: float
    y: float
    width: float
    height: float
    lines: tuple[str, ...]
    look: str


class Arrow(Record):
    """A jump: its curve (SVG path data), and its lines with their places."""

    path: str
    x: float
    y: float
    lines: tuple[str, ...]
    faulty: bool
    goto: bool


class Picture(Record):
    """A picture of `width` × `height` pixels. `legend` explains the looks that occur: a word for style sheets, and its
    meaning."""

    width: float
    height: float
    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    legend: tuple[tuple[str, str], ...]


class _Line(Record):
    """An arrow without a position."""

    source: str
    target: str
    words: tuple[str, ...]
    faulty: bool
    goto: bool


def picture(drawing: Drawing) -> Picture | None:
    """The picture; None if there is nothing to show, or too much."""
    if not drawing.jumps or len(drawing.chains) > MOST_BOXES:
        return None
    texts = {chain.id: tuple(map(_fitting, chain.lines)) for chain in drawing.chains}
    look = {chain.id: _word(look_of(chain)) for chain in drawing.chains}
    lines = [
        _Line(source, target, tuple(map(_fitting, labels(jumps))), faulty, goto)
        for (source, target, goto, faulty), jumps in drawing.arrows.items()
    ]
    leaking = [chain for chain in drawing.chains if chain.leaks]
    if leaking:
        texts[_LEAK_ID], look[_LEAK_ID] = (LEAK,), "missing"
        lines += [_Line(chain.id, _LEAK_ID, (leak_label(chain),), True, False) for chain in leaking]
    boxes = _placed(texts, look, lines)
    arrows = tuple(_arrows(lines, boxes))
    legend = tuple((_word(each), each.value) for each in drawing.looks if each is not Look.PLAIN)
    width = max(box.x + box.width for box in boxes.values()) + PADDING
    height = max(box.y + box.height for box in boxes.values()) + PADDING
    return Picture(width, height, tuple(boxes.values()), arrows, legend)


def _word(look: Look) -> str:
    return look.name.lower().replace("_", "-")


def _fitting(text: str) -> str:
    return text if len(text) <= MOST_CHARACTERS else text[: MOST_CHARACTERS - 1] + "…"


def _placed(texts: dict[str, tuple[str, ...]], look: dict[str, str], lines: list[_Line]) -> dict[str, Box]:
    """The boxes, each high enough for its own lines and those of the arrows that end at it."""
    found: dict[str, Box] = {}
    grid = columns(list(texts), [(line.source, line.target) for line in lines])
    arriving: dict[str, list[tuple[str, ...]]] = {box: [] for box in texts}
    for line in lines:
        arriving[line.target].append(line.words)
    height = {
        box: max(len(own), sum(max(1, len(words)) for words in arriving[box])) * LINE + 2 * PADDING
        for box, own in texts.items()
    }
    heights = [sum(height[box] + ROW_GAP for box in column) for column in grid]
    x = float(PADDING)
    for number, column in enumerate(grid):
        if number:
            words = [word for box in column for each in arriving[box] for word in each]
            x += COLUMN_GAP + max(map(cells, words), default=0) * CHARACTER
        width = max(cells(line) for box in column for line in texts[box]) * CHARACTER + 2 * PADDING
        y = PADDING + (max(heights) - heights[number]) / 2
        for box in column:
            found[box] = Box(x, y, width, height[box], texts[box], look[box])
            y += height[box] + ROW_GAP
        x += width
    return found


def _arrows(lines: list[_Line], boxes: dict[str, Box]) -> list[Arrow]:
    """The arrows; those that end at one box are stacked in the order of their sources."""
    found: list[Arrow] = []
    taken: dict[str, float] = {}
    for line in sorted(lines, key=lambda line: (boxes[line.source].y, boxes[line.source].x)):
        target = boxes[line.target]
        needed = max(1, len(line.words)) * LINE
        all_needed = sum(max(1, len(each.words)) * LINE for each in lines if each.target == line.target)
        start = taken.setdefault(line.target, target.y + (target.height - all_needed) / 2)
        taken[line.target] += needed
        found.append(_arrow(boxes[line.source], target, line, start + needed - LINE / 2 + 3))
    return found


def _arrow(source: Box, target: Box, line: _Line, to_y: float) -> Arrow:
    """From the right side of one box to the left side of the other."""
    from_x, from_y = source.x + source.width, source.y + source.height / 2
    to_x = target.x
    bend = COLUMN_GAP / 2
    # The words go above the arrow's straight end, where the arrows of one box are apart.
    straight = max(map(cells, line.words), default=0) * CHARACTER + 14
    bent = to_x - straight
    curve = f"C{from_x + bend:.0f},{from_y:.0f} {bent - COLUMN_GAP / 2:.0f},{to_y:.0f} {bent:.0f},{to_y:.0f}"
    top = to_y - 4 - max(len(line.words) - 1, 0) * LINE
    path = f"M{from_x:.0f},{from_y:.0f} {curve} L{to_x:.0f},{to_y:.0f}"
    return Arrow(path, to_x - straight + 2, top, line.words, line.faulty, line.goto)
