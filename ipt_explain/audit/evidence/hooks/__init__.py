"""Facts about the rules that lead to kube-proxy's chains."""
