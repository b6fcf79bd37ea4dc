"""The keys of a digest's records: which service port or chain of which family a record is about."""

from __future__ import annotations

from functools import lru_cache

from ipt_explain.enums import Enum
from ipt_explain.model import Family
from ipt_explain.records import Record


class RecordKind(Enum):
    """What a record is about; the value is the word for it in keys."""

    PORT = "port"
    POLICY = "policy"  # of a built-in chain
    BUILT_IN = "chain"  # the rules of a built-in chain
    SYSTEM = "kube"  # the rules of a chain of kube-proxy that serves all Services
    FOREIGN = "foreign"  # the rules of another component's chain


class RecordKey(Record):
    """A key, as `ipv4 port tcp demo/web:http`.

    `place` is the family; if it has rules in both backends, with the backend: `ipv4/nft`. `group` is the protocol of a
    service port or the table of a chain, `name` the service port's label or the chain's name.
    """

    place: str
    kind: RecordKind
    group: str
    name: str

    @staticmethod
    @lru_cache(maxsize=1 << 17)  # nodes share most keys
    def of(text: str) -> RecordKey:
        """The key with this text. Raises ValueError for any other text."""
        try:
            place, kind, group, name = text.split(" ", 3)
            Family(place.partition("/")[0])
            return RecordKey(place, RecordKind(kind), group, name)
        except ValueError:
            raise ValueError(f"{text!r} is not the key of a record") from None

    @property
    def family(self) -> Family:
        """The family, whatever the backend."""
        return Family(self.place.partition("/")[0])

    def __str__(self) -> str:
        return f"{self.place} {self.kind.value} {self.group} {self.name}"
