"""The sorts of text that keys take: durations, numbers, names, addresses.

Each refuses in the operator's words: a misfit carries what is wrong and what would be right through
pydantic's error list; ``fitting`` unpacks it. What a person may have pasted a credential into (addresses,
names of secrets) is never quoted in a refusal.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from ipaddress import ip_address
from string import Formatter
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator
from pydantic_core import PydanticCustomError

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0, "y": 31_536_000.0}
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdwy])")
_DURATION = re.compile(rf"(?:{_PART.pattern})+")
_SIZES = {"kB": 10**3, "KB": 10**3, "MB": 10**6, "GB": 10**9}
_SIZE = re.compile(r"(\d+(?:\.\d+)?)\s*([kK]B|MB|GB)")
_PERCENT = re.compile(r"(\d+(?:\.\d+)?)\s*%")
_NUMBER = re.compile(r"\d+(?:\.\d+)?")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}")
_SECRET_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_LONG_AS_A_KEY = 20
_LOCAL_PART = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?")
_LONGEST_LOCAL_PART = 64
_LONGEST_DOMAIN = 253
_HOST = re.compile(r"[A-Za-z0-9._:-]+")


def misfit(message: str, fix: str) -> PydanticCustomError:
    """A refusal in our own words."""
    return PydanticCustomError("misfit", "{message}", {"message": message, "fix": fix})


def _said(value: str) -> str:
    return f"'{value}'" if len(value) <= 60 else f"'{value[:57]}...'"  # noqa: PLR2004 - a line's width


def _text(value: str) -> str:
    if not value.strip():
        raise misfit("must not be empty", "write a text, or drop the key")
    return value


def _duration(*, zero: bool) -> Callable[[Any], Any]:
    def seconds(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if _NUMBER.fullmatch(value):
            raise misfit(f"'{value}' has no unit", f"did you mean '{value}s'?")
        if not _DURATION.fullmatch(value):
            raise misfit(f"{_said(value)} is not a duration", "write e.g. 90s, 15m, 4h, 1d or 1h30m")
        total = sum(float(amount) * _UNITS[unit] for amount, unit in _PART.findall(value))
        if total <= 0 and not zero:
            raise misfit("must be longer than nothing", "write e.g. 15s")
        return total

    return seconds


def _size(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    found = _SIZE.fullmatch(value.strip())
    if found is None:
        raise misfit(f"{_said(value)} is not a size", "write e.g. 500KB, 25MB or 1GB")
    size = round(float(found[1]) * _SIZES[found[2]])
    if size <= 0:
        raise misfit("must be more than nothing", "write e.g. 25MB; to let no file cross, write cross: none")
    return size


def _number(low: float, high: float, *, whole: bool) -> Callable[[Any], Any]:
    def read(value: Any) -> Any:
        if not isinstance(value, str):
            return value
        if not _NUMBER.fullmatch(value) or (whole and "." in value):
            raise misfit(
                f"{_said(value)} is not a {'whole ' if whole else ''}number",
                f"write a number from {low:g} to {high:g}",
            )
        if not low <= float(value) <= high:
            raise misfit(f"{value} is out of range", f"write a number from {low:g} to {high:g}")
        return float(value)

    return read


def _share(value: Any) -> Any:
    if not isinstance(value, str) or value == "off":
        return None if value == "off" else value
    found = _PERCENT.fullmatch(value.strip())
    if found is None:
        raise misfit(f"{_said(value)} is not a share", "write e.g. 30%, or off")
    if not 0 < float(found[1]) <= 100:  # noqa: PLR2004 - per cent
        raise misfit(f"{value} is out of range", "write more than 0% and at most 100%, or off")
    return float(found[1]) / 100


def _flag(value: Any) -> Any:
    if value == "true" or value == "false":  # noqa: PLR1714 - a list or mapping has no hash
        return value == "true"
    if isinstance(value, str):
        raise misfit(f"{_said(value)} is not yes or no", "write true or false")
    if isinstance(value, list | dict):
        raise misfit("must be one word", "write true or false")
    return value


def _name(value: str) -> str:
    if not _NAME.fullmatch(value):
        raise misfit(
            f"{_said(value)} cannot be a name",
            "use 1-40 letters, digits, '-' and '_'; begin with a letter or digit",
        )
    return value


def _secret_name(value: str) -> str:
    if not _SECRET_NAME.fullmatch(value):
        raise misfit(
            "is not the name of a secret",
            "use lower-case letters, digits, '-' and '_'; the token itself goes into the secret's file",
        )
    if len(value) >= _LONG_AS_A_KEY and not set(value) & set("_-") and any(sign.isdigit() for sign in value):
        raise misfit(
            "looks like a token itself, not like the name of one",
            "put the token into the secrets folder, name the file here, and revoke this token: it "
            "has been in a file",
        )
    return value


def is_loopback(host: str) -> bool:
    """True when the host is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _web_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise misfit("is not a web address", "write e.g. https://jira.example.com") from None
    if parts.username is not None or parts.password is not None:
        raise misfit(
            "holds a login",
            "take it out of the address: use 'user' and 'token: {secret: ...}'; revoke it if it was "
            "a real one",
        )
    if parts.scheme not in {"http", "https"} or not host or re.search(r"\s", value) or port == 0:
        raise misfit("is not a web address", "write e.g. https://jira.example.com")
    if parts.query or parts.fragment:
        raise misfit(
            "has a '?' or '#' part", "give the base address only, e.g. https://jira.example.com/jira"
        )
    if parts.scheme == "http" and not is_loopback(host):
        raise misfit("would send the token in clear over http", f"write https://{parts.netloc}{parts.path}")
    return value.rstrip("/")


