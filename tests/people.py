"""The people of a running site, each with the credentials of their kind."""

import json
import uuid
from typing import Any

import httpx2

from tests import servers

PASSWORD = "correct-horse-battery"
_TIMEOUT_S = 30.0  # a login costs half a second of CPU, and tests share it
FROM_ELSEWHERE = {"X-Forwarded-For": "203.0.113.9"}
_ADD = """
import json
from datetime import timedelta
from django.contrib.auth import get_user_model
from django.utils import timezone
from chat import ownership
from chat.models import ApiToken, Owner

made = {{}}
for name in {names!r}:
    user = get_user_model().objects.create_user(name, password={password!r})
    owner = Owner.objects.create(kind="user", user=user)
    made[name] = {{
        scope: ownership.issue_token(owner, name="test", scope=scope)
        for scope in ApiToken.Scope.values
    }}
    made[name]["expired"] = ownership.issue_token(
        owner, name="test", lifetime=timedelta(seconds=-1)
    )
    made[name]["revoked"] = ownership.issue_token(owner, name="test")
    prefix = made[name]["revoked"][:12]
    ApiToken.objects.filter(prefix=prefix).update(revoked_at=timezone.now())
print(json.dumps(made))
"""

_ADD_SUPERUSER = """
from django.contrib.auth import get_user_model

get_user_model().objects.create_superuser({name!r}, password={password!r})
print("null")
"""


def name(start: str) -> str:
    """Return a user name that no other test has."""
    return f"{start}-{uuid.uuid4().hex[:8]}"


def add_users(site: servers.Site, *names: str) -> dict[str, dict[str, str]]:
    """Add users who sign in with `PASSWORD`.

    Returns their tokens by name: one of each scope, one `expired`, one `revoked`.
    """
    tokens: dict[str, dict[str, str]] = run(
        site, _ADD.format(names=names, password=PASSWORD)
    )
    return tokens


def add_superuser(site: servers.Site, username: str) -> None:
    """Add somebody with every permission, who signs in with `PASSWORD`."""
    run(site, _ADD_SUPERUSER.format(name=username, password=PASSWORD))


def stranger(url: str) -> httpx2.Client:
    """Somebody without credentials, who does not come from this host."""
    return httpx2.Client(base_url=url, headers=FROM_ELSEWHERE, timeout=_TIMEOUT_S)


def by_token(url: str, token: str) -> httpx2.Client:
    """Whoever this token belongs to."""
    headers = {"Authorization": f"Bearer {token}"}
    return httpx2.Client(base_url=url, headers=headers, timeout=_TIMEOUT_S)


def visitor_by_token(url: str) -> httpx2.Client:
    """A new visitor with the token that was given once."""
    with stranger(url) as client:
        return by_token(url, client.post("/api/v1/sessions/").json()["visitor_token"])


def visitor_by_cookie(url: str) -> httpx2.Client:
    """A new visitor with a browser's cookies, whose API calls pass the CSRF check."""
    client = httpx2.Client(base_url=url, timeout=_TIMEOUT_S)
    begun = client.post(
        "/c/new",
        data=with_csrf(client, {"message": "Hello"}),
        headers={"Accept": "application/json"},
    )
    assert begun.status_code == 200, begun.text
    client.headers["X-CSRFToken"] = client.cookies["csrftoken"]
    return client


def signed_in(url: str, username: str) -> httpx2.Client:
    """A user with a login session, whose API calls pass the CSRF check."""
    client = httpx2.Client(base_url=url, timeout=_TIMEOUT_S)
    form = {"username": username, "password": PASSWORD}
    answered = client.post("/login", data=with_csrf(client, form, page="/login"))
    assert answered.status_code == 302, answered.text
    client.headers["X-CSRFToken"] = client.cookies["csrftoken"]
    return client


def with_csrf(
    client: httpx2.Client, form: dict[str, str], *, page: str = "/"
) -> dict[str, str]:
    """Return a form's fields with the token that belongs to the client's cookie."""
    if "csrftoken" not in client.cookies:
        client.get(page)
    return form | {"csrfmiddlewaretoken": client.cookies["csrftoken"]}


def run(site: servers.Site, code: str) -> Any:
    """Run Python on the site's data; return what it printed as JSON."""
    return json.loads(site.manage("shell", "--no-imports", "-v", "0", "-c", code))
