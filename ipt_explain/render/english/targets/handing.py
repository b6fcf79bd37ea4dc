"""Targets that report a packet or pass it on: to the sender, a log, a program, a set, another machine."""

from __future__ import annotations

from ipt_explain.render.english.glossary import Glossary
from ipt_explain.render.english.marks import changed
from ipt_explain.render.english.matches.places import sides
from ipt_explain.render.english.options import Options
from ipt_explain.words import aside, both, counted
from ipt_explain.words.durations import duration
from ipt_explain.words.quotes import cited

_REJECTIONS = {
    "icmp-net-unreachable": "that the network is unreachable",
    "icmp-host-unreachable": "that the host is unreachable",
    "icmp-port-unreachable": "that the port is unreachable",
    "icmp-proto-unreachable": "that the protocol is unreachable",
    "icmp-net-prohibited": "that the network is prohibited",
    "icmp-host-prohibited": "that the host is prohibited",
    "icmp-admin-prohibited": "that it is prohibited",
    "icmp6-no-route": "that there is no route",
    "icmp6-adm-prohibited": "that it is prohibited",
    "icmp6-addr-unreachable": "that the address is unreachable",
    "icmp6-port-unreachable": "that the port is unreachable",
    "icmp6-policy-fail": "that its source address failed a policy",
    "icmp6-reject-route": "that the route rejects it",
}


def reject(options: Options, _: Glossary) -> str:
    """An error sent back to the sender."""
    kind = options.value("--reject-with")
    if kind is None:
        return "is rejected: the sender is told that the port is unreachable (the default)"
    if kind == "tcp-reset":
        return "is rejected with a TCP reset (tcp-reset)"
    return f"is rejected: the sender is told {_REJECTIONS.get(kind, 'so')} ({kind})"


_LOG_LEVELS = ("emergency", "alert", "critical", "error", "warning", "notice", "info", "debug")

_LOG_EXTRAS = {
    "--log-tcp-sequence": "with TCP sequence numbers",
    "--log-tcp-options": "with TCP options",
    "--log-ip-options": "with IP options",
    "--log-uid": "with the sending user",
    "--log-macdecode": "with MAC addresses decoded",
}


def log(options: Options, _: Glossary) -> str:
    """A line in the kernel log."""
    details = []
    prefix, level = options.value("--log-prefix"), options.value("--log-level")
    if prefix is not None:
        details.append(f"prefix {cited(prefix)}")
    if level is not None:
        name = f" ({_LOG_LEVELS[int(level)]})" if level in map(str, range(len(_LOG_LEVELS))) else ""
        details.append(f"level {level}{name}")
    return "is logged" + aside([*details, *options.phrases(_LOG_EXTRAS)])


def nflog(options: Options, _: Glossary) -> str:
    """A copy to a program that listens on a netlink group."""
    group = options.value("--nflog-group", "--ulog-nlgroup")
    details = []
    prefix = options.value("--nflog-prefix", "--ulog-prefix")
    if prefix is not None:
        details.append(f"prefix {cited(prefix)}")
    size = options.value("--nflog-size", "--nflog-range", "--ulog-cprange")
    if size is not None:
        details.append(f"at most {counted(size, 'byte')} of it")
    details += options.phrases(dict.fromkeys(("--nflog-threshold", "--ulog-qthreshold"), "sent in batches of {}"))
    return f"is copied to the logging program at netlink group {group or '0'}" + aside(details)


def nfqueue(options: Options, _: Glossary) -> str:
    """A program in user space decides."""
    balance, number = options.value("--queue-balance"), options.value("--queue-num")
    queue = f"queues {balance}, one per connection" if balance is not None else f"queue {number or '0'}"
    return f"is handed to a program for its verdict, by {queue}" + aside(options.phrases(_QUEUE_EXTRAS))


_QUEUE_EXTRAS = {
    "--queue-cpu-fanout": "by CPU (--queue-cpu-fanout)",
    "--queue-bypass": "passed on if no program listens (--queue-bypass)",
}


