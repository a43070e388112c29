"""Make, list and revoke API tokens."""

from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from chat import ownership
from chat.models import ApiToken, Owner


class Command(BaseCommand):
    """`api_token create USER NAME`, `api_token list`, `api_token revoke PREFIX`."""

    help = "Make, list and revoke the API tokens of users."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the three actions."""
        actions = parser.add_subparsers(dest="action", required=True)
        create = actions.add_parser("create", help="make a token; it is shown once")
        create.add_argument("user", help="the user it acts for")
        create.add_argument("name", help="what it is for")
        create.add_argument(
            "--scope", choices=ApiToken.Scope.values, default=ApiToken.Scope.CHAT
        )
        create.add_argument("--days", type=int, help="expire after this many days")
        actions.add_parser("list", help="list all tokens")
        revoke = actions.add_parser("revoke", help="end a token now")
        revoke.add_argument("prefix", help="its first characters, as `list` shows")

    def handle(self, *args: Any, **options: Any) -> None:
        """Do one of them."""
        getattr(self, f"_{options['action']}")(**options)

    def _create(
        self, *, user: str, name: str, scope: str, days: int | None, **_: Any
    ) -> None:
        found = get_user_model().objects.filter(username=user).first()
        if found is None:
            raise CommandError(f"There is no user {user!r}.")
        if days is not None and days < 1:
            raise CommandError(f"--days {days}: expected 1 or more.")
        owner, _made = Owner.objects.get_or_create(kind=Owner.Kind.USER, user=found)
        lifetime = timedelta(days=days) if days else None
        self.stdout.write(
            ownership.issue_token(owner, name=name, scope=scope, lifetime=lifetime)
        )
        self.stderr.write("Keep it now: it is stored as a hash and not shown again.")

    def _list(self, **_: Any) -> None:
        for token in ApiToken.objects.select_related("owner__user").order_by("id"):
            state = "revoked" if token.revoked_at else "valid"
            self.stdout.write(
                f"{token.prefix}…  {state:8} {token.scope:10} {token.owner}  "
                f"{token.name}"
            )

    def _revoke(self, *, prefix: str, **_: Any) -> None:
        tokens = ApiToken.objects.filter(prefix=prefix.rstrip("…"), revoked_at=None)
        if tokens.update(revoked_at=timezone.now()) == 0:
            raise CommandError(f"There is no valid token that begins with {prefix!r}.")
        self.stdout.write("Revoked.")
