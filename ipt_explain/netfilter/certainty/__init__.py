"""Conditions that always or never hold, and rules that contain others."""
