"""POST /admin/reload: the newest bundles take over while the old ones serve."""

import hmac
from collections.abc import Awaitable, Callable

from service.http.errors import WrongAdminKey

RELOAD = "/admin/reload"


class Administration:
    """What only the holder of the admin key may ask for."""

    def __init__(self, key: str, reload: Callable[[], Awaitable[None]]) -> None:
        self._expected = f"Bearer {key}".encode()
        self.reload = reload

    def check(self, told: str | None) -> None:
        """WrongAdminKey unless the Authorization header holds the key."""
        if not hmac.compare_digest((told or "").encode("latin-1"), self._expected):
            raise WrongAdminKey
