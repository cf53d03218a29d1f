"""A real browser on the real stack: the system's Chromium and our ASGI application in a thread.

`conftest.py` imports these fixtures. There is exactly one browser per run: Playwright's sync API
does not bear two. Pages of a test report what went wrong in them; a test that leaves problems fails.
"""

import os
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.db import connections

from racecontrol.testing.find_browser import find_browser
from racecontrol.testing.people import signed_in


@pytest.fixture(scope="session")
def browser() -> Iterator:
    """The system's Chromium, headless. Skips where there is none; with CI set that is an error."""
    path = find_browser()
    if path is None and os.environ.get("CI"):
        pytest.fail("CI must have a browser: install chromium or set BROWSER_PATH")
    if path is None:
        pytest.skip("no Chromium or Chrome here (set BROWSER_PATH to run the browser tests)")
    from playwright.sync_api import expect, sync_playwright

    # For a machine that does much else; a page that never comes to it fails all the same.
    expect.set_options(timeout=30_000)

    # Playwright keeps an event loop in this thread, which Django would take for async code.
    os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "1")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses root with it
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=sandbox)
        yield chromium
        chromium.close()


@pytest.fixture
def live_asgi(transactional_db) -> Iterator[str]:
    """The address of our whole ASGI application, streams included, on the test database."""
    import uvicorn

    from racecontrol.asgi import application

    age = connections.settings["default"]["CONN_MAX_AGE"]
    connections.settings["default"]["CONN_MAX_AGE"] = 0  # server threads leave nothing open
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(
            application, log_level="warning", lifespan="on", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
        thread.start()
        deadline = time.monotonic() + 20
        while not server.started and thread.is_alive() and time.monotonic() < deadline:
            time.sleep(0.02)
        assert server.started, "the application did not start"
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        from racecontrol.livestream import close_streams

        close_streams()
        server.should_exit = True
        thread.join(10)
    connections.settings["default"]["CONN_MAX_AGE"] = age


# Whoever leaves a page while a part of it asks for news aborts that request: htmx says so, it is no fault.
LEFT_WHILE_ASKING = ("htmx:sendAbort", "htmx:afterRequest")


def note_problem(page, said) -> None:
    """An error in the console, unless it only tells that the page was left."""
    if said.type == "error" and not said.text.startswith(LEFT_WHILE_ASKING):
        page.problems.append(said.text)


@pytest.fixture
def open_page(browser, live_asgi) -> Iterator[Callable]:
    """`open_page(user=None, **options)`: a page of a fresh browser profile, signed in as `user`.

    `options` go to Playwright's new_context (viewport, color_scheme, java_script_enabled).
    The page's `problems` list console errors, uncaught errors and failed policies; a test that
    expects some clears the list.
    """
    opened = []

    def open_one(user=None, **options):
        wanted = {"base_url": live_asgi, "viewport": {"width": 1280, "height": 900}} | options
        context = browser.new_context(**wanted)
        context.set_default_timeout(60_000)
        if user is not None:
            client = signed_in(user)
            cookie = client.cookies[settings.SESSION_COOKIE_NAME]
            context.add_cookies([{"name": cookie.key, "value": cookie.value, "url": live_asgi}])
        page = context.new_page()
        page.problems = []
        page.on("console", lambda said: note_problem(page, said))
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        opened.append((context, page))
        return page

    yield open_one
    problems = [problem for _, page in opened for problem in page.problems]
    for context, _ in opened:
        context.close()
    assert not problems, repr(problems)


@pytest.fixture
def page(open_page):
    """A page of a stranger."""
    return open_page()


@pytest.fixture
def browser_client(open_page, user):
    """A page signed in as `user`."""
    return open_page(user)
