"""The JSON shapes of generateContent and its neighbours, in both directions."""

import json
from datetime import datetime
from typing import Any

from .brain import Piece, Prompt, Turn, Usage
from .connection import json_bytes
from .errors import ApiError

JsonObject = dict[str, Any]

_SAMPLING = {
    "temperature": "temperature",
    "topP": "top_p",
    "top_p": "top_p",
    "topK": "top_k",
    "seed": "seed",
}


def parse_object(body: bytes) -> JsonObject:
    """Decode a request body.

    Raises:
        ApiError: 400, it is no JSON object.
    """
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        message = "Invalid JSON payload received. Unexpected token."
        raise ApiError(400, message) from None
    if not isinstance(payload, dict):
        raise ApiError(400, "Invalid JSON payload received. Root must be an object.")
    return payload


def parse_prompt(model: str, payload: JsonObject) -> Prompt:
    """Read a GenerateContentRequest; unknown fields are ignored.

    Raises:
        ApiError: 400, a field we need is missing or of another shape.
    """
    config = nested(payload, "generationConfig")
    contents = payload.get("contents")
    if not contents:
        raise ApiError(
            400, "* GenerateContentRequest.contents: contents is not specified\n"
        )
    return Prompt(
        model=model,
        system=system_text(payload),
        turns=parse_contents(contents),
        max_output_tokens=positive_integer(config, "maxOutputTokens"),
        stop_sequences=strings(config, "stopSequences"),
        sampling=sampling(config),
    )


def system_text(payload: JsonObject) -> str:
    """Return the text of `systemInstruction`, empty when there is none."""
    instruction = payload.get("systemInstruction")
    if isinstance(instruction, str):
        return instruction
    return parse_content(instruction, "systemInstruction").text if instruction else ""


def parse_contents(contents: Any) -> tuple[Turn, ...]:
    """Read `contents`, a list or a single content."""
    listed = contents if isinstance(contents, list) else [contents]
    return tuple(
        parse_content(content, f"contents[{index}]")
        for index, content in enumerate(listed)
    )


def parse_content(content: Any, where: str) -> Turn:
    """Read one content; thoughts are left out, as the model would not see them.

    Raises:
        ApiError: 400, another shape, a role that does not exist, or no text.
    """
    if not isinstance(content, dict):
        raise ApiError(400, f"Invalid value at '{where}' (type.googleapis.com/Content)")
    role = content.get("role") or "user"
    if role not in ("user", "model", "system"):
        raise ApiError(400, "Please use a valid role: user, model.")
    parts = content.get("parts")
    listed = parts if isinstance(parts, list) else [parts]
    texts = [_part_text(part, where) for part in listed]
    return Turn("user" if role == "system" else role, "".join(texts))


def _part_text(part: Any, where: str) -> str:
    if not isinstance(part, dict) or not isinstance(part.get("text"), str):
        message = f"{where}.parts: contents must have text parts (the local server"
        raise ApiError(400, f"{message} understands no other)")
    return "" if part.get("thought") else str(part["text"])


def positive_integer(config: JsonObject, key: str) -> int | None:
    """Read an optional positive integer.

    Raises:
        ApiError: 400, it is something else.
    """
    value = config.get(key)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 1:
        raise ApiError(400, f"{key} must be a positive integer.")
    return value


def sampling(config: JsonObject) -> dict[str, float]:
    """Return the sampling numbers of either API, in llama.cpp's spelling."""
    return {
        _SAMPLING[key]: value
        for key, value in config.items()
        if key in _SAMPLING and isinstance(value, int | float)
    }


def strings(config: JsonObject, key: str) -> tuple[str, ...]:
    """Read an optional list of strings.

    Raises:
        ApiError: 400, it is something else.
    """
    value = config.get(key) or []
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise ApiError(400, f"{key} must be a list of strings.")
    return tuple(value)


def nested(payload: JsonObject, key: str) -> JsonObject:
    """Read an optional object, empty when it is missing.

    Raises:
        ApiError: 400, it is something else.
    """
    value = payload.get(key) or {}
    if not isinstance(value, dict):
        raise ApiError(400, f"Invalid value at '{key}'")
    return value


def timestamp(moment: datetime) -> str:
    """Write an aware UTC datetime as the API does."""
    return moment.isoformat().replace("+00:00", "Z")


def usage_metadata(usage: Usage) -> JsonObject:
    """Return `usageMetadata`; counts that are zero by nature are left out."""
    metadata: JsonObject = {
        "promptTokenCount": usage.prompt_tokens,
        "candidatesTokenCount": usage.output_tokens,
        "totalTokenCount": usage.prompt_tokens
        + usage.output_tokens
        + usage.thoughts_tokens,
        "promptTokensDetails": [
            {"modality": "TEXT", "tokenCount": usage.prompt_tokens}
        ],
    }
    if usage.cached_tokens:
        metadata["cachedContentTokenCount"] = usage.cached_tokens
    if usage.thoughts_tokens:
        metadata["thoughtsTokenCount"] = usage.thoughts_tokens
    return metadata


def chunk(piece: Piece, *, model_version: str, response_id: str) -> JsonObject:
    """Return a GenerateContentResponse that holds one piece."""
    shape: JsonObject = {}
    if piece.block_reason:
        shape["promptFeedback"] = {"blockReason": piece.block_reason}
    else:
        shape["candidates"] = [candidate([piece])]
    if piece.usage is not None:
        shape["usageMetadata"] = usage_metadata(piece.usage)
    return shape | {"modelVersion": model_version, "responseId": response_id}


def candidate(pieces: list[Piece]) -> JsonObject:
    """Return the candidate made of these pieces; neighbouring texts are joined."""
    shape: JsonObject = {"index": 0}
    finish_reason = pieces[-1].finish_reason
    parts = _parts(pieces)
    if parts:
        shape = {"content": {"parts": parts, "role": "model"}, "index": 0}
    if finish_reason:
        shape["finishReason"] = finish_reason
    return shape


def _parts(pieces: list[Piece]) -> list[JsonObject]:
    parts: list[JsonObject] = []
    for piece in pieces:
        is_withheld = piece.finish_reason not in ("", "STOP", "MAX_TOKENS")
        if not piece.text and (is_withheld or (parts and not piece.signature)):
            continue
        if _is_continued(parts, piece):
            parts[-1]["text"] += piece.text
        else:
            parts.append(_part(piece))
    return parts


def _is_continued(parts: list[JsonObject], piece: Piece) -> bool:
    return bool(parts) and not piece.signature and parts[-1].keys() == {"text"}


def _part(piece: Piece) -> JsonObject:
    part: JsonObject = {"text": piece.text}
    if piece.is_thought:
        part["thought"] = True
    if piece.signature:
        part["thoughtSignature"] = piece.signature
    return part


def data_line(payload: Any) -> bytes:
    """Return a server-sent event; the SDK needs the space after the colon."""
    return b"data: " + json_bytes(payload) + b"\r\n\r\n"
