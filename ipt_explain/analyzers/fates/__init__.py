"""The fate of every frontend: its connections, sent through the walker from each vantage point."""

from __future__ import annotations

from ipt_explain.analyzers.fates.reading import with_fates

__all__ = ["with_fates"]
