"""How we log in to Jira: the ``jira`` package builds and authenticates the session, and does nothing more.

Its objects cost eight times the parsing of raw JSON, and its retries repeat a POST that may have been done
(measured: one comment arrived four times). So only its session is used, with retries off, explicit
time-outs and no request of its own at start; what comes back is raw JSON under the policy of
:mod:`bridge.trackers.http`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

import requests
from jira import JIRA
from jira.exceptions import JIRAError
from requests.auth import HTTPBasicAuth

from bridge.config.settings import TrackerSettings
from bridge.trackers.sessions import Body, bind, no_target

# At DEBUG the package logs the headers and bodies of failed requests.
for _name in ("jira", "jira.client", "jira.resilientsession"):
    logging.getLogger(_name).setLevel(logging.CRITICAL)


class JiraSession:
    """A session of the ``jira`` package, for one thread.

    Implements :class:`bridge.trackers.sessions.Session`.

    Args:
        settings: credentials, time-outs, certificate authority.
        url: base address (the site, or the gateway for scoped tokens).
        version: of the REST API, "2" or "3".
        deployment: "Cloud" or "Server". Without it, and without asking the server, the package takes every
            site for a server.
    """

    def __init__(self, settings: TrackerSettings, url: str, *, version: str, deployment: str) -> None:
        token = settings.token.get_secret_value()
        self._client = JIRA(
            options={"server": url, "rest_api_version": version, "verify": settings.ca_file or True},
            basic_auth=(settings.user, token) if settings.user else None,
            token_auth=None if settings.user else token,
            max_retries=0,
            timeout=(settings.connect_timeout, settings.read_timeout),
            get_server_info=False,
            logging=False,
        )
        self._client.deploymentType = deployment
        self._session = self._client._session  # noqa: SLF001 - the package offers no public way to it
        # Neither proxies nor .netrc from the environment: the login comes from the settings only.
        self._session.trust_env = False
        self._session.get_redirect_target = no_target
        bind(self._session, url)
        if settings.user:
            # As bytes: requests would encode text as Latin-1 and fail on other letters.
            self._session.auth = HTTPBasicAuth(settings.user.encode(), token.encode())

    def request(
        self,
        method: str,
        url: str,
        *,
        params: Mapping[str, Any],
        data: bytes | Body | None,
        headers: Mapping[str, str],
        hook: Callable[[requests.Response], None],
    ) -> requests.Response:
        """Send one request and return whatever is answered; see :class:`bridge.trackers.sessions.Session`.

        The package raises on every status above 399. Its error carries the answer, which is judged like any
        other.
        """
        try:
            answer = self._session.request(
                method,
                url,
                params=params,
                data=data,
                headers=headers,
                allow_redirects=False,
                stream=True,
                hooks={"response": lambda response, **_: hook(response)},
            )
        except JIRAError as error:
            if not isinstance(error.response, requests.Response):
                raise requests.ConnectionError("the jira package saw no answer") from error
            answer = error.response
        assert isinstance(answer, requests.Response)
        return answer

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
