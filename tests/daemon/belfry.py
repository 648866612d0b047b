"""A house whose clock is turned by hand, with links that have stored histories, for the tests of the tick."""

from __future__ import annotations

import random
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "sla"))

from sla_making import HOUR, MINUTE, RESOLVED, History, clock, goal, moment, policy

from bridge.config.settings import MailSettings, Pledge, Settings, WebSettings
from bridge.daemon.house import House, Terms
from bridge.daemon.mailer import Mailer
from bridge.daemon.spool import Spool
from bridge.daemon.ticking import Ticked, Ticker
from bridge.sla.calendar import CalendarRule
from bridge.sla.policy import Step
from bridge.sla.serial import policy_to_json, timeline_to_json, version_of
from bridge.store.database import Store
from bridge.store.rows import Alert, Chronicle, Letter, PolicyRow
from bridge.sync.agreement import Agreement, Scope
from bridge.sync.roles import Role
from bridge.sync.ticket import Side

BORN = moment("2026-11-02 09:00")
ALWAYS = CalendarRule("always", "UTC", (((0, 1440),),) * 7)
ANN, BO = "ann@example.com", "bo@acme.example"
ROLES = (
    Role("owner", Side.INTERNAL, mail=(ANN,)),
    Role("manager", Side.VENDOR, mail=(BO,)),
    Role("nobody", Side.INTERNAL),
)


def step(name: str, *tell: str, **more) -> Step:
    """``80%``, or minutes after the breach: ``+120``."""
    share = float(name.rstrip("%")) / 100 if name.endswith("%") else None
    after = None if share is not None else int(name) * MINUTE
    return Step(name, share, after, tell or ("owner",), **more)


LADDER = (step("50%"), step("100%", "owner", "manager"), step("+60", every=HOUR, urgent=True))


class Hand:
    """A clock that is turned by hand."""

    def __init__(self, at: int) -> None:
        self.at = at

    def now(self) -> int:
        return self.at

    def sleep(self, seconds: float) -> None:
        self.at += round(seconds * 1_000_000)


class Belfry:
    """The house, its ticker and its mailer; ``clock`` is an hour's goal unless other rules are given."""

    def __init__(
        self,
        folder: Path,
        *,
        port: int = 9,
        roles=ROLES,
        ladder: Sequence[Step] = LADDER,
        stop=(RESOLVED,),
        **pledge,
    ):
        self.folder, self.clock = folder, Hand(BORN)
        self.rules = policy(
            clock(stop=stop, goals=[goal(HOUR)]), ladder=tuple(ladder), calendars={"always": ALWAYS}
        )
        self.rules = replace(self.rules, version=version_of(self.rules))
        agreement = Agreement(
            "acme",
            Scope("home", "OPS", "Example Corp", "wiki"),
            Scope("acme", "CUST", "Acme", "adf"),
            roles=tuple(roles),
        )
        self.settings = Settings(
            "",
            {},
            (agreement,),
            web=WebSettings("127.0.0.1", 0, "https://bridge.example"),
            mail=MailSettings("localhost", port, "bridge@example.com", tls="none", timeout=20),
            pledges={"acme": Pledge(**pledge)},
        )
        self.links: list[int] = []
        self.open()
        with self.store.write() as tx:
            content = policy_to_json(self.rules)
            tx.policies.add(PolicyRow("acme", self.rules.version, 0, BORN, content))

    def open(self) -> None:
        """Start; a second time after ``kill`` it is another process on the same database."""
        self.store = Store.open(f"sqlite:///{self.folder / 'bridge.db'}")
        self.house = House(
            terms=Terms(self.settings, {}),
            store=self.store,
            clock=self.clock,
            random=random.Random(1),
            spool=Spool(self.folder / "spool", 1_000),
        )
        self.ticker, self.mailer = Ticker(self.house), Mailer(self.house)

    def kill(self) -> None:
        self.store.close()

    def link(self, history: History | None = None) -> int:
        """A link with a history, due now."""
        number = len(self.links) + 1
        with self.store.write() as tx:
            link, _ = tx.links.add("acme", Side.INTERNAL, f"{number}", f"OPS-{number}", f"m{number}", BORN)
            tx.links.set_peer(link.id, Side.VENDOR, f"9{number}", f"CUST-{number}")
            tx.chronicles.touch(link.id, "acme", BORN)
        self.links.append(link.id)
        self.tell(link.id, history or History(BORN, status="Open"))
        return link.id

    def tell(self, link: int, history: History, ended: float | None = None) -> None:
        """What the trackers tell of a link is read now."""
        now = self.clock.now()
        row = Chronicle(
            link,
            "acme",
            self.rules.version,
            BORN,
            read_at=now,
            next_at=now,
            timeline=timeline_to_json(history.timeline(ended, certain_until=now)),
        )
        with self.store.write() as tx:
            tx.chronicles.put(row, None)

    def at(self, minute: float) -> Ticked:
        """One tick, so many minutes after birth."""
        self.clock.at = BORN + round(minute * MINUTE)
        return self.ticker.tick()

    def alerts(self) -> list[Alert]:
        with self.store.read() as tx:
            return tx.alerts.between("acme", 0, 2**62)

    def told(self) -> list[tuple[str, int]]:
        """(step, round) of every alert."""
        return [(one.step, one.round) for one in self.alerts()]

    def letters(self, channel: str = "mail") -> list[Letter]:
        """Oldest first."""
        with self.store.read() as tx:
            return [one for one in reversed(tx.outbox.list()) if one.channel == channel]
