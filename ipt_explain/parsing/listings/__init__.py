"""`iptables -L`: rules in columns, each match and target in words of its own, read into the same model."""
