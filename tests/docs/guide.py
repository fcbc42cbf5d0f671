"""`make guide`: assembles docs/user-guide from the help that the pages show. There is no second text.

A test compares what is there with what this gives.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from lk_portal.services.help_topics import Topic, topics
from tests.docs.shots import HELP, LOCALES, ROOT

FOLDER = ROOT / "docs" / "user-guide"
TITLES = {"ru": "Личный кабинет: руководство пользователя", "en": "Personal cabinet: the user's guide"}
INTRODUCTIONS = {
    "ru": "Это помощь из раздела «Информация» личного кабинета. Файл собран командой `make guide`;\n"
    "правьте тексты, из которых он собран: они в `lk_portal/help/ru`.",
    "en": "This is the help of the cabinet's section “Information”. The file is assembled by `make guide`;\n"
    "change the texts it is made of: they are in `lk_portal/help/en`.",
}
LINK = re.compile(r"(!?)\[([^\]]*)\]\((/[^)\s]*)\)")


def main() -> None:
    """Write the guide in every language."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for locale in LOCALES:
        path_of(locale).write_text(assembled(locale), encoding="utf-8")
        sys.stdout.write(f"{path_of(locale).relative_to(ROOT)}\n")


def path_of(locale: str) -> Path:
    """Where the guide in a language lies."""
    return FOLDER / f"{locale}.md"


def assembled(locale: str) -> str:
    """The guide in a language: a table of contents, and all topics."""
    every = topics(locale)
    contents = "\n".join(f"- [{one.title}](#{one.slug})" for one in every)
    parts = [f"# {TITLES[locale]}", INTRODUCTIONS[locale], contents, *map(_section, every)]
    return "\n\n".join(parts) + "\n"


def _section(topic: Topic) -> str:
    """A topic one level deeper, with links and pictures as they are outside of the portal."""
    text = re.sub(r"^#", "##", topic.text, flags=re.MULTILINE)
    return f'<a id="{topic.slug}"></a>\n\n## {topic.title}\n\n{LINK.sub(_outside, text)}'


def _outside(link: re.Match[str]) -> str:
    """A picture from its file, a topic by its anchor; of a link to the portal's pages the words."""
    mark, words, address = link.groups()
    if mark:
        return f"![{words}](../../{(HELP / Path(address).name).relative_to(ROOT)})"
    page = address.removeprefix("/info/")
    return f"[{words}](#{page})" if page.startswith("help-") else words


if __name__ == "__main__":
    main()
