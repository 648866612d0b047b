"""The mail server in bridge.yaml: what is taken, and what is refused with its cure."""

# ruff: noqa: E501 - a case is a row of a table

from __future__ import annotations

import pytest

from bridge.config.words import is_mail_address

LOCAL = 'mail: {server: "smtp://localhost:25", from: bridge@example.com}\n'
REMOTE = (
    'mail: {server: "smtp://mail.example.com:587", from: bridge@example.com, user: bridge, '
    "password: {secret: mail_password}}\n"
)
ENVIRON = {
    f"BRIDGE_SECRET_{name}": "hunter2hunter2"
    for name in ("HOME_TOKEN", "ACME_TOKEN", "SHOP_KEY", "MAIL_PASSWORD")
}


def write(folder, mail):
    folder.replace(folder.bridge, "threads: 64\n", f"threads: 64\n{mail}")


def test_without_a_word_nobody_is_told(folder):
    assert folder.load().mail is None


def test_a_server_on_this_machine_needs_no_tls(folder):
    write(folder, LOCAL)
    mail = folder.load().mail
    assert (mail.host, mail.port, mail.wrapped, mail.tls) == ("localhost", 25, False, "none")
    assert (mail.sender, mail.reply_to, mail.user, mail.timeout) == ("bridge@example.com", "", "", 60.0)


def test_elsewhere_tls_is_required_and_the_password_comes_from_the_vault(folder):
    write(folder, REMOTE)
    mail = folder.load(secrets=True, environ=ENVIRON).mail
    assert (mail.host, mail.port, mail.tls, mail.user) == ("mail.example.com", 587, "required", "bridge")
    assert mail.password.get_secret_value() == "hunter2hunter2"
    assert "hunter2" not in repr(mail)


@pytest.mark.parametrize(
    ("server", "port", "wrapped"),
    [("smtp://mail.example.com", 25, False), ("smtps://mail.example.com", 465, True), ("smtps://[2001:db8::1]:1465", 1465, True)],
)  # fmt: skip
def test_the_port_goes_by_the_scheme(folder, server, port, wrapped):
    write(folder, LOCAL.replace("smtp://localhost:25", server))
    mail = folder.load().mail
    assert (mail.port, mail.wrapped) == (port, wrapped)


BAD_SERVER = "is not the address of a mail server"


@pytest.mark.parametrize(
    "case",
    [
        (LOCAL, "smtp://localhost:25", "localhost:25", "mail.server", BAD_SERVER, "smtp://localhost:25"),
        (LOCAL, "smtp://localhost:25", "http://localhost", "mail.server", BAD_SERVER, "smtp://"),
        (LOCAL, "localhost:25", "localhost:port", "mail.server", BAD_SERVER, "smtp://"),
        (LOCAL, "localhost:25", "localhost:0", "mail.server", BAD_SERVER, "smtp://"),
        (LOCAL, "localhost:25", "localhost/queue", "mail.server", BAD_SERVER, "smtp://"),
        (LOCAL, "localhost:25", "local host", "mail.server", BAD_SERVER, "smtp://"),
        (LOCAL, "localhost:25", "me:hunter2@localhost", "mail.server", "holds a login", "{secret: ...}"),
        (LOCAL, "bridge@example.com", "Bridge <bridge@example.com>", "mail.from", "not a mail address", "without a name"),
        (LOCAL, "bridge@example.com", "bridge", "mail.from", "not a mail address", "bridge@example.com"),
        (LOCAL, ", from: bridge@example.com", "", "mail", "'from' is missing", "add 'from: ...'"),
        (LOCAL, 'server: "smtp://localhost:25", ', "", "mail", "'server' is missing", "add 'server: ...'"),
        (LOCAL, "from:", "reply-to: nobody, from:", "mail.reply-to", "not a mail address", "bridge@example.com"),
        (LOCAL, "from:", "form:", "mail.form", "not a key here", "'from'"),
        (LOCAL, "from:", "password: {secret: p}, from:", "mail.password", "no 'user'", "add 'user"),
        (LOCAL, "from:", "user: me, from:", "mail.user", "no 'password'", "{secret: mail_password}"),
        (LOCAL, "from:", "tls: maybe, from:", "mail.tls", "'maybe' is not possible here", "one of"),
        (LOCAL, "from:", "ca: ca.pem, from:", "mail.ca", "without TLS", "tls: required"),
        (LOCAL, "from:", "timeout: 30, from:", "mail.timeout", "has no unit", "30s"),
        (REMOTE, "from:", "tls: none, from:", "mail.tls", "in clear", "tls: required"),
        (REMOTE, "from:", "tls: opportunistic, from:", "mail.tls", "password sent in clear", "tls: required"),
        (REMOTE, "{secret: mail_password}", "hunter2", "mail.password", "must not stand in the file", "{secret: some_name}"),
        (REMOTE.replace("smtp:", "smtps:"), "from:", "tls: required, from:", "mail.tls", "from the first byte", "remove it"),
    ],
)  # fmt: skip
def test_a_mistake_is_told_once_with_its_cure(folder, case):
    text, old, new, path, message, fix = case
    assert old in text
    write(folder, text.replace(old, new))
    (problem,) = folder.problems()
    assert problem.path == path
    assert message in problem.message
    assert fix in problem.fix
    assert "hunter2" not in str(problem)


def test_a_missing_password_and_a_missing_file_of_certificates_are_told(folder):
    write(folder, REMOTE.replace("from:", "ca: ca.pem, from:"))
    few = {name: value for name, value in ENVIRON.items() if "MAIL" not in name}
    assert sorted(problem.path for problem in folder.problems(secrets=True, environ=few)) == [
        "mail.ca",
        "mail.password.secret",
    ]


@pytest.mark.parametrize(
    "text", ["a@b", "ann.b+c@mail.example.com", "o'neil@example.com", "x@" + "a" * 63 + ".com"]
)
def test_addresses(text):
    assert is_mail_address(text)


@pytest.mark.parametrize(
    "text",
    ["", "@", "a@", "@b", "a b@c", "a@b c", "a@b\r\nBcc: x@y", "a@b\n", "a..b@c", ".a@c", "a@c.", "a@-c", '"a b"@c',
     "ann@exämple.com", "a,b@c", "<a@b>", "a@b>,<c@d", "a@" + "a" * 64 + ".com", "a" * 65 + "@b", "a@b@c d"],
)  # fmt: skip
def test_no_addresses(text):
    assert not is_mail_address(text)
