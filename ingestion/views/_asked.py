"""What an address or a form asks a page for, read so that nonsense asks for nothing."""

from django.http import HttpRequest

LONGEST_NUMBER = 17  # digits; anything longer may be past the largest key


def number(text: str) -> int | None:
    """The key somebody wrote, or None for what can be none."""
    return int(text) if text.isdecimal() and len(text) <= LONGEST_NUMBER else None


def numbers(texts: list[str]) -> list[int]:
    """The keys among what somebody wrote."""
    return [key for text in texts if (key := number(text)) is not None]


def way_back(request: HttpRequest, home: str) -> str:
    """Where the form wants to go back to, if that is `home` or a page below it."""
    wanted = request.POST.get("next", "")
    return wanted if wanted.startswith(home) and "\\" not in wanted else home
