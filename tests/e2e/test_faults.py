"""Trackers that are slow, full, sick, locked or lying: nothing is deleted or doubled, and all goes on by itself."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from contextlib import contextmanager, suppress
from functools import partial

import pytest
from world import FIELDS, eventually, open_world

from bridge.simulator import Fault, SimulatorServer, add_project, make_home, make_site

TROUBLES = {
    "429 with seconds": Fault("throttle", retry_after=1),
    "429 with a date": Fault("throttle", retry_after=2, form="date"),
    "429 and no word": Fault("throttle", form="absent", probability=0.7),
    "429 for half a minute": Fault("throttle", retry_after=6),
    "503 with seconds": Fault("throttle", status=503, retry_after=1),
    "503 and no word": Fault("error", status=503),
    "500": Fault("error", status=500),
    "slow": Fault("slow", delay_ms=700),
    "a login page": Fault("garbage"),
    "half an answer": Fault("truncated"),
    "no answer": Fault("drop"),
    "forbidden": Fault(
        "error", path_regex="/issue/", status=403, body={"errorMessages": ["Not now."], "errors": {}}
    ),
}
"""What all requests of the bridge to one tracker meet for a while."""
TOLD = frozenset({"429 for half a minute", "500", "a login page", "half an answer"})
"""Troubles that always outlast the patience of one request, and so are told."""


def troubles(world, event="tracker_troubled"):
    """How many troubles the log has told so far."""
    return sum(line["event"] == event for line in world.log())


def recovered(world):
    """Whether all of them are over."""
    return troubles(world) == troubles(world, "tracker_recovered")


@pytest.mark.slow
@pytest.mark.timeout(900)  # a dozen troubles, one after the other
@pytest.mark.parametrize("side", ["home", "acme"])
def test_all_goes_on_by_itself_after_every_trouble_and_nothing_is_lost_or_doubled(tmp_path, side):
    with open_world(tmp_path, tracker="read-timeout: 5s") as world:
        server = world.home if side == "home" else world.acme
        ann, bo = world.at_home(), world.at_acme()
        key = ann.create("OPS", "Through it all", labels=["calm"])
        ann.comment(key, "before all")
        world.settle()
        peer = world.peer(key)
        world.restart()
        with world.daemon():
            eventually(lambda: "daemon_started" in {line["event"] for line in world.log()})
            for number, (name, trouble) in enumerate(TROUBLES.items(), 1):
                eventually(partial(recovered, world), 60)
                told = troubles(world)
                trouble.times, trouble.user = None, "bridge"
                server.faults.add(trouble)
                # The troubles come over a bridge that is at work.
                ann.edit(key, summary=f"home in {name}")
                bo.edit(peer, labels=[*bo.field(peer, "labels"), f"acme-{number}"])
                ann.comment(key, f"ann in {name}.")
                bo.comment(peer, f"bo in {name}.")
                # A refusal parks the link, and its next try comes a quarter of a minute later.
                eventually(lambda rule=trouble: rule.fired >= 2, 60)
                time.sleep(0.7)
                if name in TOLD:
                    eventually(lambda before=told: troubles(world) > before, 60)
                assert len(world.home.site.issues) <= number
                assert len(ann.comments(key)) >= 1 + 2 * (number - 1), "nothing is deleted"
                server.faults.clear()
                (bo if number % 2 else ann).create("CUST" if number % 2 else "OPS", f"new after {name}")
                # A link that was refused several times meanwhile waits longer each time.
                eventually(lambda count=number: world.judge() == count + 1, 300)
                assert len(ann.comments(key)) == 1 + 2 * number, name
        events = Counter(line["event"] for line in world.log())
        assert events["tracker_troubled"] == events["tracker_recovered"] >= len(TOLD)
        assert events["link_failed"] == events["feed_failed"] == events["sweep_failed"] == 0


def feed_troubles(world):
    """What 'bridge status' says of each feed."""
    told = json.loads(world.bridge("status", "--json").stdout)
    return [feed["trouble"] for one in told["agreements"] for feed in one["feeds"].values()]


@pytest.mark.parametrize("means", ["anonymous", "refuse"])
@pytest.mark.parametrize("side", ["home", "acme"])
def test_a_login_that_expires_in_mid_run_deletes_nothing_and_comes_back(world, side, means):
    server = world.home if side == "home" else world.acme
    server.site.expired_means = means
    ann, bo = world.at_home(), world.at_acme()
    key = ann.create("OPS", "Stays")
    ann.comment(key, "stays too")
    world.settle()
    peer = world.peer(key)
    world.restart()
    with world.daemon():
        eventually(lambda: "daemon_started" in {line["event"] for line in world.log()})
        server.site.expire_logins("bridge")
        ann.edit(key, summary="Changed at home")
        bo.edit(peer, duedate="2027-07-07")
        eventually(lambda: [line for line in world.log() if line.get("kind") == "Unauthorised"])
        eventually(lambda: any(feed_troubles(world)))  # 'bridge status' says so
        time.sleep(2)
        assert len(ann.comments(key)) == len(bo.comments(peer)) == 1
        server.site.expire_logins("bridge", expired=False)
        eventually(lambda: world.judge() == 1 and bo.field(peer, "summary") == "Changed at home", 90)
        eventually(lambda: ann.field(key, "duedate") == "2027-07-07")
    assert [line for line in world.log() if line["event"] == "tracker_recovered"]


# --- a sick vendor is no other vendor's trouble --------------------------------------------------------------------


@contextmanager
def two_vendors(folder, **config):
    """The usual world, and a second agreement with a vendor 'beta', for the internal project NET."""
    home = make_home()
    add_project(home, "NET")
    beta_site = make_site("cloud", "beta", project="BETA")
    with SimulatorServer(beta_site) as beta, open_world(folder, home, **config) as world:
        text = (folder / "bridge.yaml").read_text()
        line = next(one for one in text.splitlines() if one.startswith("  acme:"))
        another = (
            line.replace("acme:", "beta:").replace("acme.example", "beta.example").replace("acme_", "beta_")
        )
        another = another.replace(world.acme.url, beta.url)
        (folder / "bridge.yaml").write_text(text.replace(line, f"{line}\n{another}"))
        (folder / "agreements" / "beta.yaml").write_text(f"""
