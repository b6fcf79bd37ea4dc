"""The fields of a packet's header as rules write them: addresses, ports, protocols, ICMP types, interfaces."""
