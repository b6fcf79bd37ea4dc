"""Made by `common_lines.write`: forms by what does not vary in a text, roughly. Of each: the text around its values,
the terminals of these, and the parse tree."""

# ruff: noqa: E501
from __future__ import annotations

from ipt_explain.parsing.nft.trees import Form

TERMINALS: dict[str, str] = {
    'BRACES': '\\{[^{}"]*(?:"[^"\n]*"[^{}"]*)*\\}',
    'CHAIN': '[^\\s{},;"#]+',
    'HEX': '0x[0-9a-fA-F]+(?!\\w)',
    'IPV4': '[0-9]+\\.[0-9]+\\.[0-9]+\\.[0-9]+(?![\\w.])',
    'IPV6': '(?=[0-9a-fA-F]*:[0-9a-fA-F]*:)(?!(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}(?![\\w:]))[0-9a-fA-F:.]*[0-9a-fA-F:](?![\\w.])',
    'MAC': '(?:[0-9a-fA-F]{2}:){5}[0-9a-fA-F]{2}(?![\\w:])',
    'NAME': '[^\\s{};"#]+',
    'NUMBER': '[0-9]+(?![\\w.:])',
    'SET_NAME': '@[^\\s{},;"#]+',
    'STRING': '"[^"\n]*"',
    'TIME': '(?:[0-9]+(?:ms|[smhdw]))+(?!\\w)',
    'TRAILING': '#[^\n]*',
}

