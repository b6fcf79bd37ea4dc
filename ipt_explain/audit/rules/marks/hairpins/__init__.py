"""Rules about endpoints that reach themselves through their Service."""
