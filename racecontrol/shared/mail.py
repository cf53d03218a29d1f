"""Mail to whoever looks after the house."""

from django.contrib.auth import get_user_model
from django.core.mail import mail_admins, send_mail


def tell_staff(subject: str, text: str) -> None:
    """To every active member of staff with an address; where there is none, to the operators."""
    people = get_user_model().objects.filter(is_staff=True, is_active=True).exclude(email="")
    if addresses := list(people.values_list("email", flat=True)):
        send_mail(f"[Race Control] {subject}", text, None, addresses)
    else:
        mail_admins(subject, text)
