"""Matches in plain English."""
