"""What visitors may ask for, and what each answer leaves in the store.

GET  /p/{slug}                         the landing page; a visit
GET  /p/{slug}/privacy                 who keeps what, and why
POST /p/{slug}/signup                  the form -> 303 to the person's own page
GET  /p/{slug}/yours/{token}           what is kept about them
POST /p/{slug}/yours/{token}/withdraw  -> 303 back
POST /p/{slug}/yours/{token}/erase     -> 303 back
GET  /p/{slug}/yours/{token}/export    the same as a file
GET  /healthz

Whatever an answer tells is on the disk before it is sent. A form that a program filled in (a field that people do not
see, or within a second) is answered like any other and kept nowhere.
"""

from __future__ import annotations

import asyncio
import json
import secrets
from dataclasses import dataclass, field

from aiohttp import web

from chassis.clock import Clock
from pipeline.v1 import campaign_pb2
from services.campaign.domain import visiting
from services.campaign.domain.visiting import Form
from services.campaign.http.contract import MessageKind, Problem, Published, View, Views, YourData
from services.campaign.http.throttle import Rate, Throttle
from services.campaign.store.published import PublishedStore
from services.campaign.store.signups import SignupStore
from services.campaign.store.visits import VisitStore

COOKIE = "campaign"
COOKIE_SECONDS = 90 * 86_400
# A form of ours has some 500 bytes.
FORM_BYTES_MAX = 16 * 1024

_RUNNING = campaign_pb2.CAMPAIGN_STATUS_RUNNING
_COMPLETED = campaign_pb2.CAMPAIGN_STATUS_COMPLETED


@dataclass(frozen=True)
class PageStores:
    """The store, as the pages use it."""

    published: PublishedStore
    visits: VisitStore
    signups: SignupStore


@dataclass(frozen=True)
class PageRules:
    """What the server's settings say about visitors."""

    # Proxies in front whose X-Forwarded-For is believed.
    trusted_proxies: int = 0
    # A person takes longer to read and fill in the form; 0: nobody is too fast.
    form_seconds_min: int = 1
    # A form arrives within this over any line; a slower sender would only hold a place.
    receive_seconds: float = 10.0
    rate: Rate = field(default_factory=Rate)


class PageError(Exception):
    """Ends a request with a page that says one thing."""

    def __init__(self, kind: MessageKind, published: Published | None = None, retry_after: float = 0.0) -> None:
        super().__init__(kind.value)
        self.kind = kind
        self.published = published
        self.retry_after = retry_after


