"""The settings as the rest of the house receives them: frozen, complete, secrets resolved.

``config.loading`` makes these from the YAML files; nothing else reads files or the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pydantic import SecretStr

from bridge.sync.agreement import Agreement


@dataclass(frozen=True, slots=True)
class TrackerSettings:
    """One tracker: where it is and how to be a good guest there.

    Attributes:
        name: the name that agreements use.
        kind: an entry point of the group ``bridge.trackers``.
        url: base address, with a context path if there is one, without a trailing slash.
        user: login for basic authentication (Jira Cloud: the e-mail); "" for a bearer token.
        token: API token, personal access token or key; prints as ``***``, only the HTTP session reveals it.
        cloud_id: for scoped and service-account tokens of Jira Cloud: the site's cloud id; requests then go
            through the gateway host. "" means the site itself.
        gateway: address of that gateway.
        rate: requests per second we allow ourselves.
        concurrency: requests under way at once.
        search_lag: seconds by which a search may trail the truth: the polls overlap by it, and a create
            with an unknown outcome is looked for this long before it is repeated.
        poll: seconds between polls.
        connect_timeout: seconds.
        read_timeout: seconds.
        ca_file: PEM bundle for a private certificate authority; "" means the system's.
        marker_field: Redmine, RT: the text custom field that carries the bridge's mark.
        expires: ISO date when the token expires; "" when unknown.
        media_hosts: hosts (``host`` or ``host:port``) outside the public internet to which a file may be redirected.
    """

    name: str
    kind: str
    url: str
    token: SecretStr
    user: str = ""
    cloud_id: str = ""
    gateway: str = "https://api.atlassian.com"
    rate: float = 20.0
    concurrency: int = 8
    search_lag: float = 120.0
    poll: float = 15.0
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    ca_file: str = ""
    marker_field: str = ""
    expires: str = ""
    media_hosts: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """A whole configuration.

    Attributes:
        database: SQLAlchemy URL with an absolute path; may hold a password, so it is left out of ``repr``.
        threads: links that may be worked on at once.
        census: seconds between full comparisons of everything in scope.
        trackers: by name.
        agreements: in file order.
        sources: agreement name -> the file it came from, for messages.
        spool: folder where files lie on their way from one tracker to the other.
        spool_quota: bytes that may lie there.
    """

    database: str = field(repr=False)
    trackers: Mapping[str, TrackerSettings]
    agreements: tuple[Agreement, ...]
    threads: int = 64
    census: float = 86_400.0
    sources: Mapping[str, str] = field(default_factory=dict)
    spool: str = "spool"
    spool_quota: int = 2_000_000_000
