"""A code by mail for who leaves and has no password: a session or a token alone must not be enough.

Nothing is stored. A code is made from the person, the minute and the site's SECRET_KEY, so every host
knows the codes of the last quarter of an hour; 60 bits cannot be guessed at five tries a minute.
"""

import base64
from datetime import datetime, timedelta
from typing import Any, Final

from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.timezone import now

from racecontrol.shared import ratelimit
from racecontrol.shared.errors import NotReady, SourceUnavailable, TooMany
from racecontrol.shared.mail import post

GOOD_FOR_MIN: Final = 15
LETTERS: Final = 12
SUBJECT: Final = "[Race Control] Code to delete your account"
TEXT: Final = """{code}

Whoever has this code can delete your account, {name}, with everything in it. It is good for
{minutes} minutes. If you did not ask for it, revoke your API tokens and end your sessions: somebody
else can act as you.
"""


def rate_key(user: Any) -> str:
    return f"leave-code:{user.pk}"


def send(*, by: Any) -> None:
    """Mail a code to the person's address.

    Raises NotReady for an account with a password or without an address, TooMany for a second code
    within the minute, SourceUnavailable when the mail does not leave.
    """
    if by.has_usable_password():
        raise NotReady("This account has a password: that is what is asked for.")
    if not by.email:
        raise NotReady("This account has no address for a code: set a password first.")
    if ratelimit.count_write(rate_key(by)) > 1:
        raise TooMany("A code was mailed a moment ago: look for it, or wait a minute.")
    moment = now()
    code = "-".join(_pieces(_code(by, moment)))
    text = TEXT.format(code=code, name=by.username, minutes=GOOD_FOR_MIN)
    try:
        post(SUBJECT, text, [by.email], key=f"{rate_key(by)}:{_minute(moment)}")
    except OSError as broken:
        raise SourceUnavailable(
            "The mail with the code did not leave; try again later."
        ) from broken


def is_good(code: str, *, user: Any) -> bool:
    """Was this code mailed to this person within the last quarter of an hour?"""
    said = "".join(code.upper().split()).replace("-", "")
    moment = now()
    past = [moment - timedelta(minutes=ago) for ago in range(GOOD_FOR_MIN)]
    return any(constant_time_compare(said, _code(user, one)) for one in past)


def _code(user: Any, moment: datetime) -> str:
    """Ends with the address it was mailed to, and with the password that is set meanwhile."""
    value = f"{user.pk}:{user.email}:{user.password}:{_minute(moment)}"
    digest = salted_hmac("racecontrol.leave", value, algorithm="sha256").digest()
    return base64.b32encode(digest).decode()[:LETTERS]


def _minute(moment: datetime) -> int:
    return int(moment.timestamp() // 60)


def _pieces(code: str) -> list[str]:
    return [code[at : at + 4] for at in range(0, len(code), 4)]
