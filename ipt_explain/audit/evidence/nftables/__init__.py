"""What rules ask of kube-proxy's table of nftables."""
