"""What a node's tools say beside its rules: `ipvsadm`, `ipset` and `ip addr`."""
