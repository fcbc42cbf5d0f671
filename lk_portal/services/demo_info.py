"""What the demo utility tells its subscribers: tariffs, news, some not yet out. For `services.demo`.

The prices are invented, and the page says so.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import func, select

from lk_portal.models import InfoPage
from lk_portal.services import content
from lk_portal.services.content import Draft, InfoKind
from lk_portal.services.database import Database
from lk_portal.services.tables import table_of
from lk_portal.services.visit import Visit

TARIFFS_RU = """\
Цены этой страницы придуманы для демонстрации.

| Тариф | Когда действует | Цена за 1 кВт·ч |
|---|---|---|
| Однотарифный | круглые сутки | 5,20 ₽ |
| Двухзонный, день (Т1) | с 7 до 23 часов | 5,90 ₽ |
| Двухзонный, ночь (Т2) | с 23 до 7 часов | 3,10 ₽ |

## Кому выгоден двухзонный тариф

Тем, у кого ночью работают водонагреватель, обогрев или зарядка автомобиля. Откройте
[график потребления](/readings) за день: если ночные столбцы не ниже дневных, тариф вам подойдет.

## Как перейти

Напишите нам в разделе «Поддержка». Нужен прибор учета, который умеет считать по зонам.
"""
TARIFFS_EN = """\
The prices on this page are invented for the demo.

| Tariff | When | Price of 1 kWh |
|---|---|---|
| One zone | day and night | 5.20 ₽ |
| Two zones, day (T1) | from 7 to 23 | 5.90 ₽ |
| Two zones, night (T2) | from 23 to 7 | 3.10 ₽ |

## For whom two zones pay

For those whose water heater, heating or car charger works at night. Open the
[consumption chart](/readings) of a day: if the columns of the night are no lower, the tariff suits you.

## How to change

Write to us under "Support". You need a meter that counts by zones.
"""
WORKS_RU = """\
В среду с 10 до 12 часов мы обновим оборудование связи. Показания за это время появятся в кабинете позже:
приборы учета их хранят, ничего не потеряется.

Электричество отключать не будем.
"""
WORKS_EN = """\
On Wednesday from 10 to 12 we renew communication equipment. Readings of these hours come later: the meters
keep them, and nothing is lost.

The power stays on.
"""
CABINET_RU = """\
Теперь расход по дням и часам, события прибора учета и ответы на обращения — в одном месте, на компьютере и на
телефоне.

Как пользоваться кабинетом, рассказывает [помощь](/info/help).
"""
CABINET_EN = """\
Consumption by days and hours, events of your meter and answers to your questions are now in one place, on a
computer and on a telephone.

The [help](/info/help) tells how to use the cabinet.
"""
RECEPTION_RU = """\
С понедельника часы приема посетителей меняются: с 8 до 19 часов, по субботам с 9 до 14.
"""
READING_RU = """\
Показания за месяц портал снимает сам. Передавать их не нужно.

Что делать, если прибор учета не опрашивается? (дописать)
"""

DAY = timedelta(days=1)
_PAGE, _NEWS = InfoKind.PAGE, InfoKind.NEWS
TEXTS = (
    (Draft("tariffs", "ru", _PAGE, "Тарифы на электроэнергию", TARIFFS_RU, position=10), 20 * DAY),
    (Draft("tariffs", "en", _PAGE, "Tariffs of electricity", TARIFFS_EN, position=10), 20 * DAY),
    (Draft("new-cabinet", "ru", _NEWS, "Новый личный кабинет", CABINET_RU), 14 * DAY),
    (Draft("new-cabinet", "en", _NEWS, "The new personal cabinet", CABINET_EN), 14 * DAY),
    (Draft("works", "ru", _NEWS, "Работы на оборудовании связи в среду", WORKS_RU), 2 * DAY),
    (Draft("works", "en", _NEWS, "Works on communication equipment on Wednesday", WORKS_EN), 2 * DAY),
)
"""Each with how long it has been out when the demo begins."""
AHEAD = (
    (Draft("reception", "ru", _NEWS, "Новые часы приема", RECEPTION_RU), 3 * DAY),
    (Draft("readings", "ru", _PAGE, "Нужно ли передавать показания", READING_RU, position=20), None),
)
"""Each with when it comes out after the demo begins; None: it is a draft."""


async def write_demo_texts(database: Database, *, now: datetime) -> None:
    """Write and publish them, unless the utility has texts already; `now` is aware UTC."""
    async with database.reading() as connection:
        if await connection.scalar(select(func.count()).select_from(table_of(InfoPage))):
            return
    visit = Visit(address="", agent="lk demo", at=now)
    for draft, age in TEXTS:
        await content.save(database, draft, actor=None, visit=visit)
        await content.publish(
            database, slug=draft.slug, locale=draft.locale, at=now - age, actor=None, visit=visit
        )
    for draft, ahead in AHEAD:
        await content.save(database, draft, actor=None, visit=visit)
        if ahead is not None:
            await content.publish(
                database, slug=draft.slug, locale=draft.locale, at=now + ahead, actor=None, visit=visit
            )
