"""Superset's settings. It reads this file because SUPERSET_CONFIG_PATH names it; nothing secret stands here.

BI_SECRETS names the folder with a password a file, BI_METADATA where Superset keeps its users and dashboards (an address without a password).
"""

from __future__ import annotations

import os
from pathlib import Path

from sqlalchemy.engine import make_url
from sqlalchemy.engine.url import URL

READERS = frozenset({"vru_analyst", "vru_open"})
_secrets = Path(os.environ["BI_SECRETS"])
_metadata = make_url(os.environ["BI_METADATA"])  # on the warehouse's server


def _secret(name: str) -> str:
    return (_secrets / name).read_text(encoding="utf-8").strip()


def readers_password(url: URL) -> str | None:
    """The password of a reader's role, read at each connection: Superset keeps no copy, and a changed one needs no import.

    Args:
        url: of a database as Superset has it.

    Returns:
        None for every other role, so that nobody comes in as one that writes, and for every other server, which could ask for the password as it is.
    """
    is_ours = (url.host, url.port) == (_metadata.host, _metadata.port)
    return _secret(url.username) if is_ours and url.username in READERS else None


SECRET_KEY = _secret("superset_secret_key")
SQLALCHEMY_DATABASE_URI = _metadata.set(password=_secret("vru_superset")).render_as_string(hide_password=False)
SQLALCHEMY_CUSTOM_PASSWORD_STORE = readers_password
# The server may have been started again since, and lets the role have twenty connections (warehouse/bi/metadata.py).
SQLALCHEMY_ENGINE_OPTIONS = {"pool_pre_ping": True, "pool_size": 5, "max_overflow": 10}
APP_NAME = "London VRU"
# A chart of ours waits a second or two for its figures at most; a reader's statement is ended after five minutes.
SUPERSET_WEBSERVER_TIMEOUT = 120
ROW_LIMIT = 10_000
SQLLAB_ASYNC_TIME_LIMIT_SEC = 300
# Nobody sees anything before logging in, and nobody makes an account for himself.
PUBLIC_ROLE_LIKE = None
AUTH_USER_REGISTRATION = False
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_HTTPONLY = True
# Behind a proxy with TLS: BI_SECURE_COOKIES=1.
SESSION_COOKIE_SECURE = bool(os.environ.get("BI_SECURE_COOKIES"))
ENABLE_PROXY_FIX = SESSION_COOKIE_SECURE
# One process counts the requests of its address; Superset warns of that where there are several.
RATELIMIT_STORAGE_URI = "memory://"
# The tiles of the map are coloured by class.
HTML_SANITIZATION_SCHEMA_EXTENSIONS = {"attributes": {"*": ["className"]}}
# The page may speak to this server and to nobody else: no maps, avatars, fonts or counters of others. SCARF_ANALYTICS=false does not reach the
# pages of the wheel, which ask for the counter's pixel all the same; this is what stops it. The tiles and notices are Handlebars, whose templates
# are compiled in the browser ('unsafe-eval'); scripts still come from here alone, and what a template gives is sanitized.
_OURS = "'self'"
TALISMAN_CONFIG = {
    "content_security_policy": {
        "base-uri": [_OURS],
        "default-src": [_OURS],
        "img-src": [_OURS, "blob:", "data:"],
        "worker-src": [_OURS, "blob:"],
        "connect-src": [_OURS],
        "object-src": "'none'",
        "style-src": [_OURS, "'unsafe-inline'"],
        "font-src": [_OURS, "data:"],
        "script-src": [_OURS, "'unsafe-eval'", "'strict-dynamic'"],
    },
    "content_security_policy_nonce_in": ["script-src"],
    "force_https": False,
    "session_cookie_secure": SESSION_COOKIE_SECURE,
}
# Distinct for the colour-blind, and dark enough on white (docs of the Government Analysis Function).
EXTRA_CATEGORICAL_COLOR_SCHEMES = [
    {
        "id": "vru",
        "label": "London VRU",
        "description": "",
        "isDefault": True,
        "colors": ["#12436D", "#F46A25", "#28A197", "#801650", "#3D3D3D", "#A285D1"],
    }
]
