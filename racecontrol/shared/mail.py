"""Mail: the same id on every try of one mail, and none sent again that the server may have.

A mail program and many a server show a mail of an id they have once. `post` is for everything but
what allauth sends in a request.
"""

import re
import smtplib
from collections.abc import Sequence
from urllib.parse import urlsplit

import structlog
from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend

log = structlog.get_logger(__name__)


def message_id(key: str) -> str:
    """The Message-ID of what `key` names, the same at every try."""
    host = urlsplit(settings.PUBLIC_URL).hostname or "localhost"
    return f"<{re.sub(r'[^A-Za-z0-9.-]+', '.', key).strip('.')}@{host}>"


def post(subject: str, text: str, to: Sequence[str], *, key: str) -> bool:
    """Send a plain mail. False where the connection broke with the server perhaps having it.

    `key` names this very mail, over all tries and workers. Raises OSError when it did not leave.
    """
    mail = EmailMessage(subject, text, to=to, headers={"Message-ID": message_id(key)})
    return bool(mail.send())


def tell_staff(subject: str, text: str, *, key: str) -> None:
    """To every active member of staff with an address; where there is none, to the operators."""
    people = get_user_model().objects.filter(is_staff=True, is_active=True).exclude(email="")
    if addresses := list(people.values_list("email", flat=True)):
        post(f"[Race Control] {subject}", text, addresses, key=key)
    else:
        tell_operators(subject, text, key=key)


def tell_operators(subject: str, text: str, *, key: str) -> None:
    """To the addresses of ADMIN_EMAILS, if there are any."""
    if addresses := [address for _, address in settings.ADMINS]:
        post(f"{settings.EMAIL_SUBJECT_PREFIX}{subject}", text, addresses, key=key)


class PerhapsSent(smtplib.SMTPServerDisconnected):
    """The whole mail was given to the server, and the connection broke before it said anything."""


class _TellsPerhaps:
    """Of a mail's data the server answers twice: that it may come, and that it has it all."""

    answers = 0

    def data(self, msg):
        self.answers = 0
        try:
            return super().data(msg)  # type: ignore[misc]
        except smtplib.SMTPServerDisconnected as lost:
            if self.answers == 2:
                raise PerhapsSent("The server may have the mail.") from lost
            raise

    def getreply(self):
        self.answers += 1
        return super().getreply()  # type: ignore[misc]


class _Smtp(_TellsPerhaps, smtplib.SMTP):
    pass


class _SmtpOverTls(_TellsPerhaps, smtplib.SMTP_SSL):
    pass


class SmtpBackend(EmailBackend):
    """Django's, but a mail the server may have counts as not sent and raises nothing.

    A job that raises is tried again, and the mail would come twice. A server that is slow with its
    last word nearly always has the mail (RFC 1047); where it has not, the mail is lost, and logged.
    """

    @property
    def connection_class(self):
        return _SmtpOverTls if self.use_ssl else _Smtp

    def _send(self, email_message):
        try:
            return super()._send(email_message)
        except PerhapsSent:
            headers = email_message.extra_headers
            log.warning("mail_perhaps_sent", message_id=headers.get("Message-ID", ""))
            return False
