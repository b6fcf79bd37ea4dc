"""The walk through other backends than iptables: nftables chains, and IPVS."""
