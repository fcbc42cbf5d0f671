"""The picture check of a tab. Pages show it by `captcha_field`; their states ask it before they act.

They get it by `await self.get_state(CaptchaState)`, call its `_take`, and `_renew` where the person, for
another reason, has to try again.
"""

from __future__ import annotations

from datetime import datetime, timedelta

import reflex as rx

from lk_portal.errors import N_, InputError
from lk_portal.i18n import _, active_locale
from lk_portal.services import captcha
from lk_portal.services.captcha import Purpose
from lk_portal.services.context import current
from lk_portal.state.guard import public
from lk_portal.state.visits import browser_of


class CaptchaState(rx.State):
    """The picture, where its recording is, and what is wrong with that; the challenge's id stays here."""

    picture: str = ""
    recording: str = ""
    problem: str = ""
    _challenge: str = ""
    _purpose: str = ""
    _issued_at: str = ""

    @rx.event
    @public
    async def renew(self, purpose: str = "") -> None:
        """The page was opened, or the person wants another picture; an unknown purpose gets none."""
        if isinstance(purpose, str) and purpose in list(Purpose):
            await self._renew(Purpose(purpose))

    @rx.event
    @public
    async def tell_silence(self) -> None:
        """The recording could not be played: most often it is too old."""
        if self.recording:
            self.problem = _("The code cannot be played. Refresh the picture and try again.")

    async def _renew(self, purpose: Purpose) -> None:
        """Show a new picture. Whoever took one calls this before the next try."""
        portal = current()
        challenge = await captcha.issue(
            portal.database, purpose=purpose, browser=browser_of(self), now=portal.clock()
        )
        self._challenge, self._purpose = challenge.id, purpose.value
        self._issued_at = portal.clock().isoformat()
        self.picture = challenge.picture
        self.recording = f"/captcha/{challenge.audio_key}.wav?lang={active_locale()}"
        self.problem = ""

    def _is_good_for(self, purpose: Purpose) -> bool:
        """Whether the picture is this form's, waits for its answer and will do so for long enough to type."""
        if not self._challenge or self._purpose != purpose.value:
            return False
        age = current().clock() - datetime.fromisoformat(self._issued_at)
        return timedelta(0) <= age < captcha.LIFETIME / 2

    async def _take(self, purpose: Purpose, answer: object) -> None:
        """Use the picture up; after a refusal there is a new one, except where nothing was typed.

        Raises:
            InputError: For the field "captcha": nothing was typed, the digits are wrong, the picture is old.
        """
        typed = answer if isinstance(answer, str) else ""
        if not captcha.normal_answer(typed):
            raise InputError(N_("Type the digits you see in the picture."), field=captcha.FIELD)
        challenge, self._challenge = self._challenge, ""
        portal = current()
        try:
            await captcha.take(
                portal.database,
                challenge_id=challenge,
                purpose=purpose,
                browser=browser_of(self),
                answer=typed,
                now=portal.clock(),
            )
        except InputError:
            await self._renew(purpose)
            raise
        self.picture = self.recording = self.problem = ""
