"""Where secrets come from: systemd credentials, a folder of files, or the environment; never the YAML.

A secret leaves here only inside pydantic's ``SecretStr``, which prints as stars.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import SecretStr


class NoSecret(Exception):
    """A secret cannot be had. ``message`` and ``fix`` are for the operator and hold no value."""

    def __init__(self, message: str, fix: str) -> None:
        self.message = message
        self.fix = fix
        super().__init__(message)


class Vault:
    """Looks secrets up by name.

    Attributes:
        folder: folder of the configuration.
        environ: the environment to look in.
    """

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.environ = environ

    def open(self, name: str) -> SecretStr:
        """The secret of that name, from the first place that has it; a trailing line break is dropped.

        Raises:
            NoSecret: no place has it, or the one that does is empty, unreadable or no single line of text.
        """
        for place in self._files(name):
            try:
                raw = place.read_bytes()
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                raise NoSecret(
                    f"the secret file {place} cannot be read: {error.strerror}",
                    "give the bridge's user the right to read it",
                ) from None
            return _one_line(raw, f"the secret file {place}")
        variable = self.variable(name)
        if variable in self.environ:
            return _one_line(
                self.environ[variable].encode(errors="surrogateescape"), f"the variable {variable}"
            )
        raise NoSecret(
            f"there is no secret '{name}'; looked for {self._places(name)}",
            "put the value into one of them (a file: one line, mode 0400)",
        )

    @staticmethod
    def variable(name: str) -> str:
        """The environment variable for a secret."""
        return "BRIDGE_SECRET_" + name.upper().replace("-", "_")

    def _files(self, name: str) -> list[Path]:
        credentials = self.environ.get("CREDENTIALS_DIRECTORY")
        return ([Path(credentials) / name] if credentials else []) + [self._folder() / name]

    def _folder(self) -> Path:
        own = self.environ.get("BRIDGE_SECRETS_DIR")
        return Path(own) if own else self.folder / "secrets"

    def _places(self, name: str) -> str:
        credentials = self.environ.get("CREDENTIALS_DIRECTORY")
        first = f"{credentials}/{name}" if credentials else f"$CREDENTIALS_DIRECTORY/{name} (not set)"
        origin = " ($BRIDGE_SECRETS_DIR)" if self.environ.get("BRIDGE_SECRETS_DIR") else ""
        return f"{first}, {self._folder() / name}{origin}, ${self.variable(name)}"


def _one_line(raw: bytes, place: str) -> SecretStr:
    """The value as text, if it can stand in an HTTP header."""
    try:
        value = raw.decode("utf-8").strip()
    except UnicodeDecodeError:
        raise NoSecret(f"{place} is not text", "write the token alone, as plain text") from None
    if not value:
        raise NoSecret(f"{place} is empty", "write the token into it")
    if not value.isprintable():
        raise NoSecret(
            f"{place} holds more than one line, or control characters", "write the token alone, on one line"
        )
    return SecretStr(value)
