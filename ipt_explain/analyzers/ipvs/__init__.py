"""kube-proxy's IPVS mode: what a node's sets and virtual servers say about Services."""
