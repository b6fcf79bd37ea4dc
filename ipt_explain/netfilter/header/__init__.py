"""What a packet's header holds, as rules write it: addresses, ports, protocols, ICMP types, interfaces."""
