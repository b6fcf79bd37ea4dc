"""Made by `common_pieces.write`: pieces by the words that they begin with. Of each: the text around its values, what
each value may be, the part that it is, and the words that may follow."""

# ruff: noqa: E501
from __future__ import annotations

from typing import Any

PIECES: dict[str, list[tuple[tuple[str, ...], tuple[str, ...], tuple[Any, ...], tuple[str | None, ...]]]] = {
    '! -d': [
        (('!\\ \\-d\\ ', ''), ('(?!(?:!)(?![^ \t\n]))[^ \\t\\n"][^ \\t\\n]*',), ('own', ('-d', True, (0,))), ('-m',)),
    ],
    '! -i': [
        (('!\\ \\-i\\ ', ''), ('(?!(?:!)(?![^ \t\n]))[^ \\t\\n"][^ \\t\\n]*',), ('own', ('-i', True, (0,))), ('-p',)),
    ],
    '! -s': [
        (('!\\ \\-s\\ ', ''), ('(?!(?:!)(?![^ \t\n]))[^ \\t\\n"][^ \\t\\n]*',), ('own', ('-s', True, (0,))), ('-d',)),
    ],
    '-A': [
        (('\\-A\\ ', ''), ('[^ \\t\\n"][^ \\t\\n]*',), ('opening', '-A', None), ('!', '-d', '-i', '-j', '-m', '-p', '-s')),
    ],
    '-d': [
        (('\\-d\\ ', ''), ('(?!(?:!)(?![^ \t\n]))[^ \\t\\n"][^ \\t\\n]*',), ('own', ('-d', False, (0,))), ('!', '-m', '-p')),
    ],
    '-i': [
        (('\\-i\\ ', ''), ('(?!(?:!)(?![^ \t\n]))[^ \\t\\n"][^ \\t\\n]*',), ('own', ('-i', False, (0,))), ('-m',)),
    ],
    '-j': [
        (('\\-j\\ ', ''), ('(?:(?![ACDEHILMNQRSTU])|(?!(?:CONNSECMARK|TCPOPTSTRIP|MASQUERADE|CLUSTERIP|IDLETIMER|CHECKSUM|CLASSIFY|REDIRECT|SYNPROXY|CONNMARK|NFQUEUE|NOTRACK|SECMARK|RATEEST|ACCEPT|NETMAP|REJECT|RETURN|TPROXY|TCPMSS|AUDIT|HMARK|NFLOG|QUEUE|TRACE|DNAT|DNPT|DROP|SNAT|SNPT|ULOG|DSCP|MARK|LED|LOG|TEE|ECN|SET|TOS|TTL|CT|HL)(?![^ \t\n])))[^ \\t\\n"][^ \\t\\n]*',), ('target', '-j', None, 0, ()), (None,)),
    ],
    '-j ACCEPT': [
        (('\\-j\\ ACCEPT',), (), ('target', '-j', 'ACCEPT', None, ()), (None,)),
    ],
    '-j DNAT': [
        (('\\-j\\ DNAT\\ \\-\\-to\\-destination\\ ', ''), ('[^ \\t\\n"][^ \\t\\n]*',), ('target', '-j', 'DNAT', None, (('--to-destination', False, (0,)),)), (None,)),
    ],
    '-j DROP': [
        (('\\-j\\ DROP',), (), ('target', '-j', 'DROP', None, ()), (None,)),
    ],
    '-j MARK': [
        (('\\-j\\ MARK\\ \\-\\-set\\-xmark\\ ', ''), ('[^ \\t\\n"][^ \\t\\n]*',), ('target', '-j', 'MARK', None, (('--set-xmark', False, (0,)),)), (None,)),
    ],
    '-j MASQUERADE': [
        (('\\-j\\ MASQUERADE',), (), ('target', '-j', 'MASQUERADE', None, ()), (None,)),
        (('\\-j\\ MASQUERADE\\ \\-\\-random\\-fully',), (), ('target', '-j', 'MASQUERADE', None, (('--random-fully', False, ()),)), (None,)),
    ],
    '-j REJECT': [
        (('\\-j\\ REJECT\\ \\-\\-reject\\-with\\ ', ''), ('[^ \\t\\n"][^ \\t\\n]*',), ('target', '-j', 'REJECT', None, (('--reject-with', False, (0,)),)), (None,)),
    ],
    '-j RETURN': [
        (('\\-j\\ RETURN',), (), ('target', '-j', 'RETURN', None, ()), (None,)),
    ],
    '-m addrtype': [
        (('\\-m\\ addrtype\\ !\\ \\-\\-src\\-type\\ ', ''), ('(?!(?:!)(?![^ \t\n]))[^ \\t\\n"][^ \\t\\n]*',), ('match', 'addrtype', (('--src-type', True, (0,)),)), ('-j',)),
        (('\\-m\\ addrtype\\ \\-\\-dst\\-type\\ ', ''), ('(?!(?:!)(?![^ \t\n]))[^ \\t\\n"][^ \\t\\n]*',), ('match', 'addrtype', (('--dst-type', False, (0,)),)), ('-j', '-m')),
        (('\\-m\\ addrtype\\ \\-\\-src\\-type\\ ', ''), ('(?!(?:!)(?![^ \t\n]))[^ \\t\\n"][^ \\t\\n]*',), ('match', 'addrtype', (('--src-type', False, (0,)),)), ('-j',)),
    ],
    '-m comment': [
        (('\\-m\\ comment\\ \\-\\-comment\\ ', ''), ('"[^"\\\\\\n]*"',), ('match', 'comment', (('--comment', False, (0,)),)), (None, '-j', '-m')),
    ],
    '-m conntrack': [
        (('\\-m\\ conntrack\\ !\\ \\-\\-ctstate\\ ', ''), ('(?!(?:!)(?![^ \t\n]))[^ \\t\\n"][^ \\t\\n]*',), ('match', 'conntrack', (('--ctstate', True, (0,)),)), ('-j',)),
        (('\\-m\\ conntrack\\ \\-\\-ctstate\\ ', ''), ('(?!(?:!)(?![^ \t\n]))[^ \\t\\n"][^ \\t\\n]*',), ('match', 'conntrack', (('--ctstate', False, (0,)),)), ('-j', '-m')),
    ],
    '-m mark': [
        (('\\-m\\ mark\\ !\\ \\-\\-mark\\ ', ''), ('(?!(?:!)(?![^ \t\n]))[^ \\t\\n"][^ \\t\\n]*',), ('match', 'mark', (('--mark', True, (0,)),)), ('-j',)),
        (('\\-m\\ mark\\ \\-\\-mark\\ ', ''), ('(?!(?:!)(?![^ \t\n]))[^ \\t\\n"][^ \\t\\n]*',), ('match', 'mark', (('--mark', False, (0,)),)), ('-j',)),
    ],
    '-m nfacct': [
        (('\\-m\\ nfacct\\ \\-\\-nfacct\\-name\\ \\ ', ''), ('(?![-!])[^ \\t\\n"][^ \\t\\n]*',), ('match', 'nfacct', (('--nfacct-name', False, (0,)),)), ('-j',)),
    ],
    '-m physdev': [
        (('\\-m\\ physdev\\ !\\ \\-\\-physdev\\-is\\-in',), (), ('match', 'physdev', (('--physdev-is-in', True, ()),)), ('-m',)),
    ],
    '-m recent': [
        (('\\-m\\ recent\\ \\-\\-rcheck\\ \\-\\-seconds\\ ', '\\ \\-\\-reap\\ \\-\\-name\\ ', '\\ \\-\\-mask\\ ', '\\ \\-\\-rsource'), ('[^ \\t\\n"][^ \\t\\n]*', '[^ \\t\\n"][^ \\t\\n]*', '[^ \\t\\n"][^ \\t\\n]*'), ('match', 'recent', (('--rcheck', False, ()), ('--seconds', False, (0,)), ('--reap', False, ()), ('--name', False, (1,)), ('--mask', False, (2,)), ('--rsource', False, ()))), ('-j',)),
        (('\\-m\\ recent\\ \\-\\-set\\ \\-\\-name\\ ', '\\ \\-\\-mask\\ ', '\\ \\-\\-rsource'), ('[^ \\t\\n"][^ \\t\\n]*', '[^ \\t\\n"][^ \\t\\n]*'), ('match', 'recent', (('--set', False, ()), ('--name', False, (0,)), ('--mask', False, (1,)), ('--rsource', False, ()))), ('-m',)),
    ],
    '-m sctp': [
        (('\\-m\\ sctp',), (), ('match', 'sctp', ()), ('-j',)),
        (('\\-m\\ sctp\\ \\-\\-dport\\ ', ''), ('(?!(?:!)(?![^ \t\n]))[^ \\t\\n"][^ \\t\\n]*',), ('match', 'sctp', (('--dport', False, (0,)),)), ('-j', '-m')),
    ],
    '-m statistic': [
        (('\\-m\\ statistic\\ \\-\\-mode\\ ', '\\ \\-\\-probability\\ ', ''), ('[^ \\t\\n"][^ \\t\\n]*', '(?!(?:!)(?![^ \t\n]))[^ \\t\\n"][^ \\t\\n]*'), ('match', 'statistic', (('--mode', False, (0,)), ('--probability', False, (1,)))), ('-j',)),
    ],
    '-m tcp': [
        (('\\-m\\ tcp',), (), ('match', 'tcp', ()), ('-j',)),
        (('\\-m\\ tcp\\ \\-\\-dport\\ ', ''), ('(?!(?:!)(?![^ \t\n]))[^ \\t\\n"][^ \\t\\n]*',), ('match', 'tcp', (('--dport', False, (0,)),)), ('-j', '-m')),
    ],
    '-m udp': [
        (('\\-m\\ udp',), (), ('match', 'udp', ()), ('-j',)),
        (('\\-m\\ udp\\ \\-\\-dport\\ ', ''), ('(?!(?:!)(?![^ \t\n]))[^ \\t\\n"][^ \\t\\n]*',), ('match', 'udp', (('--dport', False, (0,)),)), ('-j', '-m')),
    ],
    '-p': [
        (('\\-p\\ ', ''), ('(?!(?:!)(?![^ \t\n]))[^ \\t\\n"][^ \\t\\n]*',), ('own', ('-p', False, (0,))), ('-m',)),
    ],
    '-s': [
        (('\\-s\\ ', ''), ('(?!(?:!)(?![^ \t\n]))[^ \\t\\n"][^ \\t\\n]*',), ('own', ('-s', False, (0,))), ('-j', '-m', '-p')),
    ],
}
