"""The walk where rules are not iptables': nftables' chains, and IPVS."""
