"""Service traffic that is lost, whatever loses it."""
