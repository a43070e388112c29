"""The door for users."""

from typing import Any

from django.contrib.auth.views import LoginView
from django.http import HttpRequest, HttpResponse

from chat import addresses, pages, ratelimit
from chat.errors import RateLimited


class Login(LoginView):
    """Sign in, a limited number of times a minute from one address."""

    redirect_authenticated_user = True

    def post(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Count the attempt before the password is looked at."""
        try:
            ratelimit.spend_login(addresses.client_address(request))
        except RateLimited as error:
            return pages.error_page(request, error)  # type: ignore[return-value]
        return super().post(request, *args, **kwargs)
