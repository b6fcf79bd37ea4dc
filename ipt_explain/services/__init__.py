"""Services as users know them, whatever kube-proxy's mode: frontends, balancers, endpoints, fates."""
