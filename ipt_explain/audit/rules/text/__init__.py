"""0xx: the text and its tables; every iptables user is served, Kubernetes or not."""