def _call_address(value: str) -> str:
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise misfit("is not a web address", "write e.g. https://chat.example.com/hooks/bridge") from None
    if parts.username is not None or parts.password is not None:
        raise misfit("holds a login", "take it out of the address, and revoke it if it was a real one")
    if parts.scheme not in {"http", "https"} or not host or re.search(r"\s", value) or port == 0:
        raise misfit("is not a web address", "write e.g. https://chat.example.com/hooks/bridge")
    if parts.fragment:
        raise misfit("has a '#' part, which no server would see", "remove it")
    if parts.scheme == "http" and not is_loopback(host):
        raise misfit("would send what it tells in clear over http", "write https://...")
    return value


def is_mail_address(text: str) -> bool:
    """True for a bare address that every mail server takes; quoted and international ones are not (RFC 5321 4.1.2)."""
    local, _, domain = text.rpartition("@")
    return (
        _LOCAL_PART.fullmatch(local) is not None
        and len(local) <= _LONGEST_LOCAL_PART
        and len(domain) <= _LONGEST_DOMAIN
        and all(_LABEL.fullmatch(label) for label in domain.split("."))
    )


def _mail_address(value: str) -> str:
    if not is_mail_address(value):
        raise misfit(f"{_said(value)} is not a mail address", "write e.g. bridge@example.com, without a name")
    return value


def _mail_server(value: str) -> str:
    right = "write e.g. smtp://localhost:25, smtp://mail.example.com:587 or smtps://mail.example.com:465"
    try:
        parts = urlsplit(value)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise misfit("is not the address of a mail server", right) from None
    if parts.username is not None or parts.password is not None:
        raise misfit(
            "holds a login",
            "take it out of the address: use 'user' and 'password: {secret: ...}'; revoke it if it was a real one",
        )
    beyond = parts.path.strip("/") or parts.query or parts.fragment
    if parts.scheme not in {"smtp", "smtps"} or not host or beyond or port == 0 or not _HOST.fullmatch(host):
        raise misfit("is not the address of a mail server", right)
    return value.rstrip("/")


