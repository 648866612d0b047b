"""Attached files of the simulated Jira: uploads, listings, bytes, deletions, and bodies that go wrong."""

from __future__ import annotations

import zlib

import pytest
import requests
from simulator_people import Person

from bridge.simulator import Fault, SimulatorServer, make_acme


def upload(person, key, name="notes.txt", content=b"words", expect=200, **headers):
    given = {"X-Atlassian-Token": "no-check", **headers}
    answer = person.session.post(
        f"{person.root}/issue/{key}/attachments",
        files={"file": (name, content, "text/plain")},
        headers=given,
        timeout=30,
    )
    assert answer.status_code == expect, answer.text
    return answer.json()


def test_an_uploaded_file_is_listed_with_the_issue(someone, either):
    key = someone.create()
    before = either.site.issue(key).updated
    (made,) = upload(someone, key, "bréve.txt", b"words\r\n--and more")
    upload(someone, key, "bréve.txt", b"")
    issue = someone.get(f"/issue/{key}", fields="attachment", expand="changelog")
    first, second = issue["fields"]["attachment"]
    assert (first["id"], first["filename"], first["size"]) == (made["id"], "bréve.txt", 17)
    assert (second["filename"], second["size"]) == ("bréve.txt", 0)
    assert either.site.blobs[made["id"]].read() == b"words\r\n--and more"
    assert either.site.issue(key).updated >= before
    assert issue["changelog"]["histories"][0]["items"][0]["field"] == "Attachment"


def test_an_upload_without_the_header_or_beyond_the_limit_is_refused(someone, either):
    key = someone.create()
    upload(someone, key, expect=403, **{"X-Atlassian-Token": ""})
    either.site.attachment_limit = 4
    upload(someone, key, expect=413)
    either.site.revoke("bo" if either.site.cloud else "ann", "CREATE_ATTACHMENTS")
    upload(someone, key, content=b"ok", expect=403)
    assert either.site.issue(key).attachments == []


def test_a_large_file_lies_on_the_disk(someone, either):
    key = someone.create()
    content = b"0123456789abcdef" * 200_000
    (made,) = upload(someone, key, "big.bin", content)
    assert either.site.blobs[made["id"]].path is not None
    assert either.site.blobs[made["id"]].read() == content


def test_cloud_sends_whoever_asks_for_bytes_to_the_media_host():
    with SimulatorServer(make_acme(), media_port=True) as server:
        bo = Person(server, "bo")
        (made,) = upload(bo, bo.create())
        where = f"{bo.root}/attachment/content/{made['id']}"
        answer = bo.session.get(where, allow_redirects=False, timeout=10)
        assert answer.status_code == 303
        target = answer.headers["location"]
        assert target.startswith(server.site.media_url)
        assert not target.startswith(server.url)
        assert requests.get(target, timeout=10).content == b"words"
        assert server.site.misdirected_logins == 0
        assert bo.session.get(target, timeout=10).ok
        assert server.site.misdirected_logins == 1
        assert bo.session.get(where, params={"redirect": "false"}, timeout=10).content == b"words"


def test_data_center_serves_a_file_to_those_who_are_logged_in(ann):
    (made,) = upload(ann, ann.create(), "a b.txt")
    assert ann.session.get(made["content"], timeout=10).content == b"words"
    assert "a%20b.txt" in made["content"]
    stranger = requests.get(made["content"], allow_redirects=False, timeout=10)
    assert stranger.status_code == 302
    assert "login" in stranger.headers["location"]


def test_a_file_is_deleted_by_who_may(someone, either):
    key = someone.create()
    (made,) = upload(someone, key)
    other = Person(either, "cy" if either.site.cloud else "ivan")
    other.delete(f"/attachment/{made['id']}", 403)
    someone.delete(f"/attachment/{made['id']}", 204)
    someone.delete(f"/attachment/{made['id']}", 404)
    assert someone.get(f"/issue/{key}", fields="attachment")["fields"]["attachment"] == []


def test_bodies_go_wrong_on_demand(ann, home):
    (made,) = upload(ann, ann.create())
    home.faults.add(Fault("cut", "GET", "/secure/"))
    with pytest.raises(requests.RequestException):
        ann.session.get(made["content"], timeout=10)
    home.faults.add(Fault("endless", "GET", "/secure/"))
    with ann.session.get(made["content"], stream=True, timeout=10) as answer:
        assert sum(len(answer.raw.read(65_536)) for _ in range(40)) > 2_000_000
    home.faults.add(Fault("bomb", "GET", "/secure/"))
    with ann.session.get(made["content"], stream=True, timeout=30) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        press = zlib.decompressobj(wbits=31)
        portion = answer.raw.read(65_536, decode_content=False)
        assert len(press.decompress(portion)) > 500 * len(portion)
