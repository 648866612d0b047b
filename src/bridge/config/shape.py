"""Which keys the files have, what each takes, and what it means: the models behind docs/configuration.md.

Keys are written with hyphens (``search-lag``). A key made with ``needed`` must be there; it has an empty
default all the same, so that a file which lacks it can still be checked for everything else. The text under
each key is shown to whoever forgot it.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Discriminator, Field, Tag

from bridge.config.boundary_shape import ClassifiedShape, Redactions
from bridge.config.calendar_shape import CalendarShape
from bridge.config.clock_shape import BallShape, ClockShape, OfficeShape
from bridge.config.field_shape import FieldShape, PairShape
from bridge.config.form import Shape, needed, word_or_pair
from bridge.config.ladder_shape import AlertsShape, DigestShape, StepShape
from bridge.config.role_shape import HoldsShape, PilotShape, RoleShape
from bridge.config.words import (
    CallAddress,
    Flag,
    IsoDate,
    Listen,
    MailAddress,
    MailServer,
    Many,
    Name,
    Rate,
    Seconds,
    SecondsOrNone,
    SecretName,
    Share,
    Size,
    Slots,
    Template,
    Text,
    TextList,
    Texts,
    Threads,
    WebAddress,
    misfit,
)
from bridge.sync.roles import Mode


class SecretShape(Shape):
    """A reference to a secret."""

    secret: SecretName = needed()
    """name of the secret: a file in the credentials or secrets folder, or an environment variable"""


def _no_literal(value: Any) -> Any:
    if isinstance(value, dict):
        return value
    raise misfit(
        "a secret must not stand in the file",
        "write {secret: some_name}, put the value into secrets/some_name, and revoke what stood here",
    )


SecretReference = Annotated[SecretShape, BeforeValidator(_no_literal)]
"""``{secret: name}``; anything else is taken for a pasted secret and not shown."""


class DatabaseShape(Shape):
    """Where the bridge keeps its own records."""

    url: Text = needed()
    """SQLAlchemy address of the database, e.g. sqlite:///bridge.db"""
    password: SecretReference | None = None
    """secret that holds the database password"""


def _address_alone(value: Any) -> Any:
    return {"url": value} if isinstance(value, str) else value


def _folder_alone(value: Any) -> Any:
    return {"folder": value} if isinstance(value, str) else value


class SpoolShape(Shape):
    """Where files lie on their way."""

    folder: Text = "spool"
    """folder for files on their way; the bridge's own, relative to the database's folder"""
    quota: Size = 2_000_000_000
    """bytes that may lie there at once"""


class WebhookShape(Shape):
    """How a tracker's webhooks prove themselves."""

    secret: SecretReference | None = Field(default=None, json_schema_extra={"needed": True})
    """secret that the tracker signs its webhooks with: {secret: name}"""
    previous: SecretReference | None = None
    """the secret before it, while it is being replaced: both are accepted"""
    path: Name = ""
    """last part of the webhook's address; by default the tracker's name"""


class TrackerShape(Shape):
    """One ticketing system."""

    kind: Text = needed()
    """kind of tracker, e.g. jira-cloud, jira-datacenter, redmine or request-tracker"""
    url: WebAddress = needed()
    """base address, e.g. https://jira.example.com"""
    token: SecretReference | None = Field(default=None, json_schema_extra={"needed": True})
    """API token, personal access token or key: {secret: name}"""
    user: Text = ""
    """login that goes with the token (Jira Cloud: the e-mail address)"""
    cloud_id: Name = ""
    """Jira Cloud: id of the site, for scoped and service-account tokens"""
    gateway: WebAddress = "https://api.atlassian.com"
    """Jira Cloud: gateway that such tokens go through"""
    expires: IsoDate = ""
    """date on which the token expires"""
    poll: Seconds = 15.0
    """time between two polls"""
    rate: Rate = 20.0
    """requests per second that we allow ourselves"""
    concurrency: Slots = 8
    """requests under way at once"""
    search_lag: SecondsOrNone | None = None
    """time by which the tracker's search may trail the truth; by default what is usual for the kind"""
    connect_timeout: Seconds = 5.0
    """longest wait for a connection"""
    read_timeout: Seconds = 30.0
    """longest wait for an answer"""
    ca: Text = ""
    """PEM file of a private certificate authority, relative to this folder"""
    media_hosts: TextList = ()
    """hosts outside the public internet to which the tracker may redirect a download"""
    marker_field: Text = ""
    """Redmine, Request Tracker: text custom field that carries the bridge's mark"""
    formatting: Literal["", "markdown", "textile"] = ""
    """Redmine: how its texts are written: markdown or textile"""
    webhook: WebhookShape | None = None
    """webhooks of this tracker are taken, signed with this: {secret: {secret: name}}"""


