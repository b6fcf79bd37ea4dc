"""What `ipvsadm`, `ipset` and `ip addr` print."""