name: beta
internal: {{tracker: home, project: NET, company: Example Corp}}
vendor: {{tracker: beta, project: BETA, company: Beta}}
fields:{FIELDS}
""")
        world.environ["BRIDGE_SECRET_BETA_TOKEN"] = "bridge-token"
        yield world, beta


def goes_on(world, beta, word):
    """A ticket for the healthy vendor arrives there; returns the seconds that it took."""
    started = time.monotonic()
    world.at_home().create("NET", word)
    eventually(lambda: word in {one.values["summary"] for one in beta.site.issues.values()}, 40)
    return time.monotonic() - started


def test_a_long_retry_after_is_honoured_in_full_and_stops_no_other_agreement(tmp_path):
    with two_vendors(tmp_path) as (world, beta), world.daemon():
        goes_on(world, beta, "both well")
        rule = world.acme.faults.add(Fault("throttle", times=None, user="bridge", retry_after=3600))
        world.at_home().create("OPS", "waits")
        eventually(lambda: rule.fired)
        time.sleep(1)
        world.acme.faults.clear()
        asked = world.acme.calls.last
        assert goes_on(world, beta, "goes on") < 30
        assert goes_on(world, beta, "goes on and on") < 30
        assert world.acme.calls.last == asked, "an hour is an hour"
        (link,) = [link for link in world.links() if link.agreement == "acme"]
        assert link.due_at / 1e6 - time.time() > 3000
        troubled = [line for line in world.log() if line["event"] == "tracker_troubled"]
        assert {line["tracker"] for line in troubled} == {"acme"}


def test_a_feed_that_was_throttled_goes_on_as_soon_as_the_tracker_answers_others(tmp_path):
    with two_vendors(tmp_path) as (world, beta), world.daemon():
        goes_on(world, beta, "both well")

        def searches(project):
            return [
                call.seq
                for call in world.home.calls.matching("POST", "/search$")
                if project in str(call.json)
            ]

        # No word of how long: half a minute is assumed. The feed of the other agreement is answered all the while.
        rule = world.home.faults.add(
            Fault("throttle", "POST", "/search", "OPS", times=4, user="bridge", form="absent")
        )
        eventually(lambda: rule.fired == 4, 60)
        before = searches("OPS")[-1]
        after = eventually(lambda: [one for one in searches("OPS") if one > before], 60)[0]
        between = [one for one in searches("NET") if before < one < after]
        assert len(between) < 15, "one poll a second"


def test_a_vendor_whose_tracker_is_down_stops_no_other_agreement(tmp_path):
    with two_vendors(tmp_path) as (world, beta), world.daemon():
        goes_on(world, beta, "both well")
        port = int(world.acme.url.rsplit(":", 1)[1])
        world.acme.stop()
        world.acme._server = None  # so that the world does not stop it once more
        for number in range(30):
            world.at_home().create("OPS", f"waits {number}")
        assert goes_on(world, beta, "goes on") < 30
        time.sleep(3)
        assert goes_on(world, beta, "goes on and on") < 30
        with SimulatorServer(world.acme.simulator, port=port):
            eventually(lambda: len(world.acme.site.issues) == 30, 90)


def test_a_vendor_whose_tracker_hangs_stops_no_other_agreement(tmp_path):
    with two_vendors(tmp_path, top="threads: 4", tracker="read-timeout: 8s") as (world, beta), world.daemon():
        goes_on(world, beta, "both well")
        world.acme.faults.add(Fault("slow", times=None, user="bridge", when="before", delay_ms=60_000))
        for number in range(30):
            world.at_home().create("OPS", f"waits {number}")
        time.sleep(1.5)
        assert goes_on(world, beta, "goes on") < 6
        assert goes_on(world, beta, "goes on and on") < 6


def started(world, times):
    """Whether the daemon has started so often."""
    return sum(line["event"] == "daemon_started" for line in world.log()) >= times


# --- random deaths -------------------------------------------------------------------------------------------------


@pytest.mark.slow
@pytest.mark.parametrize("seed", [7])
def test_a_bridge_that_is_killed_again_and_again_under_load_loses_and_doubles_nothing(tmp_path, seed):
    dice = random.Random(seed)
    # Dozens of tickets are changed within seconds here.
    with open_world(tmp_path, lag="2s", tracker="read-timeout: 2s", more="brakes: {share: off}") as world:
        world.home.site.set_lag(1200)
        world.acme.site.set_lag(1200)
        for server in (world.home, world.acme):
            # Answers take their time, so that deaths fall between requests and answers.
            server.faults.add(Fault("slow", "POST", times=None, user="bridge", delay_ms=120))
        sides = {"OPS": world.at_home(), "CUST": world.at_acme()}
        made = {"OPS": [], "CUST": []}
        said = 0
        for life in range(1, 7):
            with world.daemon() as daemon:
                eventually(partial(started, world, life), 60)
                deadline = time.monotonic() + dice.uniform(1, 3.5)
                while time.monotonic() < deadline:
                    project = dice.choice(list(sides))
                    person, keys = sides[project], made[project]
                    what = dice.random()
                    if what < 0.25 or not keys:
                        keys.append(person.create(project, f"made {len(keys)} in {project}"))
                    elif what < 0.5:
                        said += 1
                        person.comment(dice.choice(keys), f"said no {said}.")
                    elif what < 0.75:
                        person.edit(dice.choice(keys), summary=f"edited {dice.random():.9f}")
                    elif what < 0.9:
                        person.edit(dice.choice(keys), duedate=f"2027-01-{dice.randint(10, 28)}")
                    else:
                        with suppress(StopIteration):
                            person.move(dice.choice(keys), "In Progress")
                    time.sleep(dice.uniform(0, 0.12))
                daemon.kill()
                daemon.wait()
        for server in (world.home, world.acme):
            server.faults.clear()
            server.site.set_lag(0)
            server.site.settle()
        with world.daemon():
            eventually(lambda: world.judge() == len(made["OPS"]) + len(made["CUST"]), 60, every=0.5)
            eventually(lambda: all(link.due_at is None for link in world.links()), 90)
        assert world.judge() == len(made["OPS"]) + len(made["CUST"])
        assert sum(len(left.comments) for left, _ in world.twins()) == said
        events = Counter(line["event"] for line in world.log())
        assert events["daemon_started"] == 7
        assert events["duplicates_found"] == events["stray_mirror"] == events["link_failed"] == 0


# --- what is written down about it ---------------------------------------------------------------------------------


def test_no_word_of_a_ticket_and_no_token_is_in_the_log_or_in_what_status_and_check_print(tmp_path):
    words = {
        name: f"canary{name}{random.Random(name).getrandbits(40):x}"
        for name in ("summary", "text", "said", "private")
    }
    with open_world(tmp_path) as world:
        for server, name in ((world.home, "home"), (world.acme, "acme")):
            token = f"token{name}{random.Random(name).getrandbits(60):x}"
            words[name] = token
            server.site.tokens[token] = server.site.tokens["bridge-token"]
            world.environ[f"BRIDGE_SECRET_{name.upper()}_TOKEN"] = token
        ann, bo = world.at_home(), world.at_acme()
        with world.daemon(BRIDGE_LOG_LEVEL="debug"):
            key = ann.create("OPS", words["summary"], description=words["text"])
            ann.comment(key, words["said"])
            ann.comment(key, words["private"], visibility={"type": "role", "value": "Developers"})
            eventually(lambda: world.acme.site.issues)
            (peer,) = [one.key for one in world.acme.site.issues.values()]
            eventually(lambda: bo.comments(peer))
            # Conflicts, refusals, lost answers, garbage, and a bug of ours: an answer that nobody foresaw.
            refused = {"errorMessages": ["Refused."], "errors": {"description": "Refused."}}
            world.acme.faults.add(Fault("error", "PUT", "/issue/", user="bridge", status=400, body=refused))
            world.acme.faults.add(Fault("apply-then-drop", "POST", "/comment", user="bridge"))
            world.home.faults.add(Fault("garbage", "POST", "/search"))
            ann.edit(key, summary=words["summary"] + " ours", description=words["text"] + " ours")
            bo.edit(
                peer, summary=words["summary"] + " theirs", description=bo.text(words["text"] + " theirs")
            )
            ann.comment(key, words["said"] + " again")
            eventually(lambda: len(bo.comments(peer)) == 2)
            senseless = {"transitions": [{"name": "a step without an id"}]}
            bug = world.acme.faults.add(
                Fault("error", "GET", "/transitions", user="bridge", status=200, body=senseless)
            )
            ann.move(key, "In Progress")
            eventually(lambda: bug.fired and [line for line in world.log() if line["event"] == "link_failed"])
            printed = [
                world.bridge(*command) for command in (["status"], ["status", "--json"], ["check"], ["plan"])
            ]
            told = world.bridge("explain", key)
        outputs = [
            (world.folder / "daemon.log").read_text(),
            *(text for done in printed for text in (done.stdout, done.stderr)),
        ]
        for name, word in words.items():
            for output in outputs[:-2]:
                assert word not in output, (name, output[max(0, output.find(word) - 300) :][:400])
            assert word not in outputs[-2] or name == "summary", "a plan may show a short field"
        for name in ("said", "private", "home", "acme"):
            assert words[name] not in told.stdout + told.stderr
