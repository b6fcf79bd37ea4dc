"""Builds reproducible source distributions. Not part of the installed program."""

from __future__ import annotations

import gzip
import os
import stat
import tarfile
import time
from pathlib import Path

from setuptools.command.sdist import sdist


class ReproducibleSdist(sdist):
    """setuptools' `sdist`, with order, owners, times and modes in the archive that do not vary between builds.

    All files get the time of SOURCE_DATE_EPOCH, as reproducible-builds.org defines it, or else the current time. The
    archive includes everything that the tests need.
    """

    def make_distribution(self) -> None:
        """Pack the sources of a wheel, and the rest of the tree: tests, samples, and the files for CI."""
        for folder in (".ci", ".github", "grammar", "samples", "tests"):
            self.filelist.graft(folder)
        for name in (".pre-commit-hooks.yaml", "LICENSE"):
            self.filelist.include(name)
        for pattern in ("__pycache__", "*.py[cod]", "*.tables"):
            self.filelist.global_exclude(pattern)
        self.filelist.prune(".hypothesis")
        super().make_distribution()

    def make_archive(
        self, base_name: str, format: str, root_dir: str | None = None, base_dir: str | None = None,  # noqa: A002
        owner: str | None = None, group: str | None = None,
    ) -> str:  # fmt: skip
        """Pack `base_dir` into `base_name`.tar.gz; leave other formats to setuptools."""
        if format != "gztar" or base_dir is None:
            return super().make_archive(base_name, format, root_dir, base_dir, owner, group)
        path = f"{base_name}.tar.gz"
        moment = int(os.environ.get("SOURCE_DATE_EPOCH") or time.time())
        with (
            open(path, "wb") as file,
            gzip.GzipFile("", "wb", 9, file, mtime=moment) as packed,
            tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive,
        ):
            for each in sorted(Path(root_dir or ".", base_dir).rglob("*")):
                _add(archive, each, str(each.relative_to(root_dir or ".")), moment)
        return path


def _add(archive: tarfile.TarFile, path: Path, name: str, moment: int) -> None:
    member = archive.gettarinfo(str(path), name)
    member.mtime, member.uid, member.gid, member.uname, member.gname = moment, 0, 0, "", ""
    member.mode = 0o755 if member.isdir() or path.stat().st_mode & stat.S_IXUSR else 0o644
    if member.isfile():
        # setuptools hard-links files into the folder that it packs; store each as a regular file.
        member.type, member.size = tarfile.REGTYPE, path.stat().st_size
        with path.open("rb") as content:
            archive.addfile(member, content)
    else:
        archive.addfile(member)
