"""The language of iptables-save as Lark grammar files; read as one text in the order tokens, rule, matches, targets, lines."""
