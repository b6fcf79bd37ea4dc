"""Documents: HTML, JSON, YAML, Markdown."""

from __future__ import annotations

from ipt_explain.parsing.iptables.diagnosis.signs import RUN_SAVE, sign

_OBJECTS = (
    "Kubernetes objects are read by `ipt-explain compare --objects FILE DUMP`; the dump comes from `iptables-save`."
)

SIGNS = (
    sign(
        r"(?i)^\s*(<!DOCTYPE|<html\b|<\?xml)",
        "this is an HTML page, not iptables-save output",
        "Save the page's text, or the file that it shows (on GitHub: Raw).",
    ),
    sign(
        r"(?i)(</?(?:span|code|pre|div|p|br|a|li|td|tr|table|body)\b[^<>]{0,4096}>)",
        "the line has HTML markup",
        "Save the page's text, or the file that it shows (on GitHub: Raw).",
    ),
    sign(
        r"^\s*(?:[{\[].{0,400}?)?(\"[\w.-]+\"): ?\""
        r"(?:(?:[^\"\\]|\\.){0,4096}?\\n(?:-A |:[A-Z]|\*[a-z]|COMMIT)|table (?:ip6?|inet) \S+ \{\\n)",
        "the rules are inside a string of JSON",
        "Extract the string, for example `jq -r .stdout FILE | ipt-explain`.",
    ),
    sign(r"^\s*(\"?(?:apiVersion|kind)\"?:)", "this is a Kubernetes object, not iptables-save output", _OBJECTS),
    sign(r"^(\s*[{\[]\s*)(?:$|[\"{\[\]}])", "this is JSON, not iptables-save output", _OBJECTS),
    sign(r"^\s*(\"[\w./-]+\":)", "this is JSON, not iptables-save output", _OBJECTS),
    sign(r"^(---)\s*$", "`---` is not a rule; it separates parts of a diff, or of a YAML or Markdown file", RUN_SAVE),
    sign(
        r"^\s*(\* |- (?!\S+ -|[ \t]*->)|\d+[.)] |!\[|\[[^\]]+\]\()",
        "this is prose or a list, not a rule",
        "Give only the rules, or skip such lines with `--lenient`.",
    ),
)
