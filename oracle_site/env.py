"""Strict readers of the environment: a bad value stops the boot with its name."""

import ipaddress
import os
import re
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email
from dotenv import load_dotenv

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}


def load(default_file: Path) -> None:
    """Read `ORACLE_ENV_FILE` (default: `.env` of the project) below the real
    environment, which always wins."""
    load_dotenv(os.environ.get("ORACLE_ENV_FILE", str(default_file)), override=False)


def text(name: str, default: str = "") -> str:
    """Return the variable without surrounding blanks; empty counts as not given."""
    return os.environ.get(name, "").strip() or default


def words(name: str, default: str = "") -> list[str]:
    """Return a comma-separated variable as a list without blanks and empties."""
    return [word.strip() for word in text(name, default).split(",") if word.strip()]


def networks(name: str, default: str = "") -> list[str]:
    """Return a list of addresses and networks; `loopback` stands for this host.

    `none` is the empty list. Raises: ImproperlyConfigured for anything else.
    """
    found = [each for each in words(name, default) if each != "none"]
    for each in found:
        try:
            ipaddress.ip_network("127.0.0.0/8" if each == "loopback" else each)
        except ValueError as error:
            raise ImproperlyConfigured(
                f"{name}={each!r}: expected an address, a network such as 10.0.0.0/8, "
                f"or loopback."
            ) from error
    return found


def flag(name: str, *, default: bool) -> bool:
    """Return a yes/no variable.

    Raises: ImproperlyConfigured for anything but 1/0, true/false, yes/no, on/off.
    """
    value = text(name).lower()
    if not value:
        return default
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name}={value!r}: expected true or false.")


def choice(name: str, *, default: str, of: tuple[str, ...]) -> str:
    """Return one of a few words. Raises: ImproperlyConfigured for another."""
    value = text(name, default)
    if value not in of:
        raise ImproperlyConfigured(
            f"{name}={value!r}: expected one of {', '.join(repr(o) for o in of)}."
        )
    return value


def choices(name: str, *, default: str, of: tuple[str, ...]) -> list[str]:
    """Return a list of a few words. Raises: ImproperlyConfigured for another."""
    found = words(name, default)
    if unknown := [each for each in found if each not in of]:
        raise ImproperlyConfigured(
            f"{name}: {unknown[0]!r} is none of {', '.join(repr(o) for o in of)}."
        )
    return found


def integer(name: str, *, default: int, minimum: int = 0, maximum: int = 2**31) -> int:
    """Return a whole number within bounds. Raises: ImproperlyConfigured."""
    return int(_number(name, default, minimum, maximum, whole=True))


def seconds(
    name: str, *, default: float, minimum: float = 0, maximum: float = 86_400
) -> float:
    """Return a duration in seconds within bounds. Raises: ImproperlyConfigured."""
    return _number(name, default, minimum, maximum, whole=False)


def secret(name: str) -> str:
    """Return a secret from NAME, or from the file that NAME_FILE points to.

    Raises: ImproperlyConfigured when the file can't be read.
    """
    if value := text(name):
        return value
    path = text(f"{name}_FILE")
    if not path:
        return ""
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        cause = "not UTF-8" if isinstance(error, ValueError) else error.strerror
        raise ImproperlyConfigured(
            f"{name}_FILE={path!r} can't be read ({cause}): "
            f"put the secret there or unset the variable."
        ) from error


def mail(name: str, default: str = "") -> str:
    """Return a mail address. Raises: ImproperlyConfigured for anything else."""
    return _mail(name, text(name, default))


def mails(name: str) -> list[str]:
    """Return a list of mail addresses. Raises: ImproperlyConfigured."""
    return [_mail(name, each) for each in words(name)]


def url(name: str) -> str:
    """Return a web address from NAME, or from the file that NAME_FILE points to.

    It may be a secret, as a Slack webhook's is, so that no error shows it.
    Raises: ImproperlyConfigured.
    """
    value = secret(name)
    if value and not _is_web_address(value):
        raise ImproperlyConfigured(
            f"{name} is not usable (it may be a secret and is not shown): expected an "
            f"address such as https://example.org/path."
        )
    return value


def urls(name: str) -> list[str]:
    """Return addresses of any scheme, with commas, blanks or line ends between them.

    A comma inside one of them stays, unless another address begins behind it.
    Raises: ImproperlyConfigured; no error shows one, since they hold passwords.
    """
    found = re.split(r"[\s,]+(?=[a-z][a-z0-9]*://)", secret(name).strip(", \n"))
    for position, each in enumerate(found, start=1):
        if each and not re.fullmatch(r"[a-z][a-z0-9]*://\S+", each):
            raise ImproperlyConfigured(
                f"{name}: address {position} is not usable (it may be a secret and is "
                f"not shown): expected one such as ntfy://example.org/topic."
            )
    return [each for each in found if each]


def _mail(name: str, value: str) -> str:
    try:
        validate_email(value)
    except ValidationError as error:
        raise ImproperlyConfigured(
            f"{name}={value!r}: expected a mail address such as ops@example.org."
        ) from error
    return value


def _is_web_address(value: str) -> bool:
    try:
        parts = urlsplit(value)
        return (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and parts.port != 0
            and not re.search(r"\s", value)
        )
    except ValueError:
        return False


def _number(
    name: str, default: float, minimum: float, maximum: float, *, whole: bool
) -> float:
    raw = text(name)
    if not raw:
        return default
    try:
        value = float(int(raw)) if whole else float(raw)
    except ValueError:
        value = float("nan")
    if not minimum <= value <= maximum:
        kind = "a whole number" if whole else "seconds"
        raise ImproperlyConfigured(
            f"{name}={raw!r}: expected {kind} from {minimum:g} to {maximum:g}."
        )
    return value