def ct(options: Options, _: Glossary) -> str:
    """How the connection of this packet is tracked."""
    if options.flag("--notrack"):
        return "is not tracked (notrack), so neither NAT nor connection states apply to it"
    details = options.phrases(_TRACKING)
    for name, words in (("--ctevents", "events"), ("--expevents", "expectation events")):
        events = options.value(name)
        details += [f"reporting the {words} {both(events.split(','))}"] if events is not None else []
    return "gets its connection tracked" + (": " + ", ".join(details) if details else " as usual")


_TRACKING = {
    "--helper": 'by the helper "{}"',
    "--timeout": 'with the timeout policy "{}"',
    "--zone": "in zone {}",
    "--zone-orig": "in zone for the original direction {}",
    "--zone-reply": "in zone for replies {}",
}

_SET_CHANGES = {
    "--add-set": 'gets its {} added to set "{}"',
    "--del-set": 'gets its {} taken out of set "{}"',
    "--map-set": 'gets its {} looked up in set "{}"',
}

_SET_MAPS = {"--map-mark": "mark", "--map-prio": "priority", "--map-queue": "queue"}


def ipset(options: Options, _: Glossary) -> str:
    """Changes to an ipset."""
    done = []
    for option, words in _SET_CHANGES.items():
        given = options.take(option)
        if given:
            name, *side = given.arguments
            done.append(words.format(sides(" ".join(side)), name))
    details = []
    timeout = options.value("--timeout")
    if timeout is not None:
        details.append(f"for {duration(timeout)}")
    details += options.phrases({"--exist": "an entry that exists is renewed"})
    mapped = options.phrases(_SET_MAPS)
    if mapped:
        details.append(f"{both(mapped)} taken from the entry")
    return (" and ".join(done) or "is handed to ipset") + aside(details)


def tproxy(options: Options, glossary: Glossary) -> str:
    """Delivery to a local socket, addresses untouched."""
    port, address = options.value("--on-port"), options.value("--on-ip")
    where = f"port {port}" if port is not None else "its own destination port"
    if address is not None:
        where += f" of {address}"
    text = options.value("--tproxy-mark")
    marked = f", and {changed('--tproxy-mark', text, glossary.marks)}" if text is not None else ""
    return f"is delivered to the local socket on {where}, its addresses untouched (transparent proxy){marked}"


def tee(options: Options, _: Glossary) -> str:
    """A copy to another machine."""
    by = options.phrases({"--oif": " by interface {}"})
    return f"is copied to {options.value('--gateway')}{''.join(by)}"


def synproxy(options: Options, _: Glossary) -> str:
    """Handshakes answered on behalf of the server."""
    return "has its TCP handshake answered for the server (SYN proxy)" + aside(options.phrases(_HANDSHAKE))


_HANDSHAKE = {
    "--mss": "MSS {}",
    "--wscale": "window scale {}",
    "--sack-perm": "SACK",
    "--timestamp": "timestamps",
    "--ecn": "ECN",
}


def idletimer(options: Options, _: Glossary) -> str:
    """A timer that reports idle traffic through sysfs."""
    label, timeout = options.value("--label"), options.value("--timeout")
    alarm = ", which wakes the machine (--alarm)" if options.flag("--alarm") else ""
    runs = f" to {duration(timeout)}" if timeout is not None else ""
    return f'resets the idle timer "{label}"{runs}{alarm}'


def led(options: Options, _: Glossary) -> str:
    """An LED."""
    details = options.phrases({"--led-delay": "for {} ms", "--led-always-blink": "blinking each time"})
    return f'lights the LED trigger "{options.value("--led-trigger-id")}"' + aside(details)


def rateest(options: Options, _: Glossary) -> str:
    """A rate estimator for `-m rateest`."""
    name, interval = options.value("--rateest-name"), options.value("--rateest-interval")
    average = options.value("--rateest-ewmalog")
    return f'is counted by the rate estimator "{name}" (every {interval}, averaged over {average})'


def clusterip(options: Options, _: Glossary) -> str:
    """An address that several nodes share."""
    parts = options.phrases(
        {
            "--hashmode": "hash {}",
            "--clustermac": "MAC {}",
            "--total-nodes": "nodes {}",
            "--local-node": "this node {}",
            "--hash-init": "seed {}",
        }
    )
    new = "new " if options.flag("--new") else ""
    return f"is kept only if the {new}cluster address hashes to this node" + aside(parts)
