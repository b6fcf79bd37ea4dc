"""Conditions that always or never match, and rules that contain others."""
