"""How the settings become the model's configuration."""

from django.test import override_settings

from chat import gemini
from chat.gemini_config import DEFAULT_API_VERSION, GOOGLE_URL, Config


@override_settings(
    GEMINI_API_KEY="the-key",
    GEMINI_BASE_URL="",
    GEMINI_API_VERSION="",
    GEMINI_THINKING_LEVEL="NONE",
    GEMINI_STREAM_DECODER="public",
    GEMINI_IDLE_DEADLINE_S=11.0,
)
def test_empty_settings_mean_google_and_none_means_no_thinking_level() -> None:
    config = Config.from_settings()

    assert config.api_key == "the-key"
    assert config.base_url == GOOGLE_URL
    assert config.api_version == DEFAULT_API_VERSION
    assert config.thinking_level == ""
    assert config.decoder == "public"
    assert config.idle_deadline_s == 11.0


@override_settings(
    GEMINI_BASE_URL="http://127.0.0.1:1/",
    GEMINI_API_VERSION="v1beta",
    GEMINI_THINKING_LEVEL="HIGH",
)
def test_given_settings_are_taken() -> None:
    config = Config.from_settings()

    assert config.base_url == "http://127.0.0.1:1/"
    assert config.api_version == "v1beta"
    assert config.thinking_level == "HIGH"


def test_there_is_one_model_in_a_process() -> None:
    assert gemini.model() is gemini.model()
