"""Webhooks, kind by kind: published vectors, every bit flipped, rotation, and what a body may name."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.clock import SECOND
from bridge.trackers.hooks import GENERIC, JIRA, MOST_TICKETS, REDMINE, delivery_id, named
from bridge.trackers.registry import hook_kind

SECRET = "It's a Secret to Everybody"
NOW = 1_614_265_330 * SECOND
BODY = b'{"issue": {"id": "10401"}}'


def jira(body=BODY, secret=SECRET, method="sha256"):
    return {"x-hub-signature": f"{method}={hmac.new(secret.encode(), body, method).hexdigest()}"}


def standard(body=BODY, secret=SECRET, *, at=NOW // SECOND, name="msg_1"):
    proof = hmac.new(secret.encode(), f"{name}.{at}.".encode() + body, "sha256").digest()
    return {
        "webhook-id": name,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{base64.b64encode(proof).decode()}",
    }


def test_the_vector_that_atlassian_publishes():
    header = {"x-hub-signature": "sha256=a4771c39fbe90f317c7824e83ddef3caae9cb3d976c214ace1f2937e133263c9"}
    assert JIRA.verify(header, b"Hello World!", [SECRET], NOW) == ""


def test_the_vector_of_redmines_own_test():
    # Also GitHub's, whose documentation Redmine's source names.
    header = {
        "x-redmine-signature-256": "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
    }
    assert REDMINE.verify(header, b"Hello, World!", [SECRET], NOW) == ""


def test_the_vector_of_standard_webhooks():
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    assert GENERIC.verify(headers, b'{"test": 2432232314}', [secret], NOW) == ""


@pytest.mark.parametrize(("kind", "sign"), [(JIRA, jira), (GENERIC, standard)])
def test_any_flipped_bit_of_body_or_proof_is_refused(kind, sign):
    headers = sign()
    assert kind.verify(headers, BODY, [SECRET], NOW) == ""
    for place in range(len(BODY) * 8):
        broken = bytearray(BODY)
        broken[place // 8] ^= 1 << (place % 8)
        assert kind.verify(headers, bytes(broken), [SECRET], NOW) == "signature"
    for name, value in headers.items():
        for place in range(len(value)):
            other = {**headers, name: value[:place] + chr(ord(value[place]) ^ 1) + value[place + 1 :]}
            assert kind.verify(other, BODY, [SECRET], NOW) != "", f"{name}[{place}]"


@pytest.mark.parametrize(("kind", "sign"), [(JIRA, jira), (GENERIC, standard)])
def test_during_a_rotation_either_secret_will_do_and_no_other(kind, sign):
    for secret in ("the new secret 1", "the old secret 2"):
        headers = sign(secret=secret)
        assert kind.verify(headers, BODY, ["the new secret 1", "the old secret 2"], NOW) == ""
    assert kind.verify(sign(secret="the oldest one 3"), BODY, ["the new secret 1", "the old secret 2"], NOW)


def test_an_empty_secret_proves_nothing():
    for kind, sign in ((JIRA, jira), (GENERIC, standard)):
        assert kind.verify(sign(secret=""), BODY, [""], NOW) == "signature"
        assert kind.verify(sign(secret=""), BODY, [], NOW) == "signature"


@pytest.mark.parametrize("method", ["sha1", "md5", "sha512"])
def test_no_other_method_is_taken_even_with_a_right_digest(method):
    assert JIRA.verify(jira(method=method), BODY, [SECRET], NOW) == "algorithm"


@pytest.mark.parametrize(
    "given", ["none=", "SHA256=" + "0" * 64, "sha256", "sha256=", "=", "sha256=\N{SNOWMAN}"]
)
def test_what_is_no_signature_is_refused_in_words_of_its_own(given):
    assert JIRA.verify({"x-hub-signature": given}, BODY, [SECRET], NOW) in {"algorithm", "signature"}
    assert JIRA.verify({}, BODY, [SECRET], NOW) == "unsigned"
    assert GENERIC.verify({}, BODY, [SECRET], NOW) == "unsigned"


@pytest.mark.parametrize(("off", "complaint"), [(-301, "stale"), (-300, ""), (300, ""), (301, "stale")])
def test_a_signed_time_may_be_five_minutes_off(off, complaint):
    assert GENERIC.verify(standard(at=NOW // SECOND + off), BODY, [SECRET], NOW) == complaint


def test_of_several_signatures_one_must_be_right_and_asymmetric_ones_are_not_taken():
    headers = standard()
    right = headers["webhook-signature"]
    assert GENERIC.verify({**headers, "webhook-signature": f"v1,AAAA {right}"}, BODY, [SECRET], NOW) == ""
    asymmetric = {**headers, "webhook-signature": right.replace("v1,", "v1a,")}
    assert GENERIC.verify(asymmetric, BODY, [SECRET], NOW) == "algorithm"
    many = {**headers, "webhook-signature": "v1,AAAA " * 50 + right}
    assert GENERIC.verify(many, BODY, [SECRET], NOW) == "signature", "only so many are looked at"


@pytest.mark.parametrize(
    ("kind", "body", "tickets"),
    [
        (JIRA, {"issue": {"id": "10401", "key": "OPS-1"}}, ("10401",)),
        (JIRA, {"issueLink": {"sourceIssueId": 1, "destinationIssueId": 2}}, ("1", "2")),
        (JIRA, {"worklog": {"issueId": "7"}}, ("7",)),
        (JIRA, {"attachment": {"id": "9"}}, ()),
        (JIRA, {"issue": {"id": "OPS-1"}}, ()),
        (JIRA, {"issue": {"id": True}}, ()),
        (JIRA, {"issue": {"id": "1" * 21}}, ()),
        (JIRA, {"issue": {"id": "١٢"}}, ()),
        (JIRA, {"issue": ["id"]}, ()),
        (REDMINE, {"type": "issue.updated", "data": {"issue": {"id": 12}, "journal": {"id": 3}}}, ("12",)),
        (GENERIC, {"ticket": 12}, ("12",)),
        (GENERIC, {"tickets": ["1", 2, "x", None]}, ("1", "2")),
        (GENERIC, {"tickets": list(range(5_000))}, tuple(map(str, range(MOST_TICKETS)))),
    ],
)
def test_a_body_names_tickets_by_number_and_nothing_else(kind, body, tickets):
    assert named(json.dumps(body).encode(), kind) == tickets


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda inner: (
            st.dictionaries(
                st.sampled_from(
                    ["issue", "id", "data", "worklog", "issueId", "issueLink", "ticket", "tickets"]
                ),
                inner,
            )
            | st.lists(inner)
        ),
    )
)
def test_no_body_is_a_surprise(body):
    for kind in (JIRA, REDMINE, GENERIC):
        assert all(one.isdigit() for one in named(json.dumps(body).encode(), kind))


@pytest.mark.parametrize("body", [b"", b"[", b"\xff\xfe", b"[" * 200_000, b'{"issue":' * 100_000, b"NaN"])
def test_a_broken_body_names_nothing(body):
    for kind in (JIRA, REDMINE, GENERIC):
        assert named(body, kind) == ()


def test_a_delivery_is_known_by_its_id_or_for_a_moment_by_its_bytes():
    one = {"x-atlassian-webhook-identifier": "a"}
    assert delivery_id(one, b"x", JIRA, NOW) == delivery_id(one, b"y", JIRA, NOW + 900 * SECOND) == "a"
    assert delivery_id({}, b"x", JIRA, NOW) == delivery_id({}, b"x", JIRA, NOW + SECOND)
    assert delivery_id({}, b"x", JIRA, NOW) != delivery_id({}, b"x", JIRA, NOW + 11 * SECOND)
    assert delivery_id({}, b"x", JIRA, NOW) != delivery_id({}, b"y", JIRA, NOW)
    for odd in ("a" * 10_000, "a\x00", "a\n"):
        assert delivery_id({"webhook-id": odd}, b"x", GENERIC, NOW) == (
            "sha256:" + hashlib.sha256(odd.encode()).hexdigest()
        )


def test_kinds_without_webhooks_of_their_own_speak_the_standard():
    assert hook_kind("jira-cloud") is hook_kind("jira-datacenter") is JIRA
    assert hook_kind("redmine") is REDMINE
    assert hook_kind("somebody-elses") is GENERIC
