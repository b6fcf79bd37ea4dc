"""The archives of captured data in tests/data."""

from __future__ import annotations

import tarfile
from pathlib import Path

DATA = Path(__file__).parent / "data"


def read_archive(name: str) -> dict[str, bytes]:
    """The files of `tests/data/NAME.tar.xz`, sorted by path."""
    found: dict[str, bytes] = {}
    with tarfile.open(DATA / f"{name}.tar.xz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None:
                found[member.name.removeprefix("./")] = content.read()
    return dict(sorted(found.items()))
