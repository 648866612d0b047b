"""How the simulated Jira says no: one exception that becomes Jira's error body.

A refusal is an answer, not a failure of the simulator, so it is no part of the product's own error tree.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bridge.simulator.model import Json

GONE = "Issue does not exist or you do not have permission to see it."
BAD_JSON = "There was an error parsing JSON. Check that your request body is valid."
BAD_PAYLOAD = "Invalid request payload. Refer to the REST API documentation and try again."


class Refusal(Exception):
    """An HTTP error answer.

    Attributes:
        status: the HTTP status.
        messages: Jira's ``errorMessages``.
        errors: Jira's ``errors``, by field.
        bare: leave out the ``errors`` key, as Jira does for some refusals.
    """

    def __init__(
        self,
        status: int,
        messages: str | Sequence[str] = (),
        *,
        errors: Mapping[str, str] | None = None,
        bare: bool = False,
    ) -> None:
        self.status = status
        self.messages = [messages] if isinstance(messages, str) else list(messages)
        self.errors = dict(errors or {})
        self.bare = bare
        super().__init__(f"{status}: {'; '.join(self.messages)} {self.errors}")

    def body(self) -> Json:
        """Return the JSON of the answer."""
        if self.bare:
            return {"errorMessages": self.messages}
        return {"errorMessages": self.messages, "errors": self.errors}


def field_refusal(name: str, text: str) -> Refusal:
    """Return the 400 that blames one field."""
    return Refusal(400, errors={name: text})


def not_found() -> Refusal:
    """Return the 404 that does not tell absence from a lack of permission."""
    return Refusal(404, GONE)
