"""What a decision of ours costs, beside waffle's stock one with its cache in memory.

`python -m benchmarks.flag_decision`. Stock waffle can't be had beside our own flag
model, so this process is a bare Django with waffle's.
"""

import argparse
import json
import time
from collections.abc import Callable
from decimal import Decimal

import django
from django.conf import settings

from benchmarks.figures import Figure, ratio, table

settings.configure(
    INSTALLED_APPS=[
        *("django.contrib.auth", "django.contrib.contenttypes", "waffle"),
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    CACHES={"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}},
    USE_TZ=True,
)
django.setup()

import waffle  # noqa: E402 - needs the apps
from django.contrib.auth.models import AnonymousUser  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.http import HttpRequest  # noqa: E402
from django.test import RequestFactory  # noqa: E402

from flags import evaluation  # noqa: E402

_FLAG = "persistent_sessions"
_CALLS = 20_000
_GOAL_US = 5.0


def main() -> None:
    """Measure both in turn, round by round."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    call_command("migrate", verbosity=0)
    waffle.get_waffle_flag_model().objects.create(name=_FLAG, percent=50)
    ours, stock = [], []
    for _ in range(given.rounds):
        ours.append(_ours_us())
        stock.append(_stock_us())
    figures = [
        Figure("a decision", "µs", tuple(ours), _GOAL_US),
        Figure("waffle's flag_is_active", "µs", tuple(stock)),
        Figure("waffle's / ours", "×", ratio(stock, ours)),
    ]
    if given.json:
        print(json.dumps([figure.as_json() for figure in figures]))
    else:
        print(table(figures))


def _ours_us() -> float:
    """Decide for so many conversations at 50 %, where a bucket is needed."""
    state = evaluation.State(key=_FLAG, is_on=True, percent=Decimal(50), salt="salt")
    keys = [str(number) for number in range(_CALLS)]
    return _us_each(lambda key: evaluation.decide(state, targeting_key=key), keys)


def _stock_us() -> float:
    """Ask for so many visitors who come for the first time, the flag in the cache."""
    requests = [_visit() for _ in range(_CALLS // 10)]
    return _us_each(lambda request: waffle.flag_is_active(request, _FLAG), requests)


def _visit() -> HttpRequest:
    request: HttpRequest = RequestFactory().get("/")
    request.user = AnonymousUser()
    return request


def _us_each(call: Callable, given: list) -> float:
    started_at = time.perf_counter()
    for each in given:
        call(each)
    return (time.perf_counter() - started_at) / len(given) * 1_000_000


if __name__ == "__main__":
    main()
