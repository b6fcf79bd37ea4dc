"""How a listing of nft's begins: all that a text without one costs."""

from __future__ import annotations

import re

from ipt_explain.patterns import lazy_pattern

# Where a listing begins, or a JSON document of nft's.
BEGINNING = lazy_pattern(
    r'^[ \t]*(?:(?P<text>table (?:ip|ip6|inet|arp|bridge|netdev) [^\s{]+ *\{)|(?P<json>\{\s*"nftables"\s*:))',
    re.MULTILINE,
)
