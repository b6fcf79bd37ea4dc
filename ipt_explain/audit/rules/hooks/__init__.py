"""1xx: kube-proxy's hooks in the built-in chains, and the order of rules around them."""
