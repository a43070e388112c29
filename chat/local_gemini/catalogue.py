"""The models that the server says it has."""

from .brain import Brain
from .errors import ApiError
from .wire import JsonObject

_NAMES = (
    "gemini-3.8-flash",
    "gemini-3.7-flash",
    "gemini-3.6-flash",
    "gemini-3.5-flash",
    "gemini-3.5-flash-lite",
    "gemini-3.1-flash-lite",
    "gemini-3.1-pro-preview",
    "gemini-2.5-flash",
    "gemini-2.5-pro",
    "gemini-4-argon",
)
_METHODS = (
    "generateContent",
    "countTokens",
    "createCachedContent",
)
_MAX_PAGE_SIZE = 1000


def check(model: str) -> None:
    """Accept every name that begins with `gemini-`.

    Raises:
        ApiError: 404, as for a model that Google does not know.
    """
    if not model.startswith("gemini-"):
        raise ApiError(
            404,
            f"models/{model} is not found for API version v1, or is not supported for "
            "generateContent. Call ListModels to see the list of available models and "
            "their supported methods.",
        )


def describe(model: str, brain: Brain) -> JsonObject:
    """Return the description of one model; it says who really answers."""
    check(model)
    return {
        "name": f"models/{model}",
        "version": "001",
        "displayName": f"{model}, answered by {brain.model_version}",
        "inputTokenLimit": brain.input_token_limit,
        "outputTokenLimit": brain.output_token_limit,
        "supportedGenerationMethods": list(_METHODS),
    }


def page(query: dict[str, str], brain: Brain) -> JsonObject:
    """Return one page of the list."""
    models = [describe(name, brain) for name in _NAMES]
    return paged("models", models, query)


def paged(key: str, items: list[JsonObject], query: dict[str, str]) -> JsonObject:
    """Cut a page out of a list; a page token is the number of items before it.

    Raises:
        ApiError: 400, a page size or token that is no number.
    """
    try:
        size = min(int(query.get("pageSize") or 50), _MAX_PAGE_SIZE)
        start = int(query.get("pageToken") or 0)
    except ValueError:
        raise ApiError(400, "pageSize and pageToken must be numbers.") from None
    if size < 1 or start < 0:
        raise ApiError(400, "pageSize and pageToken must not be negative.")
    shape: JsonObject = {key: items[start : start + size]}
    if start + size < len(items):
        shape["nextPageToken"] = str(start + size)
    return shape
