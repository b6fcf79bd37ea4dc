"""`ipt-explain trace`: where one packet goes, with what probability, and by which rules."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from ipt_explain.cli.shared.objects import naming
from ipt_explain.cli.shared.options import (
    display_options,
    dump_options,
    names_option,
    output_option,
    read_dumps,
)
from ipt_explain.cli.shared.stdio import shows_links, warn, write
from ipt_explain.errors import UsageError
from ipt_explain.words import either

# The words of trace.judgement.Judgement, which is imported only to trace.
EXPECTED = ("served", "refused", "dropped", "untranslated", "diverted", "unanswered", "hangs", "unknown")

if TYPE_CHECKING:
    from ipt_explain.analyzers.selection import Naming
    from ipt_explain.model import Dump
    from ipt_explain.trace import Trace
    from ipt_explain.trace.destination import PacketDestination
    from ipt_explain.trace.judgement import To


@click.command(
    epilog="Without --local-address, it is an open question whether the destination is an address of this node; "
    "without --in-interface and --out-interface, whether `-i` and `-o` match. Without --physdev-in, packets arrive on "
    "no bridge port. They start without a mark."
)
@dump_options
@click.option("--from", "source", metavar="IP", help="The source address.")
@click.option(
    "--to", "destination", metavar="IP:PORT[/PROTOCOL]", required=True,
    help="The destination, or NAMESPACE/SERVICE[:PORT] for that Service's ClusterIP.",
)  # fmt: skip
@click.option("--protocol", "-p", metavar="NAME", help="tcp (default), udp, sctp, icmp or a number.")
@click.option(
    "--source-port", type=click.IntRange(0, 65535), metavar="PORT", help="The source port. [default: unknown]"
)
@click.option("--host", is_flag=True, help="The node itself sends it (OUTPUT). [default: it arrives (PREROUTING)]")
@click.option("--in-interface", "-i", metavar="NAME", help="The interface it arrives on.")
@click.option("--out-interface", metavar="NAME", help="The interface by which packets leave the node.")
@click.option("--physdev-in", metavar="NAME", help="The bridge port it arrives on, if bridged packets are filtered.")
@click.option(
    "--local-address", "-l", multiple=True, metavar="IP[@NAME]",
    help="An address of this node, and its interface; may be repeated.",
)  # fmt: skip
@click.option("--returning", metavar="IP:PORT", help="The endpoint of this client's last visit (affinity).")
@click.option(
    "--assume", multiple=True, metavar="TEXT=yes|no",
    help="Decide a match that the dump leaves open, named by words from it; may be repeated.",
)  # fmt: skip
@click.option("--why-not", metavar="IP:PORT", help="Explain which rule keeps the packet from this endpoint.")
@click.option("--verbose", "-v", is_flag=True, help="Show rules that nearly matched, and why they did not.")
@click.option(
    "--expect", type=click.Choice(EXPECTED), metavar="WHAT",
    help=f"Exit with 1 unless every outcome is this: {either(EXPECTED)}.",
)  # fmt: skip
@names_option
@output_option("text", "json")
@display_options
def trace(
    dumps: tuple[str, ...],
    live: bool,
    lenient: bool,
    source: str | None,
    destination: str,
    protocol: str | None,
    source_port: int | None,
    host: bool,
    in_interface: str | None,
    out_interface: str | None,
    physdev_in: str | None,
    local_address: tuple[str, ...],
    returning: str | None,
    assume: tuple[str, ...],
    why_not: str | None,
    verbose: bool,
    expect: str | None,
    objects: str | None,
    output: str,
    color: bool,
    width: int,
) -> int:
    """Where does this packet go, with what probability, and by which rules?

    The packet is the first of a new connection. It passes every hook and table in netfilter's order.

    \b
    iptables-save | ipt-explain trace --from 10.244.1.5 --to 10.96.0.10:53/udp
    ipt-explain trace --from 203.0.113.7 --to 10.0.0.9:30080 -l 10.0.0.9 node.txt
    ipt-explain trace --from 10.244.1.5 --to shop/cart:http node.txt
    """
    from ipt_explain.trace import Packet
    from ipt_explain.trace import trace as trace_packet
    from ipt_explain.trace.destination import resolve, with_port

    parsed = read_dumps(dumps, live, lenient)
    warn(warning for dump in parsed for warning in dump.warnings)
    dump = _one_node(parsed)
    named = naming(objects, parsed)
    target = with_port(resolve(destination, protocol, dump, source, named), protocol, dump, named)
    packet = Packet(
        source=_source(source, host, local_address, target),
        destination=target.address,
        protocol=target.protocol,
        port=target.port,
        entry="output" if host else "prerouting",
        in_interface=in_interface,
        source_port=source_port,
        physdev_in=physdev_in,
    )
    traced = trace_packet(dump, packet, local_address, out_interface, returning, assume)
    warn(traced.warnings)
    to = _addressee(traced, named)
    reason = None
    if why_not is not None:
        from ipt_explain.trace.why_not import why_not as reason_why_not

        reason = reason_why_not(dump, traced, why_not)
    if output == "json":
        from ipt_explain.trace.trace_json import trace_json

        write([trace_json(packet, traced.outcomes, traced.warnings, reason, to), "\n"])
    else:
        from ipt_explain.render.trace.text import trace_text

        links = color and shows_links(sys.stdout)
        write(trace_text(traced, target.label, to, reason, verbose, width, color, links))
    from ipt_explain.trace.judgement import judged

    return int(expect is not None and any(judged(each, packet, to).value != expect for each in traced.outcomes))


def _addressee(traced: Trace, named: Naming | None) -> To:
    """The Service that a packet is sent to. Warns if the dump has no Services at all."""
    from ipt_explain.analyzers.selection import NoServices
    from ipt_explain.trace.judgement import addressee

    try:
        return addressee(traced.dump, traced.packet, traced.start, traced.outcomes, named)
    except NoServices as none:
        warn([f"{traced.dump.source}: {none}"])
        return None


def _one_node(dumps: Sequence[Dump]) -> Dump:
    """The dumps of one node as one: a packet passes all rulesets of its family."""
    from ipt_explain.model.node.joining import as_node

    sources = [dump.nft.source for dump in dumps if dump.nft is not None]
    if len(sources) > 1:
        raise UsageError(
            f"a packet passes one node at a time, and these have rules of more than one: {', '.join(sources)}"
        )
    return as_node(dumps)


def _source(source: str | None, host: bool, local_addresses: Sequence[str], target: PacketDestination) -> str:
    if source is not None:
        return source
    from ipt_explain.trace.destination import same_family

    own = [text.partition("@")[0] for text in local_addresses if same_family(text.partition("@")[0], target.address)]
    if host and own:
        return own[0]
    needed = "--from IP, or --local-address IP" if host else "--from IP"
    raise UsageError(f"where does the packet come from? Say {needed}")
