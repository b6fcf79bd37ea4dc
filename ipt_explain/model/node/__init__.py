"""Facts about a node besides its rules, from `ipvsadm`, `ipset` and `ip addr`."""
