"""Jumps from the hooks to kube-proxy's chains: there, once, whole, and before what takes packets away."""
