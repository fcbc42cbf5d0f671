"""`make guide`: assembles docs/user-guide and docs/operator-guide from the help that the pages show.

There is no second text. A test compares what is there with what this gives.
"""

from __future__ import annotations

import re
import sys
from functools import partial
from pathlib import Path

from lk_portal.services.help_topics import Book, Topic, topics
from tests.docs.shots import HELP, LOCALES, ROOT

FOLDERS = {Book.HELP: "user-guide", Book.GUIDE: "operator-guide"}
TITLES = {
    Book.HELP: {"ru": "Личный кабинет: руководство пользователя", "en": "Personal cabinet: the user's guide"},
    Book.GUIDE: {"ru": "Личный кабинет: руководство оператора", "en": "Personal cabinet: the operator guide"},
}
INTRODUCTIONS = {
    Book.HELP: {
        "ru": "Это помощь из раздела «Информация» личного кабинета. Файл собран командой `make guide`;\n"
        "правьте тексты, из которых он собран: они в `lk_portal/help/ru`.",
        "en": "This is the help of the cabinet's section “Information”. The file is assembled by "
        "`make guide`;\nchange the texts it is made of: they are in `lk_portal/help/en`.",
    },
    Book.GUIDE: {
        "ru": "Для операторов и администраторов. То же самое сотрудник читает в портале: по ссылке на\n"
        "рабочем столе и в разделе «Информация». Файл собран командой `make guide`; правьте тексты, из\n"
        "которых он собран: они в `lk_portal/help/ru/staff`.",
        "en": "For operators and administrators. Staff read the same in the portal: by the link on the desk\n"
        "and in “Information”. The file is assembled by `make guide`; change the texts it is made of: they\n"
        "are in `lk_portal/help/en/staff`.",
    },
}
LINK = re.compile(r"(!?)\[([^\]]*)\]\((/[^)\s]*)\)")


def main() -> None:
    """Write both guides in every language."""
    for book in Book:
        for locale in LOCALES:
            path = path_of(locale, book)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(assembled(locale, book), encoding="utf-8")
            sys.stdout.write(f"{path.relative_to(ROOT)}\n")


def path_of(locale: str, book: Book = Book.HELP) -> Path:
    """Where a guide in a language lies."""
    return ROOT / "docs" / FOLDERS[book] / f"{locale}.md"


def assembled(locale: str, book: Book = Book.HELP) -> str:
    """A guide in a language: a table of contents, and all topics."""
    every = topics(locale, book)
    contents = "\n".join(f"- [{one.title}](#{one.slug})" for one in every)
    outside = partial(_outside, every=every, other=_address_of_other(locale, book))
    sections = (_section(one, LINK.sub(outside, one.text)) for one in every)
    parts = [f"# {TITLES[book][locale]}", INTRODUCTIONS[book][locale], contents, *sections]
    return "\n\n".join(parts) + "\n"


def _address_of_other(locale: str, book: Book) -> str:
    """Where topics are that are not in this guide."""
    [other] = set(Book) - {book}
    return f"../{FOLDERS[other]}/{locale}.md"


def _section(topic: Topic, text: str) -> str:
    """A topic one level deeper."""
    deeper = re.sub(r"^#", "##", text, flags=re.MULTILINE)
    return f'<a id="{topic.slug}"></a>\n\n## {topic.title}\n\n{deeper}'


def _outside(link: re.Match[str], *, every: tuple[Topic, ...], other: str) -> str:
    """A picture from its file, a topic by its anchor; of a link to the portal's pages the words."""
    mark, words, address = link.groups()
    if mark:
        return f"![{words}](../../{(HELP / Path(address).name).relative_to(ROOT)})"
    page = address.removeprefix("/info/")
    if not page.startswith("help-"):
        return words
    return f"[{words}]({'' if page in {one.slug for one in every} else other}#{page})"


if __name__ == "__main__":
    main()
