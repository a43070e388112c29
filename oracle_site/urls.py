"""The whole URL map."""

from django.contrib import admin
from django.contrib.auth.views import LogoutView
from django.urls import include, path

from chat import failures
from chat.signin import Login
from oracle_site import scrape, status
from oracle_site.api import api

handler404 = failures.not_found
handler500 = failures.failed

urlpatterns = [
    path("", include("chat.urls")),
    path("", include("monitoring.urls")),
    path("metrics", scrape.metrics, name="metrics"),
    path("status", status.show, name="status"),
    path("status.json", status.as_json, name="status_json"),
    path("api/v1/", api.urls),
    path("login", Login.as_view(), name="login"),
    path("logout", LogoutView.as_view(), name="logout"),
    path("admin/login/", Login.as_view()),
    path("admin/", admin.site.urls),
]
