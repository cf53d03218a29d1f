"""What every journey needs: an account made as people make one, and a program's calls."""

from collections.abc import Container
from typing import Any
from urllib.parse import urlencode

from django.test import Client


def make_account(page, name: str, password: str, email: str = "") -> None:
    """Fill the sign-up form that is open in a browser."""
    page.get_by_label("Email").fill(email or f"{name}@example.org")
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_label("Password (again)").fill(password)
    page.locator("#main").get_by_role("button", name="Sign up").click()


def program_of_newcomer(client: Client, name: str, password: str, **values: str) -> Client:
    """`client` signs up; a program with a token made in that session."""
    told = {"username": name, "email": f"{name}@example.org"} | values
    passwords = {"password1": password, "password2": password}
    assert client.post("/accounts/signup/", told | passwords).status_code == 302
    made = client.post(
        "/api/v1/tokens", {"name": "laptop", "scope": "write"}, content_type="application/json"
    )
    return Client(headers={"Authorization": f"Bearer {made.json()['secret']}"})


class Api:
    """One person's calls; an answer has a good status, or the test says what came instead."""

    def __init__(self, client: Client, good: Container[int] = range(200, 300)):
        self.client, self.good = client, good

    def __call__(self, method: str, path: str, body: Any = None, status: int | None = None) -> Any:
        options = {} if body is None else {"data": body, "content_type": "application/json"}
        answer = getattr(self.client, method)(f"/api/v1/{path}", **options)
        good = self.good if status is None else (status,)
        assert answer.status_code in good, (method, path, answer.status_code, answer.text)
        return answer.json() if answer.content else None

    def get(self, path: str, **query: str) -> Any:
        return self("get", f"{path}?{urlencode(query)}" if query else path)

    def post(self, path: str, **body: Any) -> Any:
        return self("post", path, body)