class WebShape(Shape):
    """The bridge's own small web server: webhooks, health, metrics."""

    listen: Listen = "127.0.0.1:8765"
    """address and port to listen on"""
    public_url: WebAddress = ""
    """address under which the trackers reach it, e.g. https://bridge.example.com"""
    proxies: TextList = ()
    """addresses of the reverse proxies in front of it, which add TLS"""


class MailShape(Shape):
    """The mail server through which people are told."""

    server: MailServer = needed()
    """mail server, e.g. smtp://localhost:25 or smtps://mail.example.com"""
    sender: MailAddress = Field(default="", alias="from", json_schema_extra={"needed": True})
    """address that mails come from, e.g. bridge@example.com"""
    reply_to: MailAddress = ""
    """address that answers go to"""
    user: Text = ""
    """login at the mail server"""
    password: SecretReference | None = None
    """secret that holds the password: {secret: name}"""
    tls: Literal["", "required", "opportunistic", "none"] = ""
    """smtp://: whether STARTTLS is required, used where offered, or not used"""
    timeout: Seconds = 60.0
    """longest wait for each answer of the mail server"""
    ca: Text = ""
    """PEM file of a private certificate authority, relative to this folder"""


class HookShape(Shape):
    """An outgoing webhook, for chat tools and the like."""

    url: CallAddress = needed()
    """address that is posted to"""
    secret: SecretReference | None = Field(default=None, json_schema_extra={"needed": True})
    """secret that its messages are signed with: {secret: name}"""


class HeartbeatShape(Shape):
    """Signs of life of the bridge itself, for whoever watches it from outside."""

    file: Text = ""
    """file that is touched, relative to this folder"""
    url: CallAddress = ""
    """address that is called"""
    mail: MailAddress = ""
    """address that gets a mail, once a day"""
    every: Seconds = 60.0
    """time between two signs of life"""


class RetentionShape(Shape):
    """How long the bridge keeps what people wrote."""

    values: Seconds | None = None
    """time after which values in the journal are erased, e.g. 2y; their seals stay"""


class BridgeShape(Shape):
    """``bridge.yaml``."""

    database: Annotated[DatabaseShape, BeforeValidator(_address_alone)] = DatabaseShape(
        url="sqlite:///bridge.db"
    )
    """address of the bridge's own database"""
    threads: Threads = 64
    """tickets that may be worked on at once"""
    census: Seconds = 86_400.0
    """time between two full comparisons of everything in scope"""
    spool: Annotated[SpoolShape, BeforeValidator(_folder_alone)] = SpoolShape()
    """where files lie on their way"""
    web: WebShape | None = None
    """the bridge's own small web server, for webhooks, health and metrics; without it, nothing listens"""
    mail: MailShape | None = None
    """the mail server through which people are told; without it, nobody is"""
    retention: RetentionShape = RetentionShape()
    """how long the journal keeps what people wrote: {values: 2y}; by default for ever"""
    calendars: dict[Name, CalendarShape] = Field(default={})
    """business calendars by name, e.g. office: {zone: Europe/Copenhagen, hours: {mon-fri: "08:00-16:00"}}"""
    hooks: dict[Name, HookShape] = Field(default={})
    """outgoing webhooks by name, e.g. chat: {url: https://..., secret: {secret: chat_secret}}"""
    heartbeat: HeartbeatShape | None = None
    """signs of life: {file: ..., url: ..., mail: ..., every: 60s}"""
    trackers: dict[Name, TrackerShape] = Field(default={}, json_schema_extra={"needed": True})
    """trackers by name, e.g. home: {kind: jira-datacenter, url: ..., token: {secret: home_token}}"""
    agreements: Text = "agreements/*.yaml"
    """pattern of the agreement files, relative to this folder"""


