"""Facts about kube-proxy's nftables table."""
