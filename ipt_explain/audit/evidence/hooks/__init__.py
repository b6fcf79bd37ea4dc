"""What the audit asks of the rules that lead to kube-proxy's chains."""
