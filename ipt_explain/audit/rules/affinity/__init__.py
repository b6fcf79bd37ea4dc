"""3xx: session affinity."""
