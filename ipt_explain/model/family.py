"""Address families."""

from __future__ import annotations

from ipt_explain.enums import Enum


class Family(Enum):
    """IPv4 or IPv6: what a ruleset filters, what a set or a virtual server holds."""

    IPV4 = "ipv4"
    IPV6 = "ipv6"
