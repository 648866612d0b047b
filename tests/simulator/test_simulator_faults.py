"""Faults on demand, the call log, the control interface, and what every answer carries."""

from __future__ import annotations

import time
from email.utils import parsedate_to_datetime

import pytest
import requests
from simulator_people import NOON, Person

from bridge.simulator import Fault, Request, Simulator, SimulatorServer, make_acme, make_home


def test_apply_then_drop_did_it(ann, home):
    fault = home.faults.add(Fault("apply-then-drop", "POST", r"/issue$"))
    with pytest.raises(requests.ConnectionError):
        ann.create()
    assert (len(home.site.issues), fault.fired) == (1, 1)
    assert home.calls.since()[-1].status == 0
    ann.create()
    assert len(home.site.issues) == 2


def test_drop_did_not(ann, home):
    home.faults.add(Fault("drop", "POST"))
    with pytest.raises(requests.ConnectionError):
        ann.create()
    assert home.site.issues == {}


def test_apply_then_500_did_it(ann, home):
    home.faults.add(Fault("apply-then-500", "POST", times=2))
    for _ in range(2):
        ann.post(
            "/issue",
            {"fields": {"project": {"key": "OPS"}, "issuetype": {"name": "Bug"}, "summary": "s"}},
            500,
        )
    assert len(home.site.issues) == 2


def test_an_error_can_hit_one_content_for_ever(ann, home):
    text = {"errorMessages": ["No."], "errors": {}}
    home.faults.add(
        Fault("error", "POST", r"/issue$", times=None, status=422, body=text, body_regex="poison")
    )
    for _ in range(3):
        body = {"fields": {"project": {"key": "OPS"}, "issuetype": {"name": "Bug"}, "summary": "poison"}}
        assert ann.post("/issue", body, 422) == text
    ann.create("fine")
    assert home.faults.report()[0]["fired"] == 3


@pytest.mark.parametrize(
    ("status", "form"), [(429, "seconds"), (503, "seconds"), (429, "date"), (503, "absent")]
)
def test_throttling_tells_when_to_return(ann, home, status, form):
    home.faults.add(Fault("throttle", status=status, form=form, retry_after=30))
    answer = ann.session.get(f"{ann.root}/myself", timeout=10)
    assert answer.status_code == status
    told = answer.headers.get("Retry-After")
    if form == "seconds":
        assert told == "30"
    elif form == "date":
        assert parsedate_to_datetime(told).timestamp() == NOON // 1000 + 30
    else:
        assert told is None


def test_slow_before_and_after(ann, home):
    home.faults.add(Fault("slow", "POST", delay_ms=150, when="after"))
    home.faults.add(Fault("slow", "POST", delay_ms=50, when="before"))
    began = time.monotonic()
    ann.create()
    assert time.monotonic() - began >= 0.2
    home.faults.add(Fault("slow", "POST", delay_ms=400))
    with pytest.raises(requests.ReadTimeout):
        ann.session.post(f"{ann.root}/issue", json={}, timeout=0.1)


def test_garbage_truncated_and_expired(ann, home):
    key = ann.create()
    home.faults.add(Fault("garbage"))
    answer = ann.get(f"/issue/{key}")
    assert "Log in" in answer.text
    home.faults.add(Fault("truncated"))
    with pytest.raises(requests.exceptions.JSONDecodeError):
        ann.get(f"/issue/{key}")
    home.faults.add(Fault("expired"))
    assert ann.search("project = OPS")["issues"] == []
    assert ann.keys("project = OPS") == [key]


def test_chance_is_seeded_and_after_lets_some_pass():
    def hits(seed):
        simulator = Simulator(make_home(), seed=seed)
        simulator.faults.add(Fault("error", times=None, probability=0.5, after=2))
        request = Request("GET", "/rest/api/2/serverInfo")
        return [simulator.handle(request).status for _ in range(20)]

    assert hits(1) == hits(1)
    assert hits(1) != hits(2)
    assert hits(1)[:2] == [200, 200]
    assert set(hits(1)) == {200, 500}


