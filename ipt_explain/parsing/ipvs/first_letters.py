"""How lines of ipvsadm, ipset and `ip addr` begin: a look that costs next to nothing where there are none."""

from __future__ import annotations

import re

# Nearly all lines of a dump of iptables are passed at their first letters.
WORTH_A_LOOK = re.compile(r"^(?:[^-:*#\[C\n]|-A -|-a|--)", re.MULTILINE)
