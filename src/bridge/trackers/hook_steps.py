"""What a person does where the bridge cannot register a webhook itself: words to follow, and for RT the scrip.

No secret stands in these words, only its name: they are printed to terminals and pasted into tickets.
"""

from __future__ import annotations

from bridge.trackers.jira_hooks import EVENTS

RT_SCRIP = """\
use Digest::SHA qw(hmac_sha256);
use MIME::Base64 qw(encode_base64);
use LWP::UserAgent;
my $secret = RT->Config->Get('BridgeHookSecret') or return 1;
my $id     = 'rt-' . $self->TransactionObj->id;
my $time   = time;
my $body   = '{"ticket":' . $self->TicketObj->id . '}';
my $proof  = encode_base64(hmac_sha256("$id.$time.$body", $secret), '');
my $answer = LWP::UserAgent->new(timeout => 3)->post(
    'URL',
    'Content-Type'      => 'application/json',
    'webhook-id'        => $id,
    'webhook-timestamp' => $time,
    'webhook-signature' => "v1,$proof",
    Content             => $body,
);
RT->Logger->warning('bridge webhook: ' . $answer->status_line) unless $answer->is_success;
return 1;
"""
"""Commit code of Request Tracker's scrip; ``URL`` stands for the webhook's address. Needs nothing RT does not have."""


def steps(kind: str, url: str, secret: str, projects: tuple[str, ...]) -> str:
    """How a person registers a webhook at that kind of tracker.

    Args:
        kind: of the tracker.
        url: the webhook's address.
        secret: name of the secret, never its value.
        projects: keys or identifiers of the projects.
    """
    told = ", ".join(projects)
    value = f"the value of the secret '{secret}'"
    if kind.startswith("jira-"):
        return (
            "As a Jira administrator, under Settings > System > WebHooks, create a webhook:\n"
            f"  URL: {url}\n  Secret: {value}\n  JQL: project in ({told})\n  Events: {', '.join(EVENTS)}\n"
            "  Exclude body: no"
        )
    if kind == "redmine":
        return (
            "Redmine signs webhooks from 7.0 on and has no API for them. Allow webhooks in the settings, give a role\n"
            "of the integration account the permission to use them, and as that account make one under\n"
            "My account > Webhooks:\n"
            f"  URL: {url}\n  Secret: {value}\n  Events: all of issues\n  Projects: {told}\n"
            "Before 7.0 there is nothing to switch on: the polls do the work."
        )
    if kind == "request-tracker":
        scrip = "".join(f"    {line}\n" for line in RT_SCRIP.replace("URL", url).splitlines())
        return (
            f"Put Set($BridgeHookSecret, '...'); with {value} into a file of RT_SiteConfig.d, restart RT, and as its\n"
            f"administrator make a scrip that applies to {told}:\n"
            "  Condition: On Transaction\n  Action: User Defined\n  Template: Blank\n  Stage: Batch\n"
            f"  Custom action preparation code: return 1;\n  Custom action commit code:\n{scrip.rstrip()}"
        )
    return (
        f"Have the tracker post to {url}\n"
        'after each change a body of {"ticket": ID}, signed as Standard Webhooks 1.0.0 say\n'
        f"(webhook-id, webhook-timestamp, webhook-signature: v1,...) with {value}."
    )