class ScopeShape(Shape):
    """One side of an agreement."""

    tracker: Text = needed()
    """name of a tracker in bridge.yaml"""
    project: Text = needed()
    """project key (Jira), identifier (Redmine) or queue (Request Tracker)"""
    company: Text = needed()
    """how this party is called in texts that cross"""
    select: str = ""
    """which tickets of the project come into scope, in the tracker's own query language; all by default"""
    on_create: dict[Text, Text] = Field(default={})
    """field: value for tickets that the bridge creates on this side"""
    private_role: Text = ""
    """Jira: project role that may read the private comments which the bridge writes here"""
    private_group: Text = ""
    """Jira: group that may read them, in place of a role"""


class CommentShape(Shape):
    """How comments cross."""

    cross: Literal["public", "none", "to-vendor", "to-internal"] = "public"
    """which comments cross"""
    attribute: Template = "{author} ({company})"
    """how the author of a comment that crossed is named"""
    private: Literal["never", "as-private"] = "never"
    """whether private comments cross, as private comments"""
    mentions: Literal["names", "live"] = "names"
    """what becomes of a mention of somebody under people: a name, or a live mention of their counterpart"""


class AttachmentShape(Shape):
    """How files cross."""

    cross: Literal["both", "none", "to-vendor", "to-internal"] = "none"
    """which files cross; those of private texts never do"""
    max: Size = 25_000_000
    """size of the largest file that crosses"""
    types: TextList = ("image/*", "application/pdf", "text/*")
    """patterns of the media types that cross"""
    names: TextList = ()
    """patterns of file names that do not cross"""
    deletes: Literal["follow", "keep"] = "follow"
    """what becomes of the copy when the original is deleted"""


class CloseShape(Shape):
    """Statuses per side."""

    internal: Text = ""
    """status that the internal ticket is moved to when the vendor's was deleted"""
    vendor: Text = ""
    """status that the vendor's ticket is moved to when the internal one was deleted"""


class DeletedShape(Shape):
    """What becomes of the peer of a deleted ticket, where it is more than a word."""

    close: CloseShape = CloseShape()
    """status that the peer is moved to"""


class LinkTypeShape(Shape):
    """What a type of link is at the vendor."""

    vendor: Text = needed()
    """name of the type in the vendor's tracker"""
    reversed: Flag = False
    """true when the vendor's type reads the other way round"""


def _vendor_alone(value: Any) -> Any:
    return {"vendor": value} if isinstance(value, str) else value


class RelationShape(Shape):
    """Which relations between two mirrored tickets cross."""

    parent: Flag = False
    """true: parents and sub-tasks cross"""
    links: dict[Text, Annotated[LinkTypeShape, BeforeValidator(_vendor_alone)]] = Field(default={})
    """types of links that cross: name in the internal tracker: name at the vendor"""


class WorklogShape(Shape):
    """How time spent crosses."""

    cross: Literal["none", "both", "to-vendor", "to-internal"] = "none"
    """whose worklogs cross; private ones never do"""
    attribute: Template = "{author} ({company})"
    """how the author of a worklog that crossed is named"""


class ControlShape(Shape):
    """Control tickets."""

    internal: Text = ""
    """key of the ticket on the internal side on which the head of the audit chain is told"""
    vendor: Text = ""
    """key of such a ticket on the vendor's side"""


class AuditShape(Shape):
    """What is told of the audit chain."""

    control: ControlShape = ControlShape()
    """tickets on which its head is told: {internal: OPS-1, vendor: CUST-1}"""


