"""The addresses of the chat pages."""

from django.urls import path

from chat import views

urlpatterns = [
    path("", views.home, name="home"),
    path("c/new", views.new, name="new"),
    path("c/<int:conversation_id>/", views.conversation, name="conversation"),
    path("c/<int:conversation_id>/send", views.send, name="send"),
    path("c/<int:conversation_id>/events", views.events, name="events"),
    path("c/<int:conversation_id>/stop", views.stop, name="stop"),
    path("c/<int:conversation_id>/retry", views.retry, name="retry"),
    path("c/<int:conversation_id>/continue", views.resume, name="continue"),
    path("c/<int:conversation_id>/rate/<int:message_id>", views.rate, name="rate"),
    path(
        "c/<int:conversation_id>/settings", views.change, name="conversation_settings"
    ),
    path("c/<int:conversation_id>/delete", views.delete, name="conversation_delete"),
]
