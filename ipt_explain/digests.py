"""sha256 from Python's own C module: `hashlib` loads OpenSSL first, which takes longer than reading a small dump."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hashlib import sha256
else:
    try:
        if sys.version_info >= (3, 12):
            from _sha2 import sha256
        else:
            from _sha256 import sha256
    except ImportError:  # this Python was built without it
        from hashlib import sha256

__all__ = ["sha256"]
