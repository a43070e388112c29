"""The pages' forms."""

import secrets

from django import forms
from django.conf import settings

from chat import personalities


def _new_key() -> str:
    return secrets.token_urlsafe(16)


def model_choices() -> list[tuple[str, str]]:
    """Return the offered models as (id, label)."""
    return [(name, name) for name in settings.GEMINI_MODELS]


class MessageForm(forms.Form):
    """Something to say. `key` makes a form that is sent twice one message.

    The text's own rules are `turns.clean`'s, the same for page and API.
    """

    message = forms.CharField(required=False, strip=False, widget=forms.Textarea)
    key = forms.CharField(
        required=False, initial=_new_key, max_length=200, widget=forms.HiddenInput
    )


class MannersForm(forms.Form):
    """How a conversation answers."""

    model = forms.ChoiceField(required=False, choices=model_choices)
    personality = forms.ChoiceField(
        required=False,
        choices=[
            (item.key, item.name) for item in personalities.PERSONALITIES.values()
        ],
    )


class NewForm(MannersForm, MessageForm):
    """The first message of a conversation, and how that shall answer."""


class SettingsForm(MannersForm):
    """A conversation's title and manners."""

    title = forms.CharField(required=False, max_length=200)


class RatingForm(forms.Form):
    """What an answer was like; nothing takes it back."""

    rating = forms.ChoiceField(
        required=False, choices=[("good", "Good answer"), ("bad", "Bad answer")]
    )


def first_error(form: forms.Form) -> str:
    """Return the first thing that is wrong with a form, with the field's name."""
    field, errors = next(iter(form.errors.items()))
    return f"{field}: {errors[0]}"
