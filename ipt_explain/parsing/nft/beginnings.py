"""The beginning of nft's listings: the only search needed in a text without one."""

from __future__ import annotations

import re

from ipt_explain.patterns import lazy_pattern

# The beginning of a listing or of nft's JSON, or of `jq .nftables` of that.
BEGINNING = lazy_pattern(
    r"^[ \t]*(?:(?P<text>table (?:ip|ip6|inet|arp|bridge|netdev) [^\s{]+ *\{)"
    r'|(?P<json>\{\s*"nftables"\s*:|\[\s*\{\s*"metainfo"\s*:))',
    re.MULTILINE,
)
