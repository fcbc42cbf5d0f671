"""/admin/answers: the words that the staff puts into answers again and again."""

from lk_portal.errors import N_
from lk_portal.models import AnswerTemplate
from lk_portal.services.resource import Column, FormField, MenuGroup, resource

resource(
    AnswerTemplate,
    route="/admin/answers",
    title=N_("Answer templates"),
    icon="chat",
    order=27,
    group=MenuGroup.REQUESTS,
    columns=[
        Column(AnswerTemplate.title, N_("Title")),
        Column(AnswerTemplate.position, N_("Place in the list")),
    ],
    form=[
        FormField(AnswerTemplate.title, N_("Title*")),
        FormField(AnswerTemplate.text, N_("Text*")),
        FormField(AnswerTemplate.position, N_("Place in the list"), hint=N_("Small numbers stand first.")),
    ],
    can_remove=True,
)
