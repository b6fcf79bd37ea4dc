"""Targets that change a packet's marks and header fields."""

from __future__ import annotations

from ipt_explain.render.english.glossary import Glossary
from ipt_explain.render.english.marks import changed
from ipt_explain.render.english.options import Options
from ipt_explain.words import aside, counted

# The options of MARK and CONNMARK that change a mark.
_MARK_CHANGES = ("--set-xmark", "--set-mark", "--or-mark", "--and-mark", "--xor-mark")


def mark(options: Options, glossary: Glossary) -> str:
    """The packet's mark, which it keeps while it is on this node."""
    given = options.take(*_MARK_CHANGES)
    return changed(given.name, given.value, glossary.marks) if given else "gets its mark changed"


def connmark(options: Options, glossary: Glossary) -> str:
    """The connection's mark, or a copy between it and the packet's mark."""
    given = options.take(*_MARK_CHANGES)
    if given:
        done = changed(given.name, given.value, glossary.marks, "connection mark")
    else:
        saving = options.flag("--save-mark")
        restoring = not saving and options.flag("--restore-mark")
        done = {
            (True, False): "gets its mark saved as the connection's mark",
            (False, True): "gets its mark from the connection's mark",
        }.get((saving, restoring), "gets its connection mark changed")
    details = options.phrases({"--nfmask": "nfmask {}", "--ctmask": "ctmask {}", "--mask": "mask {}"})
    for name in ("--left-shift-mark", "--right-shift-mark"):
        shift = options.value(name)
        if shift is not None:
            details.append(f"shifted {name.split('-')[2]} by {counted(shift, 'bit')}")
    return done + aside(details)


def connsecmark(options: Options, _: Glossary) -> str:
    """The security mark of the connection."""
    if options.flag("--save"):
        return "gets its security mark saved as the connection's"
    return "gets its security mark from the connection" + ("" if options.flag("--restore") else " (default)")


_HMARK_PARTS = {
    "--hmark-tuple": "connection fields {}",
    "--hmark-src-prefix": "source prefix {}",
    "--hmark-dst-prefix": "destination prefix {}",
    "--hmark-sport": "source port {}",
    "--hmark-dport": "destination port {}",
    "--hmark-sport-mask": "source port mask {}",
    "--hmark-dport-mask": "destination port mask {}",
    "--hmark-spi": "SPI {}",
    "--hmark-spi-mask": "SPI mask {}",
    "--hmark-proto-mask": "protocol mask {}",
    "--hmark-rnd": "seed {}",
}


def hmark(options: Options, _: Glossary) -> str:
    """A mark from a hash of the packet's addresses and ports."""
    modulus, offset = options.value("--hmark-mod"), options.value("--hmark-offset")
    plus = f" plus {offset}" if offset is not None else ""
    return f"gets a mark from a hash modulo {modulus}{plus}" + aside(options.phrases(_HMARK_PARTS))


def ecn(options: Options, _: Glossary) -> str:
    """Congestion bits, removed or set."""
    if options.flag("--ecn-tcp-remove"):
        return "gets its TCP ECN bits cleared"
    parts = options.phrases({f"--{name}": f"{name} {{}}" for name in ("ecn-tcp-cwr", "ecn-tcp-ece", "ecn-ip-ect")})
    return f"gets its ECN bits changed: {', '.join(parts)}" if parts else "gets its ECN bits changed"


def tos(options: Options, _: Glossary) -> str:
    """The TOS field."""
    given = options.take("--set-tos", "--and-tos", "--or-tos", "--xor-tos")
    if given is None:
        return "gets its TOS changed"
    verb = {"--and-tos": "ANDed with", "--or-tos": "ORed with", "--xor-tos": "XORed with"}.get(given.name, "set to")
    return f"gets its TOS {verb} {given.value}"


def hops(options: Options, _: Glossary) -> str:
    """The TTL or hop limit."""
    given = options.take("--ttl-set", "--ttl-inc", "--ttl-dec", "--hl-set", "--hl-inc", "--hl-dec")
    if given is None:
        return "gets its TTL changed"
    field, change = ("TTL" if given.name.startswith("--ttl") else "hop limit"), given.name[-3:]
    return f"gets its {field} {_HOP_CHANGES[change]} {given.value}"


_HOP_CHANGES = {"set": "set to", "inc": "raised by", "dec": "lowered by"}


def tcpmss(options: Options, _: Glossary) -> str:
    """The TCP maximum segment size."""
    size = options.value("--set-mss")
    if size is not None:
        return f"gets its TCP MSS lowered to {size}"
    clamped = " to what fits the path (--clamp-mss-to-pmtu)" if options.flag("--clamp-mss-to-pmtu") else ""
    return f"gets its TCP MSS lowered{clamped}"
