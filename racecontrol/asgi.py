"""The whole site for an ASGI server: streams raw, everything else through Django's WSGI handler.

Under ASGI each synchronous middleware of Django is a hop between threads; its WSGI handler in a
small pool answers three times as many requests with a fixed number of database connections
(docs/decisions/0003).
"""

from typing import Any

from a2wsgi import WSGIMiddleware

from racecontrol.wsgi import application as wsgi_application

# Django is set up by the line above; what touches models comes after it.
from racecontrol import livestream  # isort: skip
from runplans import hotpath  # isort: skip

THREADS = 8
pages = WSGIMiddleware(wsgi_application, workers=THREADS)


async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
    if scope["type"] == "lifespan":
        await lifespan(receive, send)
    elif scope["type"] == "websocket":
        await send({"type": "websocket.close"})
    elif scope["path"] == "/live/":
        await livestream.stream(scope, receive, send)
    elif scope["path"].startswith(hotpath.PATH) and hotpath.is_plain(scope):
        await hotpath.answer(scope, receive, send, long_way=pages)
    else:
        await pages(scope, receive, send)


async def lifespan(receive: Any, send: Any) -> None:
    while True:
        message = await receive()
        if message["type"] == "lifespan.startup":
            livestream.hub()
            await send({"type": "lifespan.startup.complete"})
        else:
            await livestream.stop_hub()
            await hotpath.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
