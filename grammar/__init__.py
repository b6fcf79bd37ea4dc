"""The language of iptables-save as Lark grammar files, read as one text: tokens, rule, matches, targets, lines."""
