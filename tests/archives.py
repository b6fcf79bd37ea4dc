"""The archives in tests/data: captured material, too much of it to lie about as files."""

from __future__ import annotations

import tarfile
from pathlib import Path

DATA = Path(__file__).parent / "data"


def read_archive(name: str) -> dict[str, bytes]:
    """Every file of `tests/data/NAME.tar.xz` by its path, in order of path."""
    found: dict[str, bytes] = {}
    with tarfile.open(DATA / f"{name}.tar.xz") as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None:
                found[member.name.removeprefix("./")] = content.read()
    return dict(sorted(found.items()))
