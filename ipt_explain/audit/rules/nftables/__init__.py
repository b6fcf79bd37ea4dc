"""Rules about kube-proxy's nftables mode."""
