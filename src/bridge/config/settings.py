"""The settings as the rest of the house receives them: frozen, complete, secrets resolved.

``config.loading`` makes these from the YAML files; nothing else reads files or the environment.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from pydantic import SecretStr

from bridge.sla.calendar import CalendarRule
from bridge.sla.policy import Policy
from bridge.sync.agreement import Agreement


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """How a tracker's webhooks prove themselves.

    Attributes:
        secrets: any of these may have signed a webhook: the present one, and during a rotation the one before it.
        path: last part of the webhook's address.
        secret_name: name of the present secret, for people.
    """

    secrets: tuple[SecretStr, ...]
    path: str
    secret_name: str = ""


@dataclass(frozen=True, slots=True)
class WebSettings:
    """The web server: webhooks, health, metrics.

    Attributes:
        host: numeric address to listen on.
        port: 0 takes a free one.
        public_url: address under which the trackers reach it; "" when nobody said.
        proxies: addresses or networks of reverse proxies, whose word on a caller's address is believed.
    """

    host: str
    port: int
    public_url: str = ""
    proxies: tuple[str, ...] = ()

    def hook_url(self, webhook: WebhookSettings) -> str:
        """The address that a tracker posts its webhooks to."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.public_url or f'http://{host}:{self.port}'}/hooks/{webhook.path}"


@dataclass(frozen=True, slots=True)
class MailSettings:
    """The mail server, and who mails come from.

    Attributes:
        host: name or numeric address.
        port: TCP port.
        wrapped: TLS from the first byte (``smtps://``).
        tls: what is asked of STARTTLS otherwise; ``opportunistic``: used where it is offered.
        sender: address that mails come from; its domain is part of their Message-IDs.
        reply_to: address that answers go to; "" for the sender's.
        user: login; "" for none.
        password: only the SMTP session reveals it.
        timeout: seconds to wait for a connection and for each answer.
        ca_file: PEM bundle for a private certificate authority; "" means the system's.
    """

    host: str
    port: int
    sender: str
    wrapped: bool = False
    tls: Literal["required", "opportunistic", "none"] = "required"
    reply_to: str = ""
    user: str = ""
    password: SecretStr = field(default_factory=lambda: SecretStr(""))
    timeout: float = 60.0
    ca_file: str = ""


@dataclass(frozen=True, slots=True)
class OutgoingHook:
    """A webhook that steps of a ladder tell something to.

    Attributes:
        name: the name that steps use.
        url: address that is posted to; often a secret itself, so it is left out of ``repr``.
        secret: what messages are signed with.
        secret_name: its name, for people.
    """

    name: str
    url: str = field(repr=False)
    secret: SecretStr
    secret_name: str = ""


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Signs of life of the bridge itself.

    Attributes:
        file: file that is touched; "" for none.
        url: address that is called; "" for none; often a secret itself, so it is left out of ``repr``.
        mail: address that gets a mail; "" for none.
        every: seconds between two signs of life; mails go at most once a day.
    """

    file: str = ""
    url: str = field(default="", repr=False)
    mail: str = ""
    every: float = 60.0


@dataclass(frozen=True, slots=True)
class Digest:
    """The weekly report of an agreement.

    Attributes:
        to: roles that get it.
        weekday: Monday is 0.
        minute: minute of that day.
        zone: name of the time zone of that time.
        goals: clock -> share of its cycles that should meet their goal.
    """

    to: tuple[str, ...]
    weekday: int = 0
    minute: int = 480
    zone: str = "UTC"
    goals: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pledge:
    """What an agreement says about telling people of its clocks, beside the ladder of its policy.

    Attributes:
        digest: the weekly report; None when nobody wants it.
        most_per_hour: mails of alerts that a role gets in an hour; what is more comes gathered in one.
        gather: seconds over which alerts are gathered then.
        settle: seconds for which a step of the ladder waits after its moment for deeds that are not known yet; None for
            two polls of the slower tracker.
        clocks_from: tickets born before this moment (microseconds) are not measured by the present policy; 0: whoever
            is born after it was first seen.
    """

    digest: Digest | None = None
    most_per_hour: int = 20
    gather: float = 300.0
    settle: float | None = None
    clocks_from: int = 0


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
        formatting: Redmine: how its texts are written, ``markdown`` or ``textile``; "" means the kind's usual way.
        expires: ISO date when the token expires; "" when unknown.
        media_hosts: hosts (``host`` or ``host:port``) outside the public internet to which a file may be redirected.
        webhook: how its webhooks prove themselves; None when none are taken.
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
    formatting: str = ""
    expires: str = ""
    media_hosts: tuple[str, ...] = ()
    webhook: WebhookSettings | None = None


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
        web: the web server; None when nothing listens.
        mail: the mail server; None when nobody is told.
        keep_values: seconds that the journal keeps what people wrote; None for ever.
        file: ``bridge.yaml`` itself, for messages.
        calendars: by name; ``always`` is among them.
        hooks: outgoing webhooks, by name.
        heartbeat: signs of life; None when nobody looks for any.
        policies: agreement name -> what it says about time; ``since`` is 0 unless the file says from when.
        pledges: agreement name -> what it says about telling people.
    """

    database: str = field(repr=False)
    trackers: Mapping[str, TrackerSettings]
    agreements: tuple[Agreement, ...]
    threads: int = 64
    census: float = 86_400.0
    sources: Mapping[str, str] = field(default_factory=dict)
    spool: str = "spool"
    spool_quota: int = 2_000_000_000
    web: WebSettings | None = None
    mail: MailSettings | None = None
    keep_values: float | None = None
    file: str = ""
    calendars: Mapping[str, CalendarRule] = field(default_factory=dict)
    hooks: Mapping[str, OutgoingHook] = field(default_factory=dict)
    heartbeat: Heartbeat | None = None
    policies: Mapping[str, Policy] = field(default_factory=dict)
    pledges: Mapping[str, Pledge] = field(default_factory=dict)