def test_a_rule_that_cannot_work_is_refused():
    with pytest.raises(ValueError, match="unknown fault"):
        Fault("explode")
    with pytest.raises(ValueError, match="form is"):
        Fault("throttle", form="fax")


def test_faults_can_pick_a_person_and_a_query(ann, home):
    home.faults.add(Fault("error", user="bridge", times=None))
    ann.get("/myself")
    Person(home, "bridge").get("/myself", expect=500)
    home.faults.add(Fault("error", path_regex="startAt=50", status=502))
    ann.get("/search", jql="project = OPS", startAt=0)
    ann.get("/search", expect=502, jql="project = OPS", startAt=50)


def test_the_call_log_tells_everything(ann, home):
    key = ann.create("logged")
    seen = home.calls.last
    ann.get(f"/issue/{key}")
    ann.search("project = OPS")
    ann.get("/priority")
    rows = home.calls.since(seen)
    assert [(one.method, one.endpoint, one.kind, one.status, one.user) for one in rows] == [
        ("GET", "/issue/{issue}", "read", 200, "ann"),
        ("POST", "/search", "search", 200, "ann"),
        ("GET", "/priority", "meta", 200, "ann"),
    ]
    assert home.calls.matching("POST", r"/issue$")[0].json["fields"]["summary"] == "logged"
    assert home.calls.counts() == {"write": 1, "read": 1, "search": 1, "meta": 1}


def test_unsupported_calls_are_loud(ann, home):
    answer = ann.session.get(f"{home.url}/rest/agile/1.0/board", timeout=10)
    assert answer.status_code == 501
    assert "GET /rest/agile/1.0/board" in answer.json()["errorMessages"][0]
    ann.get("/issue/OPS-1/votes", expect=501)
    assert home.site.unsupported == ["GET /rest/agile/1.0/board", "GET /rest/api/2/issue/OPS-1/votes"]


def test_unknown_pages_headers_and_bad_json(acme, bo, ann):
    answer = requests.get(f"{acme.url}/nothing", timeout=10)
    assert (answer.status_code, answer.headers["content-type"]) == (404, "application/problem+json")
    assert answer.json()["detail"] == "No endpoint GET /nothing."
    answer = bo.session.post(f"{bo.root}/issue", data=b"{", timeout=10)
    assert answer.status_code == 400
    assert list(answer.json()) == ["errorMessages"]
    assert answer.headers["Server"] == "AtlassianEdge"
    assert all(answer.headers[name] for name in ("Atl-Traceid", "X-Arequestid"))
    assert ann.session.get(f"{ann.root}/myself", timeout=10).headers["X-AUSERNAME"] == "ann"


def test_the_gateway_takes_bearer_tokens(acme):
    cloud_id = requests.get(f"{acme.url}/_edge/tenant_info", timeout=10).json()["cloudId"]
    bearer = {"Authorization": "Bearer bo-token"}
    through = f"{acme.url}/ex/jira/{cloud_id}/rest/api/3/myself"
    assert requests.get(through, headers=bearer, timeout=10).status_code == 200
    assert requests.get(f"{acme.url}/rest/api/3/myself", headers=bearer, timeout=10).status_code == 401
    scoped = ("bridge@acme.example", "bridge-scoped")
    assert requests.get(through, auth=scoped, timeout=10).status_code == 200
    assert requests.get(f"{acme.url}/rest/api/3/myself", auth=scoped, timeout=10).status_code == 401
    assert requests.get(through.replace(cloud_id, "other"), headers=bearer, timeout=10).status_code == 501


