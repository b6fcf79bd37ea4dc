"""Targets in plain English."""
