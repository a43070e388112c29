"""Commands as an operator types them: what they print, and their exit codes."""

import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command


def run(*words: str) -> str:
    """Return what a command prints."""
    out = io.StringIO()
    call_command(*words, stdout=out)
    return out.getvalue()


def run_json(*words: str) -> Any:
    """Return the document that a command prints with `--json`."""
    return json.loads(run(*words, "--json"))


def refusal(*words: str, code: int = 1) -> str:
    """Return why a command refuses."""
    with pytest.raises(CommandError) as refused:
        run(*words)
    assert refused.value.returncode == code
    return str(refused.value)
