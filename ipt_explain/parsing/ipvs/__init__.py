"""Reading the output of `ipvsadm`, `ipset` and `ip addr`."""