def _listen(value: str) -> str:
    right = "write address:port, e.g. 127.0.0.1:8765"
    try:
        parts = urlsplit(f"//{value}")
        host, port = parts.hostname, parts.port
        ip_address(host or "")
    except ValueError:
        raise misfit("is not an address and a port", right) from None
    if port is None or parts.path or parts.username is not None:
        raise misfit("is not an address and a port", right)
    return value


def _iso_date(value: str) -> str:
    try:
        return date.fromisoformat(value).isoformat()
    except ValueError:
        raise misfit(f"{_said(value)} is not a date", "write year-month-day, e.g. 2027-01-31") from None


def _template(value: str) -> str:
    right = 'use only {author} and {company}, e.g. "{author} ({company})"'
    try:
        parts = list(Formatter().parse(value))
    except ValueError:
        raise misfit("has a brace without its partner", right) from None
    for _, name, spec, conversion in parts:
        if name is not None and (name not in {"author", "company"} or spec or conversion):
            raise misfit(f"'{{{name}}}' is not a placeholder here", right)
    if "{company}" not in value:
        raise misfit("does not name the company, so that any line of a text could pass for it", right)
    return value


def _one_or_more(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _not_none(value: tuple[str, ...]) -> tuple[str, ...]:
    if not value:
        raise misfit("must not be an empty list", "name at least one, or drop the key")
    return value


Text = Annotated[str, AfterValidator(_text)]
"""Any text but an empty one."""

Seconds = Annotated[float, BeforeValidator(_duration(zero=False))]
"""A duration longer than nothing."""

SecondsOrNone = Annotated[float, BeforeValidator(_duration(zero=True))]
"""A duration that may be zero."""

Size = Annotated[int, BeforeValidator(_size)]
"""A number of bytes."""

Share = Annotated[float | None, BeforeValidator(_share)]
"""A part of a whole, in per cent; ``off`` for no limit."""

Many = Annotated[int, BeforeValidator(_number(1, 100_000, whole=True))]
"""A number of things, at least one."""

Flag = Annotated[bool, BeforeValidator(_flag)]
"""true or false."""

Threads = Annotated[int, BeforeValidator(_number(1, 1_024, whole=True))]
"""A number of threads."""

Slots = Annotated[int, BeforeValidator(_number(1, 256, whole=True))]
"""A number of simultaneous requests."""

Rate = Annotated[float, BeforeValidator(_number(0.01, 10_000, whole=False))]
"""Requests per second."""

Name = Annotated[Text, AfterValidator(_name)]
"""The name of a tracker or agreement; it becomes part of labels and markers."""

SecretName = Annotated[Text, AfterValidator(_secret_name)]
"""The name of a secret, never the secret."""

WebAddress = Annotated[Text, AfterValidator(_web_address)]
"""A base address without login, query or trailing slash."""

CallAddress = Annotated[Text, AfterValidator(_call_address)]
"""An address that is called as it stands; such addresses are often secrets themselves, so none is quoted."""

MailAddress = Annotated[Text, AfterValidator(_mail_address)]
"""A bare mail address, in ASCII."""

MailServer = Annotated[Text, AfterValidator(_mail_server)]
"""``smtp://host:port`` or ``smtps://host:port``, without a login."""

Listen = Annotated[Text, AfterValidator(_listen)]
"""A numeric address of this machine and a port; port 0 takes a free one."""

IsoDate = Annotated[Text, AfterValidator(_iso_date)]
"""A calendar date."""

Template = Annotated[Text, AfterValidator(_template)]
"""A text with {author} and {company}."""

Texts = Annotated[tuple[Text, ...], BeforeValidator(_one_or_more), AfterValidator(_not_none)]
"""One text, or a list of them."""

TextList = Annotated[tuple[Text, ...], AfterValidator(_not_none)]
"""A list of at least one text."""

MailAddresses = Annotated[tuple[MailAddress, ...], AfterValidator(_not_none)]
"""A list of at least one mail address."""
