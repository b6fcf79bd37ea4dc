"""The language of iptables-save as Lark files that form one grammar: tokens, rule, matches, targets, lines."""
