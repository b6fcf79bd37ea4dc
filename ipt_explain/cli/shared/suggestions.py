"""Shell completion: rules of the catalogue, and names in the dump on the command line."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

import click

from ipt_explain.errors import IptExplainError

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    from ipt_explain.model import Dump
    from ipt_explain.services.ports import ServicePort

# Bytes. Reading a larger dump would take too long for a completion.
LARGEST = 8 << 20


def rule_ids(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """IDs and names of audit rules; in a list with commas, its last item."""
    from click.shell_completion import CompletionItem

    from ipt_explain.audit.catalogue import catalogue

    before, comma, word = incomplete.rpartition(",")
    return [
        CompletionItem(before + comma + name, help=rule.title)
        for rule in catalogue()
        for name in (rule.id, rule.slug)
        if name.lower().startswith(word.lower()) and (word or name == rule.id)
    ]


def service_names(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Services of the dump, as NAMESPACE/NAME, with a port after a typed colon; or bare names."""
    found: dict[str, None] = {}
    for service in _services():
        if service.namespace is None or service.name is None:
            continue
        name = f"{service.namespace}/{service.name}"
        found[name] = None
        if ":" in incomplete and service.port_name:
            found[f"{name}:{service.port_name}"] = None
        if incomplete and "/" not in incomplete:
            found[service.name] = None
    return _starting(found, incomplete)


def namespaces(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Namespaces of the dump's Services."""
    return _starting(dict.fromkeys(service.namespace for service in _services() if service.namespace), incomplete)


def addresses(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """ClusterIPs of the dump's Services, with the Service's name."""
    from click.shell_completion import CompletionItem

    return [
        CompletionItem(service.cluster_ip, help=service.label)
        for service in _services()
        if service.cluster_ip is not None and service.cluster_ip.startswith(incomplete)
    ]


def chain_names(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Chains of the dump."""
    tables = (table for dump in _dumps() for ruleset in dump.rulesets for table in ruleset.tables.values())
    return _starting(dict.fromkeys(name for table in tables for name in table.chains), incomplete)


def file_names(_: click.Context, __: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Files, which the shell knows."""
    from click.shell_completion import CompletionItem

    return [CompletionItem(incomplete, type="file")]


def chains_and_files(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Chains of the dump, and files."""
    return [*chain_names(context, parameter, incomplete), *file_names(context, parameter, incomplete)]


def _starting(words: Iterable[str], incomplete: str) -> list[CompletionItem]:
    from click.shell_completion import CompletionItem

    # Unprintable characters could control the terminal.
    return [CompletionItem(word) for word in words if word.startswith(incomplete) and word.isprintable()]


def _services() -> list[ServicePort]:
    from ipt_explain.analyzers import explain

    return [service for dump in _dumps() for service in explain(dump).services]


def _dumps() -> list[Dump]:
    """The dumps that the command line names, before or after the word to complete; unreadable ones are left out."""
    from ipt_explain.inputs import read_inputs
    from ipt_explain.parsing import read_dump

    found: list[Dump] = []
    for path in dict.fromkeys(_typed_words()):
        with suppress(IptExplainError, OSError):
            if os.path.isfile(path) and os.path.getsize(path) <= LARGEST:
                found += [read_dump(text.text, source=text.name, lenient=True) for text in read_inputs([path])]
    return found


def _typed_words() -> list[str]:
    """The words on the command line, as the shell reports them, without the program's name."""
    import shlex

    line = os.environ.get("COMP_WORDS", "")
    try:
        return shlex.split(line)[1:]
    except ValueError:  # an unclosed quote
        return line.split()[1:]
