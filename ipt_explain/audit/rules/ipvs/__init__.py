"""Rules about kube-proxy's IPVS mode."""
