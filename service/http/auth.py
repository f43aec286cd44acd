"""Who calls: API keys in front of everything but the probes and the public pages."""

from prometheus_client import Counter

from service.http.errors import KeyMissing, KeyWrong
from service.http.messages import App, Message, Receive, Scope, Send, header_of, refuse
from service.keys import ApiKeys

KEY_NAME = "sluice.key"
"""The scope's entry with the caller's name, once the key has been found right."""

PUBLIC_PATHS = ("/", "/live", "/docs", "/openapi.json", "/livez", "/readyz", "/healthz")
PUBLIC_FOLDERS = ("/docs/", "/web/", "/v2/health/")
ADMIN_FOLDER = "/admin/"
"""Asks for the admin key by itself."""

_BEARER = "bearer "

KEY_REQUESTS = Counter(
    "sluice_key_requests_total", "Requests answered, by API key and status", ("key", "status")
)


class Authentication:
    """Lets in who brings a key: `Authorization: Bearer KEY`, or `X-API-Key: KEY`.

    The key goes no further than this: logs and metrics have the name of its line.
    """

    def __init__(self, app: App, keys: ApiKeys) -> None:
        self._app, self._keys = app, keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not needs_key(str(scope["path"])):
            await self._app(scope, receive, send)
            return
        try:
            name = self._identify(scope)
        except (KeyMissing, KeyWrong) as error:
            await refuse(error, scope, send)
            return
        scope[KEY_NAME] = name

        async def counting(message: Message) -> None:
            if message["type"] == "http.response.start":
                KEY_REQUESTS.labels(name, str(message["status"])).inc()
            await send(message)

        await self._app(scope, receive, counting)

    def _identify(self, scope: Scope) -> str:
        key = _key_of(scope)
        if not key:
            raise KeyMissing
        name = self._keys.name_of(key)
        if name is None:
            raise KeyWrong
        return name


def needs_key(path: str) -> bool:
    """Whether a key is asked for: what nobody thought of is not public."""
    public = path in PUBLIC_PATHS or path.startswith(PUBLIC_FOLDERS)
    return not public and not path.startswith(ADMIN_FOLDER)


def _key_of(scope: Scope) -> str:
    told = header_of(scope, b"authorization")
    if told.lower().startswith(_BEARER):
        return told[len(_BEARER) :].strip()
    return header_of(scope, b"x-api-key").strip()