def test_basic_login_on_data_center_and_wrong_ones(home):
    url = f"{home.url}/rest/api/2/myself"
    assert requests.get(url, auth=("ann", "ann-token"), timeout=10).json()["name"] == "ann"
    assert requests.get(url, auth=("ivan", "ann-token"), timeout=10).status_code == 401
    assert requests.get(url, headers={"Authorization": "Basic ?"}, timeout=10).status_code == 401
    assert requests.get(url, timeout=10).status_code == 401


def test_a_context_path(clock):
    with SimulatorServer(make_home(clock, context_path="/jira")) as server:
        person = Person(server, "ann")
        assert server.url.endswith("/jira")
        assert person.get("/serverInfo")["baseUrl"] == server.url
        assert requests.get(server.url.removesuffix("/jira") + "/x", timeout=10).status_code == 404


def test_the_control_interface(acme, bo):
    key = bo.create()

    def sim(method, path, body=None):
        answer = requests.request(method, f"{acme.url}/_sim/{path}", json=body, timeout=10)
        return answer.json() | {"http": answer.status_code}

    assert sim("GET", "health")["issues"] == 1
    assert sim("GET", "calls?since=0")["calls"][0]["endpoint"] == "/issue"
    assert sim("GET", "issues")["issues"][0]["key"] == key
    (rule,) = sim("POST", "faults", {"kind": "error", "status": 502, "times": None})["faults"]
    bo.get("/myself", expect=502)
    assert sim("GET", "faults")["faults"][0]["fired"] == 1
    assert sim("DELETE", "faults")["faults"][0]["id"] == rule["id"]
    bo.get("/myself")
    assert sim("POST", "faults", {"kind": "error", "nonsense": 1})["http"] == 400
    sim("POST", "lag", {"ms": 60_000})
    bo.put(f"/issue/{key}", {"fields": {"labels": ["x"]}}, 204)
    assert bo.keys("labels = x") == []
    sim("POST", "settle")
    assert bo.keys("labels = x") == [key]
    sim("POST", "login", {"expired": True, "user": "bo"})
    bo.get("/myself", expect=401)
    sim("POST", "login", {"expired": False})
    sim("POST", "permission", {"user": "bo", "permission": "ADD_COMMENTS", "granted": False})
    assert not acme.site.may(acme.site.person("bo"), "ADD_COMMENTS", "CUST")
    assert sim("POST", "permission", {"user": "nobody", "permission": "X", "granted": True})["http"] == 400
    assert sim("POST", "move", {"issue": key, "project": "CUST", "by": "bo"})["key"] == "CUST-2"
    assert sim("GET", "unsupported")["unsupported"] == []
    assert sim("GET", "nonsense")["http"] == 404
    assert sim("PUT", "faults")["http"] == 404
    assert [one.path for one in acme.calls.since() if "_sim" in one.path] == []


def test_a_page_that_never_ends_is_an_error_rule_with_200(bo, acme):
    body = {"issues": [], "nextPageToken": "again"}
    acme.faults.add(Fault("error", path_regex="/search/jql", status=200, body=body, times=2))
    assert bo.search("project = CUST") == body
    assert bo.search("project = CUST", nextPageToken="again") == body


def test_a_site_restored_from_a_backup_forgets_and_reuses(someone, either):
    first = someone.create("kept")
    backup = either.site.backup()
    someone.put(f"/issue/{first}", {"fields": {"summary": "lost"}}, 204)
    second = someone.create("vanishes")
    number = either.site.issue(second).id
    either.site.restore_backup(backup)
    assert someone.get(f"/issue/{first}")["fields"]["summary"] == "kept"
    someone.get(f"/issue/{second}", expect=404)
    assert someone.create("another") == second
    assert either.site.issue(second).id == number
    either.site.restore_backup(backup)
    assert len(either.site.issues) == 1


def test_only_loopback_and_known_flavours():
    with pytest.raises(ValueError, match="loopback"):
        SimulatorServer(make_acme(), host="0.0.0.0")
    with pytest.raises(ValueError, match="flavour"):
        make_acme().__class__("server")