FORMS: dict[str, dict[str, list[Form]]] = {
    'line': {
        '': [
            (('goto ', ''), ('CHAIN',), ('line', (('rule', (('transfer', ('goto', (0, 'CHAIN'))),)),))),
            (('jump ', ''), ('CHAIN',), ('line', (('rule', (('transfer', ('jump', (0, 'CHAIN'))),)),))),
        ],
        ' daddr   saddr !=  meta mark  mark |  comment ': [
            (('ip6 daddr ', ' ip6 saddr != ', '/', ' meta mark set meta mark | ', ' comment ', ''), ('SET_NAME', 'IPV6', 'NUMBER', 'HEX', 'STRING'), ('line', (('rule', (('match', (('payload', ('ip6', 'daddr')), ('set_name', ((0, 'SET_NAME'),)))), ('match', (('payload', ('ip6', 'saddr')), '!=', ('slashed', (('text', ((1, 'IPV6'),)), '/', ('number', ((2, 'NUMBER'),)))))), ('mangle', (('meta', ('meta', 'mark')), 'set', ('binary', (('meta', ('meta', 'mark')), ('mask_operator', ('|',)), ('hexadecimal', ((3, 'HEX'),)))))), ('comment', ('comment', (4, 'STRING'))))),))),
        ],
        ' daddr  drop comment ': [
            (('ip6 daddr ', '/', ' drop comment ', ''), ('IPV6', 'NUMBER', 'STRING'), ('line', (('rule', (('match', (('payload', ('ip6', 'daddr')), ('slashed', (('text', ((0, 'IPV6'),)), '/', ('number', ((1, 'NUMBER'),)))))), ('verdict', ('drop',)), ('comment', ('comment', (2, 'STRING'))))),))),
        ],
        ' daddr  iifname !=  meta mark  mark |  comment ': [
            (('ip6 daddr ', ' iifname != ', ' meta mark set meta mark | ', ' comment ', ''), ('SET_NAME', 'STRING', 'HEX', 'STRING'), ('line', (('rule', (('match', (('payload', ('ip6', 'daddr')), ('set_name', ((0, 'SET_NAME'),)))), ('match', (('meta', ('iifname',)), '!=', ('string', ((1, 'STRING'),)))), ('mangle', (('meta', ('meta', 'mark')), 'set', ('binary', (('meta', ('meta', 'mark')), ('mask_operator', ('|',)), ('hexadecimal', ((2, 'HEX'),)))))), ('comment', ('comment', (3, 'STRING'))))),))),
        ],
        ' daddr  meta  . th dport v': [
            (('ip6 daddr ', ' meta l4proto . th dport vmap ', ''), ('SET_NAME', 'SET_NAME'), ('line', (('rule', (('match', (('payload', ('ip6', 'daddr')), ('set_name', ((0, 'SET_NAME'),)))), ('verdict_map', (('concatenation', (('meta', ('meta', 'l4proto')), '.', ('payload', ('th', 'dport')))), 'vmap', ('set_name', ((1, 'SET_NAME'),)))))),))),
        ],
        ' daddr  meta mark  mark |  comment ': [
            (('ip6 daddr ', ' meta mark set meta mark | ', ' comment ', ''), ('SET_NAME', 'HEX', 'STRING'), ('line', (('rule', (('match', (('payload', ('ip6', 'daddr')), ('set_name', ((0, 'SET_NAME'),)))), ('mangle', (('meta', ('meta', 'mark')), 'set', ('binary', (('meta', ('meta', 'mark')), ('mask_operator', ('|',)), ('hexadecimal', ((1, 'HEX'),)))))), ('comment', ('comment', (2, 'STRING'))))),))),
        ],
        ' daddr  reject comment ': [
            (('ip6 daddr ', ' reject comment ', ''), ('SET_NAME', 'STRING'), ('line', (('rule', (('match', (('payload', ('ip6', 'daddr')), ('set_name', ((0, 'SET_NAME'),)))), ('reject', ('reject',)), ('comment', ('comment', (1, 'STRING'))))),))),
        ],
        ' daddr  tcp dport   saddr !=  ': [
            (('ip6 daddr ', ' tcp dport ', ' ip6 saddr != ', '/', ' jump ', ''), ('IPV6', 'NUMBER', 'IPV6', 'NUMBER', 'CHAIN'), ('line', (('rule', (('match', (('payload', ('ip6', 'daddr')), ('text', ((0, 'IPV6'),)))), ('match', (('payload', ('tcp', 'dport')), ('number', ((1, 'NUMBER'),)))), ('match', (('payload', ('ip6', 'saddr')), '!=', ('slashed', (('text', ((2, 'IPV6'),)), '/', ('number', ((3, 'NUMBER'),)))))), ('transfer', ('jump', (4, 'CHAIN'))))),))),
        ],
        ' daddr  udp dport   saddr !=  ': [
            (('ip6 daddr ', ' udp dport ', ' ip6 saddr != ', '/', ' jump ', ''), ('IPV6', 'NUMBER', 'IPV6', 'NUMBER', 'CHAIN'), ('line', (('rule', (('match', (('payload', ('ip6', 'daddr')), ('text', ((0, 'IPV6'),)))), ('match', (('payload', ('udp', 'dport')), ('number', ((1, 'NUMBER'),)))), ('match', (('payload', ('ip6', 'saddr')), '!=', ('slashed', (('text', ((2, 'IPV6'),)), '/', ('number', ((3, 'NUMBER'),)))))), ('transfer', ('jump', (4, 'CHAIN'))))),))),
        ],
        ' daddr !=  meta  . th dport v': [
            (('ip6 daddr != ', ' meta l4proto . th dport vmap ', ''), ('IPV6', 'SET_NAME'), ('line', (('rule', (('match', (('payload', ('ip6', 'daddr')), '!=', ('text', ((0, 'IPV6'),)))), ('verdict_map', (('concatenation', (('meta', ('meta', 'l4proto')), '.', ('payload', ('th', 'dport')))), 'vmap', ('set_name', ((1, 'SET_NAME'),)))))),))),
        ],
        ' daddr . meta  . th dport v': [
            (('ip6 daddr . meta l4proto . th dport vmap ', ''), ('SET_NAME',), ('line', (('rule', (('verdict_map', (('concatenation', (('payload', ('ip6', 'daddr')), '.', ('meta', ('meta', 'l4proto')), '.', ('payload', ('th', 'dport')))), 'vmap', ('set_name', ((0, 'SET_NAME'),)))),)),))),
        ],
        ' saddr  ': [
            (('ip6 saddr ', ' goto ', ''), ('SET_NAME', 'CHAIN'), ('line', (('rule', (('match', (('payload', ('ip6', 'saddr')), ('set_name', ((0, 'SET_NAME'),)))), ('transfer', ('goto', (1, 'CHAIN'))))),))),
            (('ip6 saddr ', ' jump ', ''), ('IPV6', 'CHAIN'), ('line', (('rule', (('match', (('payload', ('ip6', 'saddr')), ('text', ((0, 'IPV6'),)))), ('transfer', ('jump', (1, 'CHAIN'))))),))),
        ],
        ' saddr   comment ': [
            (('ip6 saddr ', '/', ' goto ', ' comment ', ''), ('IPV6', 'NUMBER', 'CHAIN', 'STRING'), ('line', (('rule', (('match', (('payload', ('ip6', 'saddr')), ('slashed', (('text', ((0, 'IPV6'),)), '/', ('number', ((1, 'NUMBER'),)))))), ('transfer', ('goto', (2, 'CHAIN'))), ('comment', ('comment', (3, 'STRING'))))),))),
        ],
        ' saddr !=  drop': [
            (('ip6 saddr != ', '/', ' drop'), ('IPV6', 'NUMBER'), ('line', (('rule', (('match', (('payload', ('ip6', 'saddr')), '!=', ('slashed', (('text', ((0, 'IPV6'),)), '/', ('number', ((1, 'NUMBER'),)))))), ('verdict', ('drop',)))),))),
        ],
        ' {': [
            (('chain ', ' {'), ('NAME',), ('line', (('open_chain', ('chain', (0, 'NAME'), '{')),))),
            (('map ', ' {'), ('NAME',), ('line', (('open_map', ('map', (0, 'NAME'), '{')),))),
            (('set ', ' {'), ('NAME',), ('line', (('open_set', ('set', (0, 'NAME'), '{')),))),
        ],
        'comment ': [
            (('comment ', ''), ('STRING',), ('line', (('rule', (('comment', ('comment', (0, 'STRING'))),)),))),
        ],
        'ct state new ': [
            (('ct state new jump ', ''), ('CHAIN',), ('line', (('rule', (('match', (('conntrack', ('ct', 'state')), ('word', ('new',)))), ('transfer', ('jump', (0, 'CHAIN'))))),))),
        ],
        'ct status dnat  saddr .  daddr . meta  . th dport  masquerade fully-random': [
            (('ct status dnat ip6 saddr . ip6 daddr . meta l4proto . th dport ', ' masquerade fully-random'), ('SET_NAME',), ('line', (('rule', (('match', (('conntrack', ('ct', 'status')), ('word', ('dnat',)))), ('match', (('concatenation', (('payload', ('ip6', 'saddr')), '.', ('payload', ('ip6', 'daddr')), '.', ('meta', ('meta', 'l4proto')), '.', ('payload', ('th', 'dport')))), ('set_name', ((0, 'SET_NAME'),)))), ('local_nat', ('masquerade', ('nat_flags', ('fully-random',)))))),))),
        ],
        'ct status dnat ip saddr . ip daddr . meta  . th dport  masquerade fully-random': [
            (('ct status dnat ip saddr . ip daddr . meta l4proto . th dport ', ' masquerade fully-random'), ('SET_NAME',), ('line', (('rule', (('match', (('conntrack', ('ct', 'status')), ('word', ('dnat',)))), ('match', (('concatenation', (('payload', ('ip', 'saddr')), '.', ('payload', ('ip', 'daddr')), '.', ('meta', ('meta', 'l4proto')), '.', ('payload', ('th', 'dport')))), ('set_name', ((0, 'SET_NAME'),)))), ('local_nat', ('masquerade', ('nat_flags', ('fully-random',)))))),))),
        ],
        'fib daddr type local  daddr !=  meta  . th dport v': [
            (('fib daddr type local ip6 daddr != ', ' meta l4proto . th dport vmap ', ''), ('IPV6', 'SET_NAME'), ('line', (('rule', (('match', (('fib', ('fib', 'daddr', 'type')), ('word', ('local',)))), ('match', (('payload', ('ip6', 'daddr')), '!=', ('text', ((0, 'IPV6'),)))), ('verdict_map', (('concatenation', (('meta', ('meta', 'l4proto')), '.', ('payload', ('th', 'dport')))), 'vmap', ('set_name', ((1, 'SET_NAME'),)))))),))),
        ],
        'fib daddr type local ip daddr !=  meta  . th dport v': [
            (('fib daddr type local ip daddr != ', '/', ' meta l4proto . th dport vmap ', ''), ('IPV4', 'NUMBER', 'SET_NAME'), ('line', (('rule', (('match', (('fib', ('fib', 'daddr', 'type')), ('word', ('local',)))), ('match', (('payload', ('ip', 'daddr')), '!=', ('slashed', (('text', ((0, 'IPV4'),)), '/', ('number', ((1, 'NUMBER'),)))))), ('verdict_map', (('concatenation', (('meta', ('meta', 'l4proto')), '.', ('payload', ('th', 'dport')))), 'vmap', ('set_name', ((2, 'SET_NAME'),)))))),))),
        ],
        'fib saddr type local  comment ': [
            (('fib saddr type local goto ', ' comment ', ''), ('CHAIN', 'STRING'), ('line', (('rule', (('match', (('fib', ('fib', 'saddr', 'type')), ('word', ('local',)))), ('transfer', ('goto', (0, 'CHAIN'))), ('comment', ('comment', (1, 'STRING'))))),))),
            (('fib saddr type local jump ', ' comment ', ''), ('CHAIN', 'STRING'), ('line', (('rule', (('match', (('fib', ('fib', 'saddr', 'type')), ('word', ('local',)))), ('transfer', ('jump', (0, 'CHAIN'))), ('comment', ('comment', (1, 'STRING'))))),))),
        ],
        'fib saddr type local meta mark  mark |  comment ': [
            (('fib saddr type local meta mark set meta mark | ', ' comment ', ''), ('HEX', 'STRING'), ('line', (('rule', (('match', (('fib', ('fib', 'saddr', 'type')), ('word', ('local',)))), ('mangle', (('meta', ('meta', 'mark')), 'set', ('binary', (('meta', ('meta', 'mark')), ('mask_operator', ('|',)), ('hexadecimal', ((0, 'HEX'),)))))), ('comment', ('comment', (1, 'STRING'))))),))),
        ],
        'flags dynamic,timeout': [
            (('flags dynamic,timeout',), (), ('line', (('flag_property', ('flags', 'dynamic', ',', 'timeout')),))),
        ],
        'iif   comment ': [
            (('iif ', ' goto ', ' comment ', ''), ('STRING', 'CHAIN', 'STRING'), ('line', (('rule', (('match', (('meta', ('iif',)), ('string', ((0, 'STRING'),)))), ('transfer', ('goto', (1, 'CHAIN'))), ('comment', ('comment', (2, 'STRING'))))),))),
        ],
        'iifname   comment ': [
            (('iifname ', ' goto ', ' comment ', ''), ('STRING', 'CHAIN', 'STRING'), ('line', (('rule', (('match', (('meta', ('iifname',)), ('string', ((0, 'STRING'),)))), ('transfer', ('goto', (1, 'CHAIN'))), ('comment', ('comment', (2, 'STRING'))))),))),
        ],
        'ip daddr  drop comment ': [
            (('ip daddr ', '/', ' drop comment ', ''), ('IPV4', 'NUMBER', 'STRING'), ('line', (('rule', (('match', (('payload', ('ip', 'daddr')), ('slashed', (('text', ((0, 'IPV4'),)), '/', ('number', ((1, 'NUMBER'),)))))), ('verdict', ('drop',)), ('comment', ('comment', (2, 'STRING'))))),))),
        ],
        'ip daddr  iifname !=  meta mark  mark |  comment ': [
            (('ip daddr ', ' iifname != ', ' meta mark set meta mark | ', ' comment ', ''), ('SET_NAME', 'STRING', 'HEX', 'STRING'), ('line', (('rule', (('match', (('payload', ('ip', 'daddr')), ('set_name', ((0, 'SET_NAME'),)))), ('match', (('meta', ('iifname',)), '!=', ('string', ((1, 'STRING'),)))), ('mangle', (('meta', ('meta', 'mark')), 'set', ('binary', (('meta', ('meta', 'mark')), ('mask_operator', ('|',)), ('hexadecimal', ((2, 'HEX'),)))))), ('comment', ('comment', (3, 'STRING'))))),))),
        ],
        'ip daddr  ip saddr !=  meta mark  mark |  comment ': [
            (('ip daddr ', ' ip saddr != ', '/', ' meta mark set meta mark | ', ' comment ', ''), ('SET_NAME', 'IPV4', 'NUMBER', 'HEX', 'STRING'), ('line', (('rule', (('match', (('payload', ('ip', 'daddr')), ('set_name', ((0, 'SET_NAME'),)))), ('match', (('payload', ('ip', 'saddr')), '!=', ('slashed', (('text', ((1, 'IPV4'),)), '/', ('number', ((2, 'NUMBER'),)))))), ('mangle', (('meta', ('meta', 'mark')), 'set', ('binary', (('meta', ('meta', 'mark')), ('mask_operator', ('|',)), ('hexadecimal', ((3, 'HEX'),)))))), ('comment', ('comment', (4, 'STRING'))))),))),
        ],
        'ip daddr  meta  . th dport v': [
            (('ip daddr ', ' meta l4proto . th dport vmap ', ''), ('SET_NAME', 'SET_NAME'), ('line', (('rule', (('match', (('payload', ('ip', 'daddr')), ('set_name', ((0, 'SET_NAME'),)))), ('verdict_map', (('concatenation', (('meta', ('meta', 'l4proto')), '.', ('payload', ('th', 'dport')))), 'vmap', ('set_name', ((1, 'SET_NAME'),)))))),))),
        ],
        'ip daddr  meta mark  mark |  comment ': [
            (('ip daddr ', ' meta mark set meta mark | ', ' comment ', ''), ('SET_NAME', 'HEX', 'STRING'), ('line', (('rule', (('match', (('payload', ('ip', 'daddr')), ('set_name', ((0, 'SET_NAME'),)))), ('mangle', (('meta', ('meta', 'mark')), 'set', ('binary', (('meta', ('meta', 'mark')), ('mask_operator', ('|',)), ('hexadecimal', ((1, 'HEX'),)))))), ('comment', ('comment', (2, 'STRING'))))),))),
        ],
        'ip daddr  reject comment ': [
            (('ip daddr ', ' reject comment ', ''), ('SET_NAME', 'STRING'), ('line', (('rule', (('match', (('payload', ('ip', 'daddr')), ('set_name', ((0, 'SET_NAME'),)))), ('reject', ('reject',)), ('comment', ('comment', (1, 'STRING'))))),))),
        ],
        'ip daddr  sctp dport  ip saddr !=  ': [
            (('ip daddr ', ' sctp dport ', ' ip saddr != ', '/', ' jump ', ''), ('IPV4', 'NUMBER', 'IPV4', 'NUMBER', 'CHAIN'), ('line', (('rule', (('match', (('payload', ('ip', 'daddr')), ('text', ((0, 'IPV4'),)))), ('match', (('payload', ('sctp', 'dport')), ('number', ((1, 'NUMBER'),)))), ('match', (('payload', ('ip', 'saddr')), '!=', ('slashed', (('text', ((2, 'IPV4'),)), '/', ('number', ((3, 'NUMBER'),)))))), ('transfer', ('jump', (4, 'CHAIN'))))),))),
        ],
        'ip daddr  tcp dport  ': [
            (('ip daddr ', ' tcp dport ', ' jump ', ''), ('IPV4', 'NUMBER', 'CHAIN'), ('line', (('rule', (('match', (('payload', ('ip', 'daddr')), ('text', ((0, 'IPV4'),)))), ('match', (('payload', ('tcp', 'dport')), ('number', ((1, 'NUMBER'),)))), ('transfer', ('jump', (2, 'CHAIN'))))),))),
        ],
        'ip daddr  tcp dport  iif !=  ': [
            (('ip daddr ', ' tcp dport ', ' iif != ', ' jump ', ''), ('IPV4', 'NUMBER', 'STRING', 'CHAIN'), ('line', (('rule', (('match', (('payload', ('ip', 'daddr')), ('text', ((0, 'IPV4'),)))), ('match', (('payload', ('tcp', 'dport')), ('number', ((1, 'NUMBER'),)))), ('match', (('meta', ('iif',)), '!=', ('string', ((2, 'STRING'),)))), ('transfer', ('jump', (3, 'CHAIN'))))),))),
        ],
        'ip daddr  tcp dport  iifname !=  ': [
            (('ip daddr ', ' tcp dport ', ' iifname != ', ' jump ', ''), ('IPV4', 'NUMBER', 'STRING', 'CHAIN'), ('line', (('rule', (('match', (('payload', ('ip', 'daddr')), ('text', ((0, 'IPV4'),)))), ('match', (('payload', ('tcp', 'dport')), ('number', ((1, 'NUMBER'),)))), ('match', (('meta', ('iifname',)), '!=', ('string', ((2, 'STRING'),)))), ('transfer', ('jump', (3, 'CHAIN'))))),))),
        ],
        'ip daddr  tcp dport  ip saddr !=  ': [
            (('ip daddr ', ' tcp dport ', ' ip saddr != ', '/', ' jump ', ''), ('IPV4', 'NUMBER', 'IPV4', 'NUMBER', 'CHAIN'), ('line', (('rule', (('match', (('payload', ('ip', 'daddr')), ('text', ((0, 'IPV4'),)))), ('match', (('payload', ('tcp', 'dport')), ('number', ((1, 'NUMBER'),)))), ('match', (('payload', ('ip', 'saddr')), '!=', ('slashed', (('text', ((2, 'IPV4'),)), '/', ('number', ((3, 'NUMBER'),)))))), ('transfer', ('jump', (4, 'CHAIN'))))),))),
        ],
        'ip daddr  udp dport  ': [
            (('ip daddr ', ' udp dport ', ' jump ', ''), ('IPV4', 'NUMBER', 'CHAIN'), ('line', (('rule', (('match', (('payload', ('ip', 'daddr')), ('text', ((0, 'IPV4'),)))), ('match', (('payload', ('udp', 'dport')), ('number', ((1, 'NUMBER'),)))), ('transfer', ('jump', (2, 'CHAIN'))))),))),
        ],
        'ip daddr  udp dport  iif !=  ': [
            (('ip daddr ', ' udp dport ', ' iif != ', ' jump ', ''), ('IPV4', 'NUMBER', 'STRING', 'CHAIN'), ('line', (('rule', (('match', (('payload', ('ip', 'daddr')), ('text', ((0, 'IPV4'),)))), ('match', (('payload', ('udp', 'dport')), ('number', ((1, 'NUMBER'),)))), ('match', (('meta', ('iif',)), '!=', ('string', ((2, 'STRING'),)))), ('transfer', ('jump', (3, 'CHAIN'))))),))),
        ],
        'ip daddr  udp dport  iifname !=  ': [
            (('ip daddr ', ' udp dport ', ' iifname != ', ' jump ', ''), ('IPV4', 'NUMBER', 'STRING', 'CHAIN'), ('line', (('rule', (('match', (('payload', ('ip', 'daddr')), ('text', ((0, 'IPV4'),)))), ('match', (('payload', ('udp', 'dport')), ('number', ((1, 'NUMBER'),)))), ('match', (('meta', ('iifname',)), '!=', ('string', ((2, 'STRING'),)))), ('transfer', ('jump', (3, 'CHAIN'))))),))),
        ],
        'ip daddr  udp dport  ip saddr !=  ': [
            (('ip daddr ', ' udp dport ', ' ip saddr != ', '/', ' jump ', ''), ('IPV4', 'NUMBER', 'IPV4', 'NUMBER', 'CHAIN'), ('line', (('rule', (('match', (('payload', ('ip', 'daddr')), ('text', ((0, 'IPV4'),)))), ('match', (('payload', ('udp', 'dport')), ('number', ((1, 'NUMBER'),)))), ('match', (('payload', ('ip', 'saddr')), '!=', ('slashed', (('text', ((2, 'IPV4'),)), '/', ('number', ((3, 'NUMBER'),)))))), ('transfer', ('jump', (4, 'CHAIN'))))),))),
        ],
        'ip daddr !=  meta  . th dport v': [
            (('ip daddr != ', '/', ' meta l4proto . th dport vmap ', ''), ('IPV4', 'NUMBER', 'SET_NAME'), ('line', (('rule', (('match', (('payload', ('ip', 'daddr')), '!=', ('slashed', (('text', ((0, 'IPV4'),)), '/', ('number', ((1, 'NUMBER'),)))))), ('verdict_map', (('concatenation', (('meta', ('meta', 'l4proto')), '.', ('payload', ('th', 'dport')))), 'vmap', ('set_name', ((2, 'SET_NAME'),)))))),))),
        ],
        'ip daddr . meta  . th dport v': [
            (('ip daddr . meta l4proto . th dport vmap ', ''), ('SET_NAME',), ('line', (('rule', (('verdict_map', (('concatenation', (('payload', ('ip', 'daddr')), '.', ('meta', ('meta', 'l4proto')), '.', ('payload', ('th', 'dport')))), 'vmap', ('set_name', ((0, 'SET_NAME'),)))),)),))),
        ],
        'ip saddr  ': [
            (('ip saddr ', ' jump ', ''), ('IPV4', 'CHAIN'), ('line', (('rule', (('match', (('payload', ('ip', 'saddr')), ('text', ((0, 'IPV4'),)))), ('transfer', ('jump', (1, 'CHAIN'))))),))),
            (('ip saddr ', ' goto ', ''), ('SET_NAME', 'CHAIN'), ('line', (('rule', (('match', (('payload', ('ip', 'saddr')), ('set_name', ((0, 'SET_NAME'),)))), ('transfer', ('goto', (1, 'CHAIN'))))),))),
        ],
        'ip saddr   comment ': [
            (('ip saddr ', '/', ' goto ', ' comment ', ''), ('IPV4', 'NUMBER', 'CHAIN', 'STRING'), ('line', (('rule', (('match', (('payload', ('ip', 'saddr')), ('slashed', (('text', ((0, 'IPV4'),)), '/', ('number', ((1, 'NUMBER'),)))))), ('transfer', ('goto', (2, 'CHAIN'))), ('comment', ('comment', (3, 'STRING'))))),))),
        ],
        'ip saddr !=  drop': [
            (('ip saddr != ', '/', ' drop'), ('IPV4', 'NUMBER'), ('line', (('rule', (('match', (('payload', ('ip', 'saddr')), '!=', ('slashed', (('text', ((0, 'IPV4'),)), '/', ('number', ((1, 'NUMBER'),)))))), ('verdict', ('drop',)))),))),
            (('ip saddr != ', ' drop'), ('BRACES',), ('line', (('rule', (('match', (('payload', ('ip', 'saddr')), '!=', ('braces', ((0, 'BRACES'),)))), ('verdict', ('drop',)))),))),
        ],
        'masquerade fully-random': [
            (('masquerade fully-random',), (), ('line', (('rule', (('local_nat', ('masquerade', ('nat_flags', ('fully-random',)))),)),))),
        ],
        'meta  sctp dnat ip to numgen random mod  map ': [
            (('meta l4proto sctp dnat ip to numgen random mod ', ' map ', ''), ('NUMBER', 'BRACES'), ('line', (('rule', (('match', (('meta', ('meta', 'l4proto')), ('word', ('sctp',)))), ('nat', ('dnat', 'ip', 'to', ('nat_by', (('numgen', ('numgen', 'random', 'mod', (0, 'NUMBER'))), 'map', ('braces', ((1, 'BRACES'),)))))))),))),
        ],
        'meta  sctp dnat to ': [
            (('meta l4proto sctp dnat to ', ':', ''), ('IPV4', 'NUMBER'), ('line', (('rule', (('match', (('meta', ('meta', 'l4proto')), ('word', ('sctp',)))), ('nat', ('dnat', 'to', ('nat_to', (('nat_address', ((0, 'IPV4'),)), ':', ('nat_port', ((1, 'NUMBER'),)))))))),))),
        ],
        'meta  tcp dnat  to numgen random mod  map ': [
            (('meta l4proto tcp dnat ip6 to numgen random mod ', ' map ', ''), ('NUMBER', 'BRACES'), ('line', (('rule', (('match', (('meta', ('meta', 'l4proto')), ('word', ('tcp',)))), ('nat', ('dnat', 'ip6', 'to', ('nat_by', (('numgen', ('numgen', 'random', 'mod', (0, 'NUMBER'))), 'map', ('braces', ((1, 'BRACES'),)))))))),))),
        ],
        'meta  tcp dnat ip addr . port to numgen random mod  map ': [
            (('meta l4proto tcp dnat ip addr . port to numgen random mod ', ' map ', ''), ('NUMBER', 'BRACES'), ('line', (('rule', (('match', (('meta', ('meta', 'l4proto')), ('word', ('tcp',)))), ('nat', ('dnat', 'ip', 'addr', '.', 'port', 'to', ('nat_by', (('numgen', ('numgen', 'random', 'mod', (0, 'NUMBER'))), 'map', ('braces', ((1, 'BRACES'),)))))))),))),
        ],
        'meta  tcp dnat ip to numgen random mod  map ': [
            (('meta l4proto tcp dnat ip to numgen random mod ', ' map ', ''), ('NUMBER', 'BRACES'), ('line', (('rule', (('match', (('meta', ('meta', 'l4proto')), ('word', ('tcp',)))), ('nat', ('dnat', 'ip', 'to', ('nat_by', (('numgen', ('numgen', 'random', 'mod', (0, 'NUMBER'))), 'map', ('braces', ((1, 'BRACES'),)))))))),))),
        ],
        'meta  tcp dnat to ': [
            (('meta l4proto tcp dnat to ', ':', ''), ('IPV4', 'NUMBER'), ('line', (('rule', (('match', (('meta', ('meta', 'l4proto')), ('word', ('tcp',)))), ('nat', ('dnat', 'to', ('nat_to', (('nat_address', ((0, 'IPV4'),)), ':', ('nat_port', ((1, 'NUMBER'),)))))))),))),
            (('meta l4proto tcp dnat to [', ']:', ''), ('IPV6', 'NUMBER'), ('line', (('rule', (('match', (('meta', ('meta', 'l4proto')), ('word', ('tcp',)))), ('nat', ('dnat', 'to', ('nat_to', (('nat_address', ('[', (0, 'IPV6'), ']')), ':', ('nat_port', ((1, 'NUMBER'),)))))))),))),
        ],
        'meta  udp dnat  to numgen random mod  map ': [
            (('meta l4proto udp dnat ip6 to numgen random mod ', ' map ', ''), ('NUMBER', 'BRACES'), ('line', (('rule', (('match', (('meta', ('meta', 'l4proto')), ('word', ('udp',)))), ('nat', ('dnat', 'ip6', 'to', ('nat_by', (('numgen', ('numgen', 'random', 'mod', (0, 'NUMBER'))), 'map', ('braces', ((1, 'BRACES'),)))))))),))),
        ],
        'meta  udp dnat ip addr . port to numgen random mod  map ': [
            (('meta l4proto udp dnat ip addr . port to numgen random mod ', ' map ', ''), ('NUMBER', 'BRACES'), ('line', (('rule', (('match', (('meta', ('meta', 'l4proto')), ('word', ('udp',)))), ('nat', ('dnat', 'ip', 'addr', '.', 'port', 'to', ('nat_by', (('numgen', ('numgen', 'random', 'mod', (0, 'NUMBER'))), 'map', ('braces', ((1, 'BRACES'),)))))))),))),
        ],
        'meta  udp dnat ip to numgen random mod  map ': [
            (('meta l4proto udp dnat ip to numgen random mod ', ' map ', ''), ('NUMBER', 'BRACES'), ('line', (('rule', (('match', (('meta', ('meta', 'l4proto')), ('word', ('udp',)))), ('nat', ('dnat', 'ip', 'to', ('nat_by', (('numgen', ('numgen', 'random', 'mod', (0, 'NUMBER'))), 'map', ('braces', ((1, 'BRACES'),)))))))),))),
        ],
        'meta  udp dnat to ': [
            (('meta l4proto udp dnat to ', ':', ''), ('IPV4', 'NUMBER'), ('line', (('rule', (('match', (('meta', ('meta', 'l4proto')), ('word', ('udp',)))), ('nat', ('dnat', 'to', ('nat_to', (('nat_address', ((0, 'IPV4'),)), ':', ('nat_port', ((1, 'NUMBER'),)))))))),))),
            (('meta l4proto udp dnat to [', ']:', ''), ('IPV6', 'NUMBER'), ('line', (('rule', (('match', (('meta', ('meta', 'l4proto')), ('word', ('udp',)))), ('nat', ('dnat', 'to', ('nat_to', (('nat_address', ('[', (0, 'IPV6'), ']')), ':', ('nat_port', ((1, 'NUMBER'),)))))))),))),
        ],
        'meta mark  mark ^ ': [
            (('meta mark set meta mark ^ ', ''), ('HEX',), ('line', (('rule', (('mangle', (('meta', ('meta', 'mark')), 'set', ('binary', (('meta', ('meta', 'mark')), ('mask_operator', ('^',)), ('hexadecimal', ((0, 'HEX'),)))))),)),))),
        ],
        'meta mark  mark | ': [
            (('meta mark set meta mark | ', ''), ('HEX',), ('line', (('rule', (('mangle', (('meta', ('meta', 'mark')), 'set', ('binary', (('meta', ('meta', 'mark')), ('mask_operator', ('|',)), ('hexadecimal', ((0, 'HEX'),)))))),)),))),
        ],
        'meta mark  mark |  comment ': [
            (('meta mark set meta mark | ', ' comment ', ''), ('HEX', 'STRING'), ('line', (('rule', (('mangle', (('meta', ('meta', 'mark')), 'set', ('binary', (('meta', ('meta', 'mark')), ('mask_operator', ('|',)), ('hexadecimal', ((0, 'HEX'),)))))), ('comment', ('comment', (1, 'STRING'))))),))),
        ],
        'meta mark  return': [
            (('meta mark ', '/', ' return'), ('HEX', 'NUMBER'), ('line', (('rule', (('match', (('meta', ('meta', 'mark')), ('slashed', (('hexadecimal', ((0, 'HEX'),)), '/', ('number', ((1, 'NUMBER'),)))))), ('verdict', ('return',)))),))),
        ],
        'meta mark !=  meta mark  mark ^  masquerade fully-random': [
            (('meta mark != ', '/', ' meta mark set meta mark ^ ', ' masquerade fully-random'), ('HEX', 'NUMBER', 'HEX'), ('line', (('rule', (('match', (('meta', ('meta', 'mark')), '!=', ('slashed', (('hexadecimal', ((0, 'HEX'),)), '/', ('number', ((1, 'NUMBER'),)))))), ('mangle', (('meta', ('meta', 'mark')), 'set', ('binary', (('meta', ('meta', 'mark')), ('mask_operator', ('^',)), ('hexadecimal', ((2, 'HEX'),)))))), ('local_nat', ('masquerade', ('nat_flags', ('fully-random',)))))),))),
        ],
        'meta mark &  !=  meta mark  mark ^  masquerade fully-random': [
            (('meta mark & ', ' != ', ' meta mark set meta mark ^ ', ' masquerade fully-random'), ('HEX', 'HEX', 'HEX'), ('line', (('rule', (('match', (('binary', (('meta', ('meta', 'mark')), ('mask_operator', ('&',)), ('hexadecimal', ((0, 'HEX'),)))), '!=', ('hexadecimal', ((1, 'HEX'),)))), ('mangle', (('meta', ('meta', 'mark')), 'set', ('binary', (('meta', ('meta', 'mark')), ('mask_operator', ('^',)), ('hexadecimal', ((2, 'HEX'),)))))), ('local_nat', ('masquerade', ('nat_flags', ('fully-random',)))))),))),
        ],
        'meta mark &  ==  return': [
            (('meta mark & ', ' == ', ' return'), ('HEX', 'HEX'), ('line', (('rule', (('match', (('binary', (('meta', ('meta', 'mark')), ('mask_operator', ('&',)), ('hexadecimal', ((0, 'HEX'),)))), '==', ('hexadecimal', ((1, 'HEX'),)))), ('verdict', ('return',)))),))),
        ],
        'numgen random mod  vmap ': [
            (('numgen random mod ', ' vmap ', ''), ('NUMBER', 'BRACES'), ('line', (('rule', (('verdict_map', (('numgen', ('numgen', 'random', 'mod', (0, 'NUMBER'))), 'vmap', ('braces', ((1, 'BRACES'),)))),)),))),
        ],
        'reject': [
            (('reject',), (), ('line', (('rule', (('reject', ('reject',)),)),))),
        ],
        'size ': [
            (('size ', ''), ('NUMBER',), ('line', (('size_property', ('size', (0, 'NUMBER'))),))),
        ],
        'size  count ': [
            (('size ', '\t', ''), ('NUMBER', 'TRAILING'), ('line', (('size_property', ('size', (0, 'NUMBER'))), (1, 'TRAILING')))),
        ],
        'table  kube-proxy {': [
            (('table ip6 ', ' {'), ('NAME',), ('line', (('open_table', ('table', 'ip6', (0, 'NAME'), '{')),))),
        ],
        'table ip kube-proxy {': [
            (('table ip ', ' {'), ('NAME',), ('line', (('open_table', ('table', 'ip', (0, 'NAME'), '{')),))),
        ],
        'timeout ': [
            (('timeout ', ''), ('TIME',), ('line', (('timeout_property', ('timeout', ('time', ((0, 'TIME'),)))),))),
        ],
        'type ': [
            (('type ipv4_addr',), (), ('line', (('set_types', ('type', ('types', ('ipv4_addr',)))),))),
            (('type ipv6_addr',), (), ('line', (('set_types', ('type', ('types', ('ipv6_addr',)))),))),
        ],
        'type  .  . inet_proto . inet_service': [
            (('type ipv4_addr . ipv4_addr . inet_proto . inet_service',), (), ('line', (('set_types', ('type', ('types', ('ipv4_addr', '.', 'ipv4_addr', '.', 'inet_proto', '.', 'inet_service')))),))),
            (('type ipv6_addr . ipv6_addr . inet_proto . inet_service',), (), ('line', (('set_types', ('type', ('types', ('ipv6_addr', '.', 'ipv6_addr', '.', 'inet_proto', '.', 'inet_service')))),))),
        ],
        'type  . inet_proto . inet_service  verdict': [
            (('type ipv4_addr . inet_proto . inet_service : verdict',), (), ('line', (('set_types', ('type', ('types', ('ipv4_addr', '.', 'inet_proto', '.', 'inet_service')), ':', ('types', ('verdict',)))),))),
            (('type ipv6_addr . inet_proto . inet_service : verdict',), (), ('line', (('set_types', ('type', ('types', ('ipv6_addr', '.', 'inet_proto', '.', 'inet_service')), ':', ('types', ('verdict',)))),))),
        ],
        'type filter hook forward priority  policy accept;': [
            (('type filter hook forward priority -', '; policy accept;'), ('NUMBER',), ('line', (('base_chain', ('type', 'filter', 'hook', 'forward', 'priority', ('plain_priority', ('-', (0, 'NUMBER'))), ';', 'policy', 'accept', ';')),))),
        ],
        'type filter hook forward priority filter; policy accept;': [
            (('type filter hook forward priority filter; policy accept;',), (), ('line', (('base_chain', ('type', 'filter', 'hook', 'forward', 'priority', ('named_priority', ('filter',)), ';', 'policy', 'accept', ';')),))),
        ],
        'type filter hook input priority  policy accept;': [
            (('type filter hook input priority -', '; policy accept;'), ('NUMBER',), ('line', (('base_chain', ('type', 'filter', 'hook', 'input', 'priority', ('plain_priority', ('-', (0, 'NUMBER'))), ';', 'policy', 'accept', ';')),))),
        ],
        'type filter hook input priority filter; policy accept;': [
            (('type filter hook input priority filter; policy accept;',), (), ('line', (('base_chain', ('type', 'filter', 'hook', 'input', 'priority', ('named_priority', ('filter',)), ';', 'policy', 'accept', ';')),))),
        ],
        'type filter hook output priority  policy accept;': [
            (('type filter hook output priority -', '; policy accept;'), ('NUMBER',), ('line', (('base_chain', ('type', 'filter', 'hook', 'output', 'priority', ('plain_priority', ('-', (0, 'NUMBER'))), ';', 'policy', 'accept', ';')),))),
        ],
        'type filter hook output priority dstnat -  policy accept;': [
            (('type filter hook output priority dstnat - ', '; policy accept;'), ('NUMBER',), ('line', (('base_chain', ('type', 'filter', 'hook', 'output', 'priority', ('named_priority', ('dstnat', '-', (0, 'NUMBER'))), ';', 'policy', 'accept', ';')),))),
        ],
        'type filter hook output priority filter; policy accept;': [
            (('type filter hook output priority filter; policy accept;',), (), ('line', (('base_chain', ('type', 'filter', 'hook', 'output', 'priority', ('named_priority', ('filter',)), ';', 'policy', 'accept', ';')),))),
        ],
        'type filter hook prerouting priority dstnat -  policy accept;': [
            (('type filter hook prerouting priority dstnat - ', '; policy accept;'), ('NUMBER',), ('line', (('base_chain', ('type', 'filter', 'hook', 'prerouting', 'priority', ('named_priority', ('dstnat', '-', (0, 'NUMBER'))), ';', 'policy', 'accept', ';')),))),
        ],
        'type inet_proto . inet_service  verdict': [
            (('type inet_proto . inet_service : verdict',), (), ('line', (('set_types', ('type', ('types', ('inet_proto', '.', 'inet_service')), ':', ('types', ('verdict',)))),))),
        ],
        'type nat hook output priority  policy accept;': [
            (('type nat hook output priority -', '; policy accept;'), ('NUMBER',), ('line', (('base_chain', ('type', 'nat', 'hook', 'output', 'priority', ('plain_priority', ('-', (0, 'NUMBER'))), ';', 'policy', 'accept', ';')),))),
        ],
        'type nat hook output priority dstnat; policy accept;': [
            (('type nat hook output priority dstnat; policy accept;',), (), ('line', (('base_chain', ('type', 'nat', 'hook', 'output', 'priority', ('named_priority', ('dstnat',)), ';', 'policy', 'accept', ';')),))),
        ],
        'type nat hook postrouting priority srcnat; policy accept;': [
            (('type nat hook postrouting priority srcnat; policy accept;',), (), ('line', (('base_chain', ('type', 'nat', 'hook', 'postrouting', 'priority', ('named_priority', ('srcnat',)), ';', 'policy', 'accept', ';')),))),
        ],
        'type nat hook prerouting priority dstnat; policy accept;': [
            (('type nat hook prerouting priority dstnat; policy accept;',), (), ('line', (('base_chain', ('type', 'nat', 'hook', 'prerouting', 'priority', ('named_priority', ('dstnat',)), ';', 'policy', 'accept', ';')),))),
        ],
        'update  ': [
            (('update ', ' { ip saddr }'), ('SET_NAME',), ('line', (('rule', (('set_update', ('update', (0, 'SET_NAME'), '{', ('payload', ('ip', 'saddr')), '}')),)),))),
            (('update ', ' { ip6 saddr }'), ('SET_NAME',), ('line', (('rule', (('set_update', ('update', (0, 'SET_NAME'), '{', ('payload', ('ip6', 'saddr')), '}')),)),))),
        ],
        '}': [
            (('}',), (), ('line', (('close', ('}',)),))),
        ],
    },
    'element': {
        '': [
            (('', '/', ''), ('IPV4', 'NUMBER'), ('element', (('key', (('slashed', (('text', ((0, 'IPV4'),)), '/', ('number', ((1, 'NUMBER'),)))),)),))),
            (('', ''), ('IPV4',), ('element', (('key', (('text', ((0, 'IPV4'),)),)),))),
            (('', '-', ''), ('IPV4', 'IPV4'), ('element', (('key', (('range', (('text', ((0, 'IPV4'),)), '-', ('text', ((1, 'IPV4'),)))),)),))),
            (('', ''), ('IPV6',), ('element', (('key', (('text', ((0, 'IPV6'),)),)),))),
        ],
        '  ': [
            (('', ' : goto ', ''), ('NUMBER', 'CHAIN'), ('element', (('key', (('number', ((0, 'NUMBER'),)),)), ':', ('transfer', ('goto', (1, 'CHAIN')))))),
        ],
        '   . ': [
            (('', ' : ', ' . ', ''), ('NUMBER', 'IPV4', 'NUMBER'), ('element', (('key', (('number', ((0, 'NUMBER'),)),)), ':', ('value_concatenation', (('text', ((1, 'IPV4'),)), '.', ('number', ((2, 'NUMBER'),))))))),
            (('', ' : ', ' . ', ''), ('NUMBER', 'IPV6', 'NUMBER'), ('element', (('key', (('number', ((0, 'NUMBER'),)),)), ':', ('value_concatenation', (('text', ((1, 'IPV6'),)), '.', ('number', ((2, 'NUMBER'),))))))),
        ],
        ' .  . sctp . ': [
            (('', ' . ', ' . sctp . ', ''), ('IPV4', 'IPV4', 'NUMBER'), ('element', (('key', (('value_concatenation', (('text', ((0, 'IPV4'),)), '.', ('text', ((1, 'IPV4'),)), '.', ('word', ('sctp',)), '.', ('number', ((2, 'NUMBER'),)))),)),))),
        ],
        ' .  . tcp . ': [
            (('', ' . ', ' . tcp . ', ''), ('IPV4', 'IPV4', 'NUMBER'), ('element', (('key', (('value_concatenation', (('text', ((0, 'IPV4'),)), '.', ('text', ((1, 'IPV4'),)), '.', ('word', ('tcp',)), '.', ('number', ((2, 'NUMBER'),)))),)),))),
            (('', ' . ', ' . tcp . ', ''), ('IPV6', 'IPV6', 'NUMBER'), ('element', (('key', (('value_concatenation', (('text', ((0, 'IPV6'),)), '.', ('text', ((1, 'IPV6'),)), '.', ('word', ('tcp',)), '.', ('number', ((2, 'NUMBER'),)))),)),))),
        ],
        ' .  . udp . ': [
            (('', ' . ', ' . udp . ', ''), ('IPV4', 'IPV4', 'NUMBER'), ('element', (('key', (('value_concatenation', (('text', ((0, 'IPV4'),)), '.', ('text', ((1, 'IPV4'),)), '.', ('word', ('udp',)), '.', ('number', ((2, 'NUMBER'),)))),)),))),
            (('', ' . ', ' . udp . ', ''), ('IPV6', 'IPV6', 'NUMBER'), ('element', (('key', (('value_concatenation', (('text', ((0, 'IPV6'),)), '.', ('text', ((1, 'IPV6'),)), '.', ('word', ('udp',)), '.', ('number', ((2, 'NUMBER'),)))),)),))),
        ],
        ' . sctp .   ': [
            (('', ' . sctp . ', ' : goto ', ''), ('IPV4', 'NUMBER', 'CHAIN'), ('element', (('key', (('value_concatenation', (('text', ((0, 'IPV4'),)), '.', ('word', ('sctp',)), '.', ('number', ((1, 'NUMBER'),)))),)), ':', ('transfer', ('goto', (2, 'CHAIN')))))),
        ],
        ' . tcp .   ': [
            (('', ' . tcp . ', ' : goto ', ''), ('IPV4', 'NUMBER', 'CHAIN'), ('element', (('key', (('value_concatenation', (('text', ((0, 'IPV4'),)), '.', ('word', ('tcp',)), '.', ('number', ((1, 'NUMBER'),)))),)), ':', ('transfer', ('goto', (2, 'CHAIN')))))),
            (('', ' . tcp . ', ' : goto ', ''), ('IPV6', 'NUMBER', 'CHAIN'), ('element', (('key', (('value_concatenation', (('text', ((0, 'IPV6'),)), '.', ('word', ('tcp',)), '.', ('number', ((1, 'NUMBER'),)))),)), ':', ('transfer', ('goto', (2, 'CHAIN')))))),
        ],
        ' . tcp .  comment   ': [
            (('', ' . tcp . ', ' comment ', ' : goto ', ''), ('IPV4', 'NUMBER', 'STRING', 'CHAIN'), ('element', (('key', (('value_concatenation', (('text', ((0, 'IPV4'),)), '.', ('word', ('tcp',)), '.', ('number', ((1, 'NUMBER'),)))),)), ('comment', ('comment', (2, 'STRING'))), ':', ('transfer', ('goto', (3, 'CHAIN')))))),
            (('', ' . tcp . ', ' comment ', ' : goto ', ''), ('IPV6', 'NUMBER', 'STRING', 'CHAIN'), ('element', (('key', (('value_concatenation', (('text', ((0, 'IPV6'),)), '.', ('word', ('tcp',)), '.', ('number', ((1, 'NUMBER'),)))),)), ('comment', ('comment', (2, 'STRING'))), ':', ('transfer', ('goto', (3, 'CHAIN')))))),
        ],
        ' . tcp .  comment   drop': [
            (('', ' . tcp . ', ' comment ', ' : drop'), ('IPV4', 'NUMBER', 'STRING'), ('element', (('key', (('value_concatenation', (('text', ((0, 'IPV4'),)), '.', ('word', ('tcp',)), '.', ('number', ((1, 'NUMBER'),)))),)), ('comment', ('comment', (2, 'STRING'))), ':', ('verdict', ('drop',))))),
        ],
        ' . udp .   ': [
            (('', ' . udp . ', ' : goto ', ''), ('IPV4', 'NUMBER', 'CHAIN'), ('element', (('key', (('value_concatenation', (('text', ((0, 'IPV4'),)), '.', ('word', ('udp',)), '.', ('number', ((1, 'NUMBER'),)))),)), ':', ('transfer', ('goto', (2, 'CHAIN')))))),
            (('', ' . udp . ', ' : goto ', ''), ('IPV6', 'NUMBER', 'CHAIN'), ('element', (('key', (('value_concatenation', (('text', ((0, 'IPV6'),)), '.', ('word', ('udp',)), '.', ('number', ((1, 'NUMBER'),)))),)), ':', ('transfer', ('goto', (2, 'CHAIN')))))),
        ],
        ' expires ': [
            (('', ' expires ', ''), ('IPV4', 'TIME'), ('element', (('key', (('text', ((0, 'IPV4'),)),)), ('expires', ('expires', ('time', ((1, 'TIME'),))))))),
        ],
        'sctp .   ': [
            (('sctp . ', ' : goto ', ''), ('NUMBER', 'CHAIN'), ('element', (('key', (('value_concatenation', (('word', ('sctp',)), '.', ('number', ((0, 'NUMBER'),)))),)), ':', ('transfer', ('goto', (1, 'CHAIN')))))),
        ],
        'tcp .   ': [
            (('tcp . ', ' : goto ', ''), ('NUMBER', 'CHAIN'), ('element', (('key', (('value_concatenation', (('word', ('tcp',)), '.', ('number', ((0, 'NUMBER'),)))),)), ':', ('transfer', ('goto', (1, 'CHAIN')))))),
        ],
        'tcp .  comment   ': [
            (('tcp . ', ' comment ', ' : goto ', ''), ('NUMBER', 'STRING', 'CHAIN'), ('element', (('key', (('value_concatenation', (('word', ('tcp',)), '.', ('number', ((0, 'NUMBER'),)))),)), ('comment', ('comment', (1, 'STRING'))), ':', ('transfer', ('goto', (2, 'CHAIN')))))),
        ],
        'tcp .  comment   drop': [
            (('tcp . ', ' comment ', ' : drop'), ('NUMBER', 'STRING'), ('element', (('key', (('value_concatenation', (('word', ('tcp',)), '.', ('number', ((0, 'NUMBER'),)))),)), ('comment', ('comment', (1, 'STRING'))), ':', ('verdict', ('drop',))))),
        ],
        'udp .   ': [
            (('udp . ', ' : goto ', ''), ('NUMBER', 'CHAIN'), ('element', (('key', (('value_concatenation', (('word', ('udp',)), '.', ('number', ((0, 'NUMBER'),)))),)), ':', ('transfer', ('goto', (1, 'CHAIN')))))),
        ],
    },
}