class BrakeShape(Shape):
    """When to stop and ask."""

    share: Share = 0.3
    """part of the agreement's tickets that may be changed at once: a percentage, or off"""
    least: Many = 50
    """tickets that may be changed at once however few there are"""
    within: Seconds = 600.0
    """time within which changes count as at once"""


class AgreementShape(Shape):
    """One agreement file."""

    name: Name = needed()
    """unique name of the agreement"""
    internal: ScopeShape | None = Field(default=None, json_schema_extra={"needed": True})
    """the organisation's side: {tracker: ..., project: ..., company: ...}"""
    vendor: ScopeShape | None = Field(default=None, json_schema_extra={"needed": True})
    """the vendor's side: {tracker: ..., project: ..., company: ...}"""
    create: Literal["both", "to-vendor", "to-internal", "none"] = "both"
    """on which sides the bridge creates mirrors"""
    people: tuple[PairShape, ...] = ()
    """who is who: pairs of {internal: ..., vendor: ...}"""
    fields: dict[Text, FieldShape] = Field(default={}, json_schema_extra={"needed": True})
    """fields that cross, by canonical name"""
    mode: Mode = Mode.LIVE
    """how much the bridge does: observe, pilot or live"""
    pilot: PilotShape | None = None
    """tickets that are written to in mode pilot"""
    roles: dict[Name, RoleShape] | None = None
    """named responsibilities, e.g. service-owner: {side: internal, people: [ann@example.com]}"""
    holds: HoldsShape | None = None
    """who decides about changes that nobody was entitled to make, and by when"""
    audit: AuditShape = AuditShape()
    """what is told of the audit chain, and where"""
    comments: CommentShape = CommentShape()
    """how comments cross"""
    private_tickets: Literal["never"] = "never"
    """private tickets never cross"""
    attachments: AttachmentShape = AttachmentShape()
    """how files cross"""
    relations: RelationShape = RelationShape()
    """parents and links that cross"""
    worklogs: WorklogShape = WorklogShape()
    """how time spent crosses"""
    deleted: (
        Annotated[
            Annotated[Literal["note", "keep"], Tag("word")] | Annotated[DeletedShape, Tag("pair")],
            Discriminator(word_or_pair),
        ]
        | None
    ) = None
    """what becomes of the peer of a deleted ticket: note, keep, or {close: {internal: ..., vendor: ...}}"""
    brakes: BrakeShape = BrakeShape()
    """when to stop and ask: {share: 30%, least: 50, within: 10m}"""
    since: IsoDate = ""
    """tickets created before this date get no mirrors by themselves"""
    redact: tuple[Redactions, ...] = ()
    """what is cut out of words before they leave, e.g. [secrets, addresses]"""
    classified: ClassifiedShape | None = None
    """tickets that do not cross at all, by their labels or a field"""
    show_people: Literal["name", "role", "company"] = "name"
    """how people are called on the other side"""
    resolved: Texts = ()
    """statuses in which a ticket counts as resolved"""
    office: OfficeShape = OfficeShape()
    """calendars of the sides: {internal: office, vendor: always}"""
    ball: tuple[BallShape, ...] = ()
    """who has to act now, by rules of which the first that fits counts"""
    clocks: dict[Name, ClockShape] | None = None
    """clocks by name, e.g. resolve: {start: created, stop: resolved, goals: {P1: 4h, default: 5d}, calendar: office}"""
    ladder: tuple[StepShape, ...] | None = None
    """who is told when, e.g. [{at: 80%, tell: delivery-manager}, {at: 100%, tell: service-owner}]"""
    alerts: AlertsShape = AlertsShape()
    """how many mails of alerts a role gets: {most-per-hour: 20, gather: 5m}"""
    digest: DigestShape | None = None
    """weekly report to both sides: {to: [service-owner], every: monday 08:00}"""
    clocks_from: IsoDate = ""
    """tickets born before this date are not measured by these clocks"""
