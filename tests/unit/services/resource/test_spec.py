"""A wrong declaration is refused when it is made, with its name and the reason; each has a right twin."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from lk_portal.errors import ConfigurationError
from lk_portal.models import (
    Account,
    DayRollup,
    Gateway,
    InfoPage,
    Installation,
    Meter,
    MeteringPoint,
    Premises,
    Subscriber,
    Tariff,
    TariffZone,
    Ticket,
    User,
    Verification,
    VerificationKind,
)
from lk_portal.services.access import Role
from lk_portal.services.resource import (
    Action,
    Choice,
    Column,
    Doing,
    Filter,
    FormField,
    MenuGroup,
    Reference,
    Resource,
    all_resources,
    declaring,
    resource,
    resource_named,
)

KINDS = {VerificationKind.PERIODIC: "Periodic", VerificationKind.INSTRUMENTAL: "Instrumental"}


@pytest.fixture(autouse=True)
def own_resources(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """What these tests declare is gone afterwards."""
    monkeypatch.setattr(declaring, "_resources", {})
    yield


async def nothing(_doing: Doing) -> None: ...


def declare(**changes: Any) -> Resource:
    """The tariffs, but for `changes`."""
    parts: dict[str, Any] = {
        "model": Tariff,
        "route": "/admin/things",
        "title": "Things",
        "columns": [Column(Tariff.code, "Code", is_sortable=True)],
    }
    return resource(**{**parts, **changes})


def of(model: Any, **changes: Any) -> dict[str, Any]:
    """A declaration over another table."""
    return {"model": model, "columns": [Column(model.id, "Key")], **changes}


TARIFF_FORM = [FormField(Tariff.code, "Code*"), FormField(Tariff.name, "Name*")]
ZONE_FORM = [
    FormField(TariffZone.tariff_id, "Tariff*", reference=Reference(Tariff.code)),
    FormField(TariffZone.valid_from, "From*"),
    FormField(TariffZone.zone, "Zone*"),
    FormField(TariffZone.start_minute, "Start*"),
    FormField(TariffZone.end_minute, "End*"),
]
VERIFICATION = of(Verification, can_create=False)
PAIRS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("its route must be", {"route": "/tariffs"}, {"route": "/admin/tariffs"}),
    ("its route must be", {"route": "/admin/two-words"}, {"route": "/admin/two_words"}),
    ("it needs a title", {"title": ""}, {"title": "Things"}),
    ("it needs a title and columns", {"columns": []}, {}),
    ("no single integer key", {"model": DayRollup, "columns": [Column(DayRollup.day, "Day")]}, of(Meter)),
    (
        "must be able to read",
        {"readers": {Role.ADMIN}, "writers": {Role.OPERATOR, Role.ADMIN}},
        {"readers": {Role.OPERATOR, Role.ADMIN}, "writers": {Role.ADMIN}},
    ),
    ("unexpected keyword argument 'serach'", {"serach": [Tariff.code]}, {"search": [Tariff.code]}),
    ("tariff.name has no label", {"columns": [Column(Tariff.name, "")]}, {}),
    (
        "tariff.name cannot be sorted",
        {"columns": [Column(Tariff.name, "Name", is_sortable=True)]},
        {"columns": [Column(Tariff.name, "Name")]},
    ),
    (
        "holds no minutes of a day",
        {"form": [FormField(Tariff.code, "Code*", is_clock=True), FormField(Tariff.name, "Name*")]},
        {"form": TARIFF_FORM},
    ),
    (
        "account.subscriber_id cannot be sorted",
        of(Account, columns=[Column(Account.subscriber_id, "Who", is_sortable=True)]),
        of(Account, columns=[Column(Account.premises_id, "Where", is_sortable=True)]),
    ),
    (
        "subscriber.full_name cannot be sorted",
        of(Account, columns=[Column(Subscriber.full_name, "Who", is_sortable=True)]),
        of(Account, columns=[Column(Subscriber.full_name, "Who")]),
    ),
    ("is no attribute", {"columns": [Column("code", "Code")]}, {}),
    (
        "no foreign keys lead to meter",
        {"columns": [Column(Meter.serial, "Serial")]},
        of(Installation, columns=[Column(Meter.serial, "Serial")]),
    ),
    (
        "several ways lead to portal_user",
        of(Ticket, columns=[Column(User.email, "Login")]),
        of(Ticket),
    ),
    (
        "no foreign keys lead to meter",
        {"search": [Meter.serial]},
        of(MeteringPoint, search=[Account.number, Premises.settlement]),
    ),
    ("is no text", of(Gateway, search=[Gateway.port]), of(Gateway, search=[Gateway.name])),
    (
        "no foreign keys lead to subscriber",
        {"whose": Subscriber.id},
        of(MeteringPoint, whose=Subscriber.id),
    ),
    ("no foreign keys lead to meter", {"only": Meter.serial == "1"}, {"only": Tariff.code != ""}),
    (
        "no foreign keys lead to meter",
        {"filters": [Filter("a", "A", [Choice("b", "B", Meter.serial == "1")])]},
        {"filters": [Filter("a", "A", [Choice("b", "B", Tariff.code == "1")])]},
    ),
    (
        "'b' is declared twice",
        {
            "filters": [
                Filter("a", "A", [Choice("b", "B", Tariff.code == "1"), Choice("b", "C", Tariff.code == "2")])
            ]
        },
        {
            "filters": [
                Filter("a", "A", [Choice("b", "B", Tariff.code == "1"), Choice("c", "C", Tariff.code == "2")])
            ]
        },
    ),
    ("'a' is declared twice", {"filters": [Filter("a", "A", []), Filter("a", "B", [])]}, {}),
    (
        "'go' is declared twice",
        {"actions": [Action("go", "Go", nothing), Action("go", "Come", nothing)]},
        {"actions": [Action("go", "Go", nothing), Action("come", "Come", nothing)]},
    ),
    (
        "'remove' is there already",
        {"actions": [Action("remove", "Remove", nothing)], "can_remove": True},
        {"actions": [Action("remove", "Remove", nothing)]},
    ),
    ("'polling' is no group", {"group": "polling"}, {"group": MenuGroup.POLLING}),
    ("no name of an action", {"actions": [Action("to go", "Go", nothing)]}, {}),
    ("'go' has no label", {"actions": [Action("go", "", nothing)]}, {}),
    ("a new row needs name", {"form": TARIFF_FORM[:1]}, {"form": TARIFF_FORM}),
    ("a new row needs name", {"form": TARIFF_FORM[:1]}, {"form": TARIFF_FORM[:1], "can_create": False}),
    ("'code' is declared twice", {"form": [*TARIFF_FORM, FormField(Tariff.code, "Again*")]}, {}),
    ("field meter.serial is of another table", {"form": [*TARIFF_FORM, FormField(Meter.serial, "S")]}, {}),
    ("field tariff.name has no label", {"form": [TARIFF_FORM[0], FormField(Tariff.name, "")]}, {}),
    (
        "verification.kind needs texts",
        {**VERIFICATION, "form": [FormField(Verification.kind, "Kind*")]},
        {**VERIFICATION, "form": [FormField(Verification.kind, "Kind*", texts=KINDS)]},
    ),
    (
        "tariff_zone.zone is no foreign key",
        of(
            TariffZone,
            form=[*ZONE_FORM[:2], FormField(TariffZone.zone, "Z*", reference=Reference(Tariff.code))],
            can_create=False,
        ),
        of(TariffZone, form=ZONE_FORM),
    ),
    (
        "tariff_zone.tariff_id does not lead to meter.serial",
        of(
            TariffZone,
            form=[FormField(TariffZone.tariff_id, "T*", reference=Reference(Meter.serial)), *ZONE_FORM[1:]],
        ),
        of(TariffZone, form=ZONE_FORM),
    ),
]


@pytest.mark.parametrize(
    ("reason", "wrong", "right"), PAIRS, ids=[f"{n}-{p[0]}" for n, p in enumerate(PAIRS)]
)
def test_a_wrong_declaration_is_refused_with_name_and_reason(
    reason: str, wrong: dict[str, Any], right: dict[str, Any]
) -> None:
    with pytest.raises(ConfigurationError) as refused:
        declare(**wrong)

    assert reason in str(refused.value)
    assert f"resource {wrong.get('route', '/admin/things')}: " in str(refused.value)
    assert not all_resources(), "what is refused is not declared"
    assert declare(**right) in all_resources()


def test_a_route_is_taken_once() -> None:
    first = declare()

    with pytest.raises(ConfigurationError, match="its route is taken"):
        declare(model=Meter, columns=[Column(Meter.serial, "Serial")])

    assert resource_named("things") is first


def test_long_texts_are_not_sorted() -> None:
    with pytest.raises(ConfigurationError, match="long"):
        declare(**of(InfoPage, columns=[Column(InfoPage.text, "Body", is_sortable=True)]))


def test_the_menu_goes_by_order_and_route() -> None:
    for route, order in (("/admin/b", 20), ("/admin/c", 10), ("/admin/a", 20)):
        declare(route=route, order=order)

    assert [one.route for one in all_resources()] == ["/admin/c", "/admin/a", "/admin/b"]


@pytest.mark.parametrize(
    ("field", "kind"),
    [
        (FormField(Tariff.code, "x"), "text"),
        (FormField(InfoPage.text, "x"), "area"),
        (FormField(Gateway.port, "x"), "number"),
        (FormField(Gateway.timeout_s, "x"), "number"),
        (FormField(Installation.ct_ratio, "x"), "number"),
        (FormField(Gateway.is_enabled, "x"), "flag"),
        (FormField(Verification.verified_on, "x"), "date"),
        (FormField(Installation.installed_at, "x"), "moment"),
        (FormField(Verification.kind, "x", texts=KINDS), "choice"),
        (FormField(Installation.meter_id, "x", reference=Reference(Meter.serial)), "reference"),
        (FormField(Installation.meter_id, "x"), "number"),
    ],
)
def test_the_kind_of_a_field_follows_from_its_column(field: FormField, kind: str) -> None:
    assert field.kind == kind


def test_numbers_stand_at_the_right_and_words_do_not() -> None:
    assert Column(Gateway.port, "x").is_number
    assert Column(Installation.ct_ratio, "x").is_number
    assert not Column(Tariff.code, "x").is_number
    assert not Column(Verification.kind, "x", texts=KINDS).is_number
