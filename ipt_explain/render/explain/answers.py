"""What would answer the questions that make Services unknown: other output from the node, or following one packet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ipt_explain.render.text.outline import Line, TreeNode, draw, sentence
from ipt_explain.services.explanation import Reading
from ipt_explain.services.fates import NOT_SHOWN, is_clause
from ipt_explain.services.health import Health, Standing
from ipt_explain.services.losses import open_questions
from ipt_explain.words import both

_OF_ADDRESSES = " is an address of this node"
_OF_SETS = "--match-set "


def answer_lines(found: Health, reading: Reading, width: int) -> Iterator[Line]:
    """What to add to the input, or how to answer what no output shows; nothing if no Service is unknown."""
    doubtful = found.doubt.services[:1] if found.doubt is not None else ()
    unknown = [each.service for each in found.troubles if each.standing is Standing.UNKNOWN]
    asked = list(dict.fromkeys(question for each in (*doubtful, *unknown) for question in open_questions(each)))
    words = " ".join(_sentences(asked, reading))
    if words:
        yield []
        yield from draw(TreeNode(sentence(words, "unknown")), width)


def _sentences(asked: Sequence[str], reading: Reading) -> Iterator[str]:
    addresses = any(question.endswith(_OF_ADDRESSES) for question in asked) and not reading.shows_addresses
    sets = any(_OF_SETS in question for question in asked) and not reading.shows_sets
    commands = [*(["`ip -o addr`"] if addresses else []), *(["`ipset save`"] if sets else [])]
    if commands:
        yield f"The output of {both(commands)} on this node may answer some of this: add it to the input."
    others = [each for each in asked if not is_clause(each) and (reading.shows_sets or _OF_SETS not in each)]
    if set(others) - NOT_SHOWN:
        differs = "The rest differs from connection to connection"
        if not commands:
            differs = "This differs from connection to connection, and no other input answers it"
        yield f"{differs}: follow one with ipt-explain trace (--from, -i, --out-interface, --assume)."
