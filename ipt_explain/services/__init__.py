"""Services as users know them, whichever way kube-proxy put them into the kernel: frontends, balancers, endpoints,
fates.
"""