class PageRoutes:
    """Handlers over the store and the views."""

    def __init__(self, stores: PageStores, views: Views, clock: Clock, rules: PageRules) -> None:
        self._stores = stores
        self._views = views
        self._clock = clock
        self._rules = rules
        self._throttle = Throttle(rules.rate)

    def add_to(self, app: web.Application) -> None:
        """Register every route."""
        slug = "/p/{slug:[a-z0-9-]{1,80}}"
        yours = slug + "/yours/{token:[0-9a-f]{64}}"
        app.add_routes(
            [
                web.get(slug, self.landing),
                web.get(slug + "/privacy", self.privacy),
                web.post(slug + "/signup", self.sign_up),
                web.get(yours, self.yours),
                web.post(yours + "/withdraw", self.withdraw),
                web.post(yours + "/erase", self.erase),
                web.get(yours + "/export", self.export),
                web.get("/healthz", self.healthz),
            ]
        )

    async def healthz(self, request: web.Request) -> web.StreamResponse:
        return web.json_response({"status": "alive"})

    async def landing(self, request: web.Request) -> web.StreamResponse:
        """The page of the visitor's variant; the visit is counted where a person made it."""
        published = await self._running(request)
        key = _key(published)
        known = visiting.read_cookie(key, request.cookies.get(COOKIE, ""))
        visitor, variant = known or self._stranger(request, key)
        counted = False
        why = visiting.not_counted(request.method, request.headers)
        if not why and visiting.asks_not_to_be_counted(request.headers):
            why = "privacy_signal"
        if why:
            await self._stores.visits.exclude(published.id, why)
        else:
            counted = True
            origin = visiting.origin_of(request.query)
            variant = await self._stores.visits.visit(published.id, visitor, variant, origin)
        return _page(self._views.landing(published, variant, self._token(published, visitor, variant, counted)))

    async def privacy(self, request: web.Request) -> web.StreamResponse:
        return _page(self._views.privacy(await self._published(request)))

    async def sign_up(self, request: web.Request) -> web.StreamResponse:
        """Keep an address that somebody gave with their consent."""
        published = await self._running(request)
        key = _key(published)
        self._check_origin(request, published)
        wait = self._throttle.wait(visiting.network_of(self._address(request)), self._clock.monotonic())
        if wait:
            raise PageError(MessageKind.RATE_LIMITED, published, wait)
        fields = await _fields(request, published, self._rules.receive_seconds)
        now = int(self._clock.now().timestamp())
        form = visiting.read_form_token(key, fields.get("form", ""), now)
        if form is None:
            raise PageError(MessageKind.FORM_EXPIRED, published)
        robot = self._robot(form, fields, now)
        if robot:
            await self._stores.visits.exclude(published.id, robot)
            # Answered like a sign-up, with an address of the same shape under which nothing is kept.
            token = visiting.yours_token(key, secrets.token_hex(8))
            return _signed_up(published, form, token, consented=fields.get("consent") == "yes")
        email = visiting.normal_email(fields.get("email", ""))
        problem = self._problem(published, fields, email)
        if problem is not None:
            # The same visit: its form keeps its place, with a new number for the next try.
            token = self._token(published, form.visitor, form.variant, form.counted, issued=form.issued)
            given = fields.get("email", "")[: visiting.EMAIL_CHARS_MAX]
            return _page(self._views.landing(published, form.variant, token, problem, given))
        made = await self._stores.signups.sign_up(published, form, email)
        return _signed_up(published, form, made.token, consented=True)

    async def yours(self, request: web.Request) -> web.StreamResponse:
        published = await self._published(request)
        found = await self._stores.signups.of_token(published.id, request.match_info["token"])
        return self._yours(request, published, found)

    async def withdraw(self, request: web.Request) -> web.StreamResponse:
        published = await self._published(request)
        self._check_origin(request, published)
        found = await self._stores.signups.withdraw(published.id, request.match_info["token"])
        return self._back(request, published, found)

    async def erase(self, request: web.Request) -> web.StreamResponse:
        published = await self._published(request)
        self._check_origin(request, published)
        found = await self._stores.signups.erase(published.id, request.match_info["token"])
        answer = self._back(request, published, found)
        answer.del_cookie(COOKIE, path=published.home)
        return answer

    async def export(self, request: web.Request) -> web.StreamResponse:
        """Everything that is kept about the person, as a file."""
        published = await self._published(request)
        found = await self._stores.signups.of_token(published.id, request.match_info["token"])
        if found is None:
            raise PageError(MessageKind.NOT_FOUND, published)
        text = json.dumps(_told(published, found), ensure_ascii=False, indent=2) + "\n"
        headers = {"Content-Disposition": 'attachment; filename="what-is-kept-about-you.json"'}
        return web.Response(text=text, content_type="application/json", headers=headers)

    # ------------------------------------------------------------------------------------------------------------------

    async def _published(self, request: web.Request) -> Published:
        published = await self._stores.published.by_slug(request.match_info["slug"])
        if published is None:
            raise PageError(MessageKind.NOT_FOUND)
        return published

    async def _running(self, request: web.Request) -> Published:
        published = await self._published(request)
        if published.status == _RUNNING and published.visitor_key is not None:
            return published
        raise PageError(MessageKind.COMPLETED if published.status == _COMPLETED else MessageKind.PAUSED, published)

    def _stranger(self, request: web.Request, key: bytes) -> tuple[str, str]:
        visitor = visiting.visitor_of(key, self._address(request), request.headers.get("User-Agent", ""))
        return visitor, visiting.variant_of(key, visitor)

    def _address(self, request: web.Request) -> str:
        """The client's address: the socket's, or the one that the outermost trusted proxy saw."""
        if self._rules.trusted_proxies:
            told = [part.strip() for part in ",".join(request.headers.getall("X-Forwarded-For", [])).split(",")]
            if len(told) >= self._rules.trusted_proxies and told[-self._rules.trusted_proxies]:
                return told[-self._rules.trusted_proxies][:64]
        return request.remote or ""

    def _token(self, published: Published, visitor: str, variant: str, counted: bool, issued: int | None = None) -> str:
        nonce = secrets.token_hex(visiting.NONCE_HEX // 2)
        at = int(self._clock.now().timestamp()) if issued is None else issued
        return visiting.form_token(_key(published), Form(nonce, visitor, variant, counted, at))

    def _robot(self, form: Form, fields: dict[str, str], now: int) -> str:
        if fields.get("website", ""):
            return "honeypot"
        return "too_fast" if now - form.issued < self._rules.form_seconds_min else ""

    def _problem(self, published: Published, fields: dict[str, str], email: str) -> Problem | None:
        if not email:
            return Problem.EMAIL
        if fields.get("consent") != "yes":
            return Problem.CONSENT
        return Problem.ADULT if published.adults_only and fields.get("adult") != "yes" else None

    def _check_origin(self, request: web.Request, published: Published) -> None:
        """A page of another site may not post for its visitor."""
        site = request.headers.get("Sec-Fetch-Site", "same-origin")
        origin = request.headers.get("Origin", "")
        # Empty where no public address was set: then it is nobody's, and "Origin: null" has no host either.
        public = published.page_url.partition("://")[2].partition("/")[0]
        host = origin.partition("://")[2]
        if site not in ("same-origin", "none") or (origin and (not host or host not in (request.host, public))):
            raise PageError(MessageKind.FORBIDDEN, published)

    def _yours(self, request: web.Request, published: Published, found: YourData | None) -> web.Response:
        if found is None:
            raise PageError(MessageKind.NOT_FOUND, published)
        return _page(self._views.yours(published, found, f"{published.home}/yours/{request.match_info['token']}"))

    def _back(self, request: web.Request, published: Published, found: YourData | None) -> web.Response:
        if found is None:
            raise PageError(MessageKind.NOT_FOUND, published)
        return _see(f"{published.home}/yours/{request.match_info['token']}")


async def _fields(request: web.Request, published: Published, seconds: float) -> dict[str, str]:
    """The form's fields. Only what a browser's form sends is taken, and no more than it has."""
    if request.content_type != "application/x-www-form-urlencoded":
        raise PageError(MessageKind.FORM_EXPIRED, published)
    try:
        async with asyncio.timeout(seconds):
            return {name: str(value) for name, value in (await request.post()).items()}
    except TimeoutError as error:
        raise PageError(MessageKind.FORM_EXPIRED, published) from error
    except web.HTTPRequestEntityTooLarge as error:
        raise PageError(MessageKind.TOO_LARGE, published) from error
    except (UnicodeDecodeError, LookupError, ValueError) as error:
        raise PageError(MessageKind.FORM_EXPIRED, published) from error


def _told(published: Published, data: YourData) -> dict[str, object]:
    return {
        "kept_by": published.title,
        "email": data.email or None,
        "signed_up_at": data.signed_up_at.isoformat(timespec="seconds"),
        "consent_text": data.consent_text,
        "consent_version": data.consent_version,
        "page_seen": data.variant,
        "visit_hash": data.visitor,
        "withdrawn_at": data.withdrawn_at.isoformat(timespec="seconds") if data.withdrawn_at else None,
        "erased_at": data.erased_at.isoformat(timespec="seconds") if data.erased_at else None,
    }


def _key(published: Published) -> bytes:
    assert published.visitor_key is not None, "checked by _running"
    return published.visitor_key


def _signed_up(published: Published, form: Form, token: str, *, consented: bool) -> web.Response:
    """On to the person's own page, with the cookie that they agreed to; whoever asks not to be counted gets none."""
    answer = _see(f"{published.home}/yours/{token}")
    if consented and form.counted:
        answer.set_cookie(
            COOKIE,
            visiting.cookie(_key(published), form.visitor, form.variant),
            max_age=COOKIE_SECONDS,
            path=published.home,
            httponly=True,
            samesite="Lax",
            secure=published.page_url.startswith("https://"),
        )
    return answer


def _page(view: View) -> web.Response:
    return web.Response(
        text=view.html, status=view.status, content_type="text/html", headers={"Content-Security-Policy": view.csp}
    )


def _see(path: str) -> web.Response:
    """303: the answer to a form is a page that may be loaded again without sending it again."""
    return web.Response(status=303, headers={"Location": path})
