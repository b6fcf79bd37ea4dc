"""The help topics: one Markdown file each (a small subset), shipped with the package.

`ipt-explain help TOPIC` prints them, and the manual page is built from them.
"""

from __future__ import annotations

from importlib.resources import files

TOPICS = (
    "input",
    "tree",
    "probabilities",
    "affinity",
    "masquerading",
    "fates",
    "fragments",
    "recipes",
    "ci",
    "fleets",
    "json",
    "configuration",
    "writing-rules",
    "terminal",
)
"""The topics, in reading order."""


def topic_text(topic: str) -> str:
    """A topic's text. The first line is `# ` and its title. Raises KeyError for an unknown topic."""
    if topic not in TOPICS:
        raise KeyError(topic)
    return files(__name__).joinpath(f"{topic}.md").read_text(encoding="utf-8")


def topic_title(topic: str) -> str:
    """What a topic is about, in a few words."""
    return topic_text(topic).partition("\n")[0].removeprefix("# ")
