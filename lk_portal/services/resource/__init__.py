"""Lists of a table's rows that are declared, not programmed.

For declarations (`lk_portal.resources`, plugins) and for what makes state, pages and routes of them.

    resource(
        Tariff,
        route="/admin/tariffs",
        title=N_("Tariffs"),
        columns=[Column(Tariff.code, N_("Code"), is_sortable=True), Column(Tariff.name, N_("Name"))],
        search=[Tariff.code],
        form=[FormField(Tariff.code, N_("Code*")), FormField(Tariff.name, N_("Name*"))],
    )
"""

from lk_portal.services.menu_groups import MenuGroup
from lk_portal.services.resource.declaring import all_resources, resource, resource_named
from lk_portal.services.resource.spec import (
    ADMIN,
    STAFF,
    Action,
    Choice,
    Column,
    Doing,
    Filter,
    FormField,
    Reference,
    Resource,
)

__all__ = [
    "ADMIN",
    "STAFF",
    "Action",
    "Choice",
    "Column",
    "Doing",
    "Filter",
    "FormField",
    "MenuGroup",
    "Reference",
    "Resource",
    "all_resources",
    "resource",
    "resource_named",
]
