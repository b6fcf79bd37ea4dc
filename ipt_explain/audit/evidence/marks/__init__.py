"""Who sets, tests and loses the packet marks by which kube-proxy masquerades."""
