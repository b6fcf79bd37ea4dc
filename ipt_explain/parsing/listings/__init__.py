"""Reading `iptables -L`: rules in columns, with a different wording for each match and target."""
