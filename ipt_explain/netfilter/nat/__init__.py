"""What NAT makes of addresses and ports."""
