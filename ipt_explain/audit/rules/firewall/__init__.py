"""6xx: the filter table: forwarding, firewalls, policies."""
