"""The stand-ins' answers, and how they go wrong."""

import base64
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, parse_qsl, quote, urlencode, urlsplit

from racecontrol.shared.faulty_server import FaultyHandler

if TYPE_CHECKING:
    from coaching.connections.fakes.server import FakeProviders

READ_LIMIT = (100, 1000)


class Handler(FaultyHandler):
    server_of: "FakeProviders"

    def do_GET(self) -> None:
        self._serve("GET", {})

    def do_DELETE(self) -> None:
        self._serve("DELETE", {})

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        body = self.rfile.read(size).decode()
        self._serve("POST", dict(parse_qsl(body, keep_blank_values=True)))

    def _serve(self, method: str, form: dict[str, str]) -> None:
        parts = urlsplit(self.path)
        self.query = {key: values[-1] for key, values in parse_qs(parts.query).items()}
        self.form = form
        self.server_of.note(method, self.path, self.headers.get("Authorization") or "")
        if parts.path == "/favicon.ico":  # browsers that look at our page of consent ask for it
            return self.send_raw(204, b"", "image/x-icon")
        _, name, *rest = parts.path.split("/")
        path = "/" + "/".join(rest)
        if name not in ("strava", "oura", "intervals"):
            return self.send_json(404, {"message": "no such place"})
        self.name, self.house = name, self.server_of.house(name)
        try:
            fault = self.server_of.fault_for(self.path)
            if fault and self._misbehave(fault):
                return None
            return self._answer(method, path)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def _answer(self, method: str, path: str) -> None:
        if path == "/oauth/authorize":
            return self._authorize()
        if path.endswith("/oauth/token") and method == "POST":
            return self._token()
        if path.endswith("/oauth/revoke") and method == "POST":
            return self._revoke()
        if path.startswith("/api/v3/push_subscriptions"):
            return self._subscriptions(method, path)
        if self.name == "strava":
            self._count()
        if self._holder() is None:
            return self.send_json(401, {"message": f"Authorization Error: {self._token_shown()}"})
        found = getattr(self, f"_{self.name}")(path)
        return (
            self.send_json(404, {"message": "Record Not Found"})
            if found is None
            else self.send_json(200, found)
        )

    # -- permission --------------------------------------------------------------------------

    def _authorize(self) -> None:
        back, state = self.query.get("redirect_uri", ""), self.query.get("state", "")
        asked = self.query.get("scope", "").replace(",", " ").split()
        separator = "&" if "?" in back else "?"
        no = f"{back}{separator}{urlencode({'error': 'access_denied', 'state': state})}"
        code, given = self.house.new_code(asked)
        told = {"code": code, "state": state}
        if self.name == "strava":
            told["scope"] = ",".join(given)
        yes = f"{back}{separator}{urlencode(told)}"
        if not self.server_of.is_asking:
            self.send_response(302)
            self.send_header("Location", yes)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        page = (
            f"<!doctype html><html lang=en><title>{self.name} stand-in</title>"
            f"<h1>{self.name} (stand-in)</h1><p>Race Control asks for: {' '.join(asked)}</p>"
            f'<p><a href="{quote(yes, safe=":/?&=%")}">Allow</a> '
            f'<a href="{quote(no, safe=":/?&=%")}">Deny</a></p>'
        )
        self.send_raw(200, page.encode(), "text/html; charset=utf-8")

    def _token(self) -> None:
        is_known = (self.form.get("client_id"), self.form.get("client_secret")) == (
            f"{self.name}-client",
            f"{self.name}-client-secret",
        )
        if not is_known:
            return self.send_json(401, {"error": "invalid_client"})
        if self.form.get("grant_type") == "authorization_code":
            grant = self.house.redeem(self.form.get("code", ""))
        else:
            grant = self.house.renew(self.form.get("refresh_token", ""))
        if grant is None:
            return self.send_json(400, {"error": "invalid_grant", "message": "Bad Request"})
        told: dict[str, Any] = {"token_type": "Bearer", "access_token": grant.access}
        if self.name == "strava":
            told |= {"expires_at": int(grant.expires_at), "refresh_token": grant.refresh}
            told["athlete"] = {"id": int(grant.account)}
        elif self.name == "oura":
            told |= {"expires_in": int(self.house.lasts_s), "refresh_token": grant.refresh}
            told["scope"] = grant.scopes
        else:  # intervals.icu gives one token that does not end
            grant.expires_at = time.time() + 10**9
            told |= {"scope": grant.scopes.replace(" ", ","), "athlete": {"id": grant.account}}
        return self.send_json(200, told)

    def _revoke(self) -> None:
        self.house.revoke(self.form.get("token") or self.query.get("access_token", ""))
        self.send_json(200, {})

    def _token_shown(self) -> str:
        kind, _, token = (self.headers.get("Authorization") or "").partition(" ")
        return base64.b64decode(token).decode().partition(":")[2] if kind == "Basic" else token

    def _holder(self) -> str | None:
        return self.house.holder(self._token_shown())

    # -- data --------------------------------------------------------------------------------

    def _count(self) -> None:
        with self.server_of.lock:
            self.server_of.read_usage = [used + 1 for used in self.server_of.read_usage]

    def _strava(self, path: str) -> Any:
        if path == "/api/v3/athlete":
            return {"id": int(self._holder() or 0)}
        if path == "/api/v3/athlete/activities":
            after, before = (float(self.query[name]) for name in ("after", "before"))
            page, size = int(self.query["page"]), int(self.query["per_page"])
            size = min(size, self.server_of.page_size)
            fitting = [r for r in self.server_of.rides if after < _epoch(r["start_date"]) < before]
            return fitting[(page - 1) * size : page * size]
        _, *_, number = path.removesuffix("/streams").split("/")
        ride = next((r for r in self.server_of.rides if str(r["id"]) == number), None)
        if ride is None:
            return None
        if path.endswith("/streams"):
            return {name: {"data": data} for name, data in self.server_of.curves.items()}
        return ride | {"description": "Rode to the lighthouse and back.", "calories": 650.0}

    def _oura(self, path: str) -> Any:
        collection = path.rpartition("/")[2]
        if collection == "personal_info":
            return {"id": self._holder(), "email": "rider@example.org", "age": 40}
        rows = {
            "daily_readiness": self.server_of.readiness,
            "sleep": self.server_of.nights,
            "heartrate": self.server_of.beats,
        }.get(collection)
        if rows is None:
            return None
        if collection == "heartrate":
            start, end = (
                datetime.fromisoformat(self.query[f"{name}_datetime"].replace(" ", "+"))
                for name in ("start", "end")
            )
            rows = [r for r in rows if start <= datetime.fromisoformat(r["timestamp"]) < end]
        else:
            first, last = self.query["start_date"], self.query["end_date"]
            rows = [r for r in rows if first <= r["day"] <= last]
        at, size = int(self.query.get("next_token", 0)), self.server_of.page_size
        more = str(at + size) if at + size < len(rows) else None
        return {"data": rows[at : at + size], "next_token": more}

    def _intervals(self, path: str) -> Any:
        if path == "/api/v1/athlete/0":
            return {"id": self._holder(), "name": "Rider"}
        oldest, newest = self.query.get("oldest", ""), self.query.get("newest", "9999")
        if path.endswith("/wellness"):
            return [r for r in self.server_of.wellness if oldest <= r["id"] <= newest]
        if path.endswith("/activities"):
            return [
                r for r in self.server_of.trainings
                if oldest <= r["start_date_local"][:10] <= newest
            ]  # fmt: skip
        if path.endswith("/streams"):
            return [{"type": name, "data": data} for name, data in self.server_of.curves.items()]
        number = path.rpartition("/")[2]
        return next((r for r in self.server_of.trainings if r["id"] == number), None)

    def _subscriptions(self, method: str, path: str) -> None:
        """One subscription per application; the caller's own address is asked to prove itself."""
        known = self.server_of.subscriptions
        if method == "GET":
            return self.send_json(200, [{"id": n, "callback_url": url} for n, url in known.items()])
        if method == "DELETE":
            known.pop(int(path.rpartition("/")[2]), None)
            return self.send_raw(204, b"", "application/json")
        if known:
            return self.send_json(400, {"message": "already exists"})
        known[1] = self.form["callback_url"]
        return self.send_json(201, {"id": 1})

    # -- going wrong -------------------------------------------------------------------------

    def _misbehave(self, kind: str) -> bool:
        """Answer wrongly; False where the rest of the answer is to be as usual."""
        if kind.isdigit() or kind == "429-silent":
            status = int(kind[:3])
            quoted = {"message": f"no: {self._token_shown()}"}
            headers = {"Retry-After": "60"} if kind == "429" else {}
            self.send_json(status, quoted, headers)
        elif kind == "invalid-grant":
            self.send_json(400, {"error": "invalid_grant"})
        elif kind == "lost-rotation":
            self.house.renew(self.form.get("refresh_token", ""))
            self.send_json(500, {"message": "broken after the fact"})
        elif kind == "redirect":
            self.send_json(302, {}, {"Location": "http://169.254.169.254/latest/meta-data"})
        elif kind == "html":
            self.send_raw(200, b"<!doctype html><title>Welcome</title><p>Sign in", "text/html")
        elif kind == "garbled":
            self.send_raw(200, b'{"data": [{"day": "2026', "application/json")
        elif kind == "shape":
            self.send_json(200, {"data": [{"unheard": 1}], "access": 1})
        elif kind == "hang":
            self.wait(3600)
        elif kind == "cut":
            self.send_head(200, 5000, "application/json", {})
            self.wfile.write(b'[{"id": 1, ')
            self.close_connection = True
        else:
            self.pour(kind)
        return True

    def send_head(
        self, status: int, size: int, kind: str, headers: dict[str, str] | None = None
    ) -> None:
        super().send_head(status, size, kind, (headers or {}) | self._limits())

    def _limits(self) -> dict[str, str]:
        """Strava tells its limits with every answer."""
        if getattr(self, "name", "") != "strava":
            return {}
        quarter, day = self.server_of.read_usage
        return {
            "X-RateLimit-Limit": "200,2000",
            "X-RateLimit-Usage": f"{quarter},{day}",
            "X-ReadRateLimit-Limit": f"{READ_LIMIT[0]},{READ_LIMIT[1]}",
            "X-ReadRateLimit-Usage": f"{quarter},{day}",
        }


def _epoch(text: str) -> float:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
