"""How kube-proxy's iptables mode writes Services: frontends, balancers, endpoints, and the chains between them."""
