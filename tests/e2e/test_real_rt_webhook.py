"""The scrip that we print, in a real Request Tracker: what it posts proves itself and names the ticket."""

from __future__ import annotations

import json
import os
import queue
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
import requests
import rt_server

from bridge.clock import SECOND
from bridge.trackers.hook_steps import RT_SCRIP
from bridge.trackers.hooks import GENERIC, named

SECRET = "what the scrip signs with"
MAKE = """
use lib '/usr/share/request-tracker5/lib';
require RT;
RT->LoadConfig;
RT->Init;
require RT::Scrip;
local $/;
my ( $made, $message ) = RT::Scrip->new( RT->SystemUser )->Create(
    Description => 'bridge', Queue => 0, ScripCondition => 'On Transaction', ScripAction => 'User Defined',
    Template => 'Blank', Stage => 'TransactionBatch', CustomPrepareCode => 'return 1;', CustomCommitCode => <STDIN>,
);
die $message unless $made;
"""


@pytest.fixture
def ear():
    """Where the scrip posts to; what it posted."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            heard.put(({name.lower(): value for name, value in self.headers.items()}, body))
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    heard = queue.Queue()
    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/hooks/support", heard
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def instance(tmp_path, ear):
    """A Request Tracker of our own: its configuration holds the secret, its database the scrip."""
    if not (rt_server.PACKAGE.is_dir() and os.access(rt_server.TEMPLATE, os.R_OK)):
        pytest.skip("Request Tracker is not installed: run tests/real/rt.sh install as root")
    folder = tmp_path / "rt"
    (folder / "conf.d").mkdir(parents=True)
    (folder / "conf.d" / "bridge.pm").write_text(f"Set($BridgeHookSecret, '{SECRET}');\n1;\n")
    started = subprocess.run(
        [rt_server.SCRIPT, "start", folder], capture_output=True, text=True, timeout=250, check=True
    )
    try:
        environ = {
            **os.environ,
            "RT_DIR": str(folder),
            "RT_PORT": (folder / "port").read_text(),
            "RT_SITE_CONFIG": str(rt_server.SCRIPT.with_name("rt_site_config.pm")),
            "RT_SITE_CONFIG_DIR": str(folder / "conf.d"),
        }
        scrip = RT_SCRIP.replace("URL", ear[0])
        subprocess.run(["perl", "-e", MAKE], input=scrip, env=environ, text=True, timeout=120, check=True)
        yield started.stdout.strip(), json.loads((folder / "seed.json").read_text())["tokens"]
    finally:
        subprocess.run([rt_server.SCRIPT, "stop", folder], timeout=60, check=True)


@pytest.mark.real
def test_what_the_scrip_posts_proves_itself_and_names_the_ticket(instance, ear):
    url, tokens = instance
    heard = ear[1]

    def call(method, path, body):
        answer = requests.request(
            method,
            f"{url}/REST/2.0{path}",
            json=body,
            timeout=60,
            headers={"Authorization": f"token {tokens['alice']}"},
        )
        assert answer.ok, answer.text
        return answer.json()

    def hint():
        headers, body = heard.get(timeout=60)
        now = time.time_ns() // 1000
        assert GENERIC.verify(headers, body, [SECRET], now) == ""
        assert GENERIC.verify(headers, body, ["another secret"], now) == "signature"
        assert GENERIC.verify(headers, body, [SECRET], now + 400 * SECOND) == "stale"
        return GENERIC.delivery(headers), named(body, GENERIC)

    ticket = str(
        call("POST", "/ticket", {"Queue": "ci", "Subject": "One", "ContentType": "text/plain"})["id"]
    )
    deliveries = set()
    for change in (
        None,
        lambda: call("PUT", f"/ticket/{ticket}", {"Subject": "Two"}),
        lambda: call("POST", f"/ticket/{ticket}/comment", {"Content": "A word", "ContentType": "text/plain"}),
    ):
        if change is not None:
            change()
        delivery, tickets = hint()
        assert tickets == (ticket,)
        deliveries.add(delivery)
        while not heard.empty():  # a change may be several transactions
            deliveries.add(hint()[0])
    assert len(deliveries) >= 3, "each has an id of its own"
