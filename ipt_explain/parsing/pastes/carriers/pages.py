"""The source of an HTML page: its lines without tags, minus those that have no rules or listings."""

from __future__ import annotations

import re
from html import unescape

from ipt_explain.parsing.iptables.diagnosis.prefixes import RULE_ANYWHERE, RULE_START
from ipt_explain.parsing.ipvs.signs import tool_of
from ipt_explain.parsing.listings.columns import read_header
from ipt_explain.parsing.nft.beginnings import BEGINNING
from ipt_explain.parsing.pastes.around import is_row
from ipt_explain.parsing.pastes.broken.wrapping import OPENS_TABLE
from ipt_explain.patterns import lazy_pattern

_TAG = re.compile(
    r"</?(?:span|code|pre|div|p|br|a|b|i|li|ul|ol|td|th|tr|table|tbody|body|html|strong|em|img|font|details|summary|kbd|samp|h[1-6])\b[^<>]{0,400}>"
)
_PAGE = re.compile(r"</(?:span|code|pre|div|p|li|td|tr|body|html|details)>|<br ?/?>$", re.MULTILINE)
"""Tags that show that a text is a page; those of bold type could be in a rule's comment."""
_ENTITY = lazy_pattern(r"&(?:gt|lt|amp|quot|nbsp|#34|#39);")
_DUMP_LINE = re.compile(RULE_START)
_RULE = re.compile(rf"(?:^|\s){RULE_START}")
_SET = re.compile(r"Name: \S+\s*\Z")
_CHAIN = re.compile(r"\s*Chain \S")


def without_tags(text: str) -> tuple[str, int]:
    """The text without tags, and the number of lines with tags. Rules of a whole table stay unchanged: chains,
    interfaces and comments may look like tags."""
    if not _PAGE.search(text):
        return text, 0
    lines = text.split("\n")
    count = 0
    in_table = in_nft = in_set = open_quote = above = False
    for place, line in enumerate(lines):
        dumped = in_table and (open_quote or _DUMP_LINE.match(line) is not None)
        if "<" in line and not dumped and _TAG.search(line):
            count += 1
            ends = "</pre" in line
            in_table = in_table and not ends
            bare = unescape(_TAG.sub("", _in_block(line))).replace("\u00a0", " ")
            in_nft = in_nft or BEGINNING.match(bare) is not None
            in_set = (in_set or _SET.match(bare) is not None) and bool(bare.strip())
            rule = _RULE.search(bare) is not None or (above and RULE_ANYWHERE.search(bare) is not None)
            lines[place] = bare if rule or in_nft or in_set or _is_of_a_tool(bare) else "# </pre>" if ends else ""
        elif "&" in line and not dumped and '"' not in line and _ENTITY.search(line):
            lines[place] = unescape(line)
        elif OPENS_TABLE.match(line):
            in_table = True
        elif BEGINNING.match(line):
            in_nft = True
        elif line.startswith("COMMIT"):
            in_table = False
        in_nft = in_nft and not lines[place].startswith("}")
        above = _RULE.search(lines[place]) is not None
        open_quote = above and line.count('"') % 2 == 1
    return "\n".join(lines), count


def _in_block(line: str) -> str:
    """What of a line is in the block that it opens or closes; all of it if that is nothing."""
    opened = line.rfind("<pre")
    start = line.find(">", opened) + 1 if opened >= 0 else 0
    end = line.find("</pre", start)
    inner = line[start : end if end >= 0 else len(line)]
    return inner if _TAG.sub("", inner).strip() else line


def _is_of_a_tool(line: str) -> bool:
    """Whether another tool's output may begin or end with a line, or it is a row of a listing."""
    if line.strip() == "}" or is_row(line) or tool_of(line, 0) is not None:
        return True
    return any((_CHAIN.match(line), read_header(line), BEGINNING.match(line)))
