"""iptables-save, `iptables -S`, iptables-restore's input, and fragments of them."""
