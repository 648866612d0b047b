"""Secrets: where they are looked for, and that they are seen nowhere else."""

from __future__ import annotations

import os
import pprint
import traceback

import pytest

from bridge.config import load
from bridge.errors import ConfigError

HOME, ACME, SHOP = "home-SeCrEt-1", "acme-SeCrEt-2", "shop-SeCrEt-3"
ENVIRON = {
    "BRIDGE_SECRET_HOME_TOKEN": HOME,
    "BRIDGE_SECRET_ACME_TOKEN": ACME,
    "BRIDGE_SECRET_SHOP_KEY": SHOP,
}


def tokens(settings):
    return {name: tracker.token.get_secret_value() for name, tracker in settings.trackers.items()}


def test_from_the_environment(folder):
    assert tokens(folder.load(secrets=True, environ=ENVIRON)) == {"home": HOME, "acme": ACME, "shop": SHOP}


def test_from_the_folder_beside_the_file(folder):
    folder.add("secrets/home_token", "from the folder\n")
    assert tokens(folder.load(secrets=True, environ=ENVIRON))["home"] == "from the folder"


def test_another_folder_replaces_the_one_beside_the_file(folder, tmp_path):
    folder.add("secrets/home_token", "beside")
    folder.add("elsewhere/acme_token", "elsewhere")
    environ = ENVIRON | {"BRIDGE_SECRETS_DIR": str(tmp_path / "elsewhere")}
    assert tokens(folder.load(secrets=True, environ=environ)) == {
        "home": HOME,
        "acme": "elsewhere",
        "shop": SHOP,
    }


def test_systemd_credentials_come_first(folder, tmp_path):
    folder.add("secrets/home_token", "beside")
    folder.add("credentials/home_token", "credential")
    environ = ENVIRON | {"CREDENTIALS_DIRECTORY": str(tmp_path / "credentials")}
    assert tokens(folder.load(secrets=True, environ=environ)) == {
        "home": "credential",
        "acme": ACME,
        "shop": SHOP,
    }


def test_a_missing_secret_names_every_place(folder, tmp_path):
    environ = {name: value for name, value in ENVIRON.items() if "HOME" not in name}
    (problem,) = folder.problems(secrets=True, environ=environ)
    assert problem.line == folder.line(folder.bridge, "home_token")
    assert problem.path == "trackers.home.token.secret"
    assert problem.message == (
        "there is no secret 'home_token'; looked for $CREDENTIALS_DIRECTORY/home_token (not set), "
        f"{tmp_path}/secrets/home_token, $BRIDGE_SECRET_HOME_TOKEN"
    )
    environ |= {"CREDENTIALS_DIRECTORY": "/run/credentials/bridge", "BRIDGE_SECRETS_DIR": "/srv/secrets"}
    (problem,) = folder.problems(secrets=True, environ=environ)
    assert (
        "/run/credentials/bridge/home_token, /srv/secrets/home_token ($BRIDGE_SECRETS_DIR), $"
        in problem.message
    )


def test_without_secrets_nothing_is_looked_for(folder):
    folder.add("secrets/home_token", HOME)
    assert tokens(folder.load(secrets=False, environ=ENVIRON)) == {"home": "", "acme": "", "shop": ""}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"one SeCrEt\nX-Other: two\n", "more than one line"),
        (b"SeCrEt\x00", "control characters"),
        (b"SeCrEt\xff", "is not text"),
    ],
)
def test_a_secret_that_cannot_be_one(folder, content, message):
    folder.add("secrets/home_token", "").write_bytes(content)
    (problem,) = folder.problems(secrets=True, environ=ENVIRON)
    assert message in problem.message
    assert "SeCrEt" not in str(problem)


def test_a_secret_that_is_a_folder(folder, tmp_path):
    (tmp_path / "secrets" / "home_token").mkdir(parents=True)
    (problem,) = folder.problems(secrets=True, environ=ENVIRON)
    assert "cannot be read" in problem.message


LITERALS = {
    "text": "token: SeCrEt-abc123",
    "number": "token: 5463732",
    "list": "token: [SeCrEt]",
    "in braces": "token: {SeCrEt}",
    "under another key": "token: {value: SeCrEt}",
    "beside the name": "token: {secret: home_token, SeCrEt: 1}",
    "twice": "token: {SeCrEt: 1, SeCrEt: 1}",
    "as the name": "token: {secret: ATATT3xFfGF0SeCrEt}",
    "as a name in small letters": "token: {secret: d41d8cd98f00b204e9800998ecf8427e}",
    "as a list of names": "token: {secret: [SeCrEt]}",
    "alias": "token: *SeCrEt",
    "tag": "token: !SeCrEt x",
    "reserved": "token: @SeCrEt",
    "colon": "token: SeCrEt: x",
    "bracket": "token: [SeCrEt",
    "quote": "token: 'SeCrEt",
    "complex key": "token: {[SeCrEt]: 1}",
    "other key": "password: SeCrEt",
}


@pytest.mark.parametrize("case", LITERALS)
@pytest.mark.parametrize("secrets", [True, False])
def test_a_literal_token_is_refused_and_never_shown(folder, case, secrets):
    folder.replace(folder.bridge, "token: {secret: home_token}", LITERALS[case])
    with pytest.raises(ConfigError) as caught:
        load(folder.bridge, environ=ENVIRON, secrets=secrets)
    shown = str(caught.value) + repr(caught.value) + repr(caught.value.problems)
    shown += "".join(traceback.format_exception(caught.value))
    for secret in ("SeCrEt", "5463732", "d41d8cd9"):
        assert secret not in shown
    assert any(
        problem.line >= folder.line(folder.bridge, LITERALS[case]) for problem in caught.value.problems
    )


def test_a_token_without_a_value(folder):
    folder.replace(folder.bridge, "token: {secret: home_token}", "token:")
    (problem,) = folder.problems()
    assert (problem.path, problem.message) == ("trackers.home.token", "has no value")
    assert problem.fix == "write {secret: some_name}"


def test_a_literal_token_is_told_what_to_do(folder):
    folder.replace(folder.bridge, "token: {secret: home_token}", "token: SeCrEt")
    (problem,) = folder.problems()
    assert problem.line == folder.line(folder.bridge, "SeCrEt")
    assert problem.path == "trackers.home.token"
    assert problem.message == "a secret must not stand in the file"
    assert (
        problem.fix
        == "write {secret: some_name}, put the value into secrets/some_name, and revoke what stood here"
    )


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("https://bot:SeCrEt@shop.example.com", "holds a login"),
        ("https://SeCrEt@shop.example.com", "holds a login"),
        ("ftp://bot:SeCrEt@shop.example.com", "holds a login"),
        ("https://shop.example.com/?key=SeCrEt", "has a '?' or '#' part"),
        ("https://shop.example.com:SeCrEt", "is not a web address"),
    ],
)
def test_a_login_in_an_address_is_refused_and_never_shown(folder, address, message):
    folder.replace(folder.bridge, "https://shop.example.com", address)
    (problem,) = folder.problems()
    assert (problem.line, problem.path) == (folder.line(folder.bridge, "SeCrEt"), "trackers.shop.url")
    assert message in problem.message
    assert "SeCrEt" not in str(problem)


@pytest.mark.parametrize(
    "address", ["postgresql://bridge:SeCrEt@db/bridge", "mysql://bridge:SeCrEt@db/bridge"]
)
def test_a_database_password_in_the_file_is_refused(folder, address):
    folder.replace(folder.bridge, "sqlite:///bridge.db", address)
    problem = folder.problems()[-1]
    assert (problem.line, problem.path) == (1, "database")
    assert "{url: ..., password: {secret: db_password}}" in problem.fix
    assert "SeCrEt" not in str(problem)


def test_a_database_password_comes_from_the_vault(folder):
    folder.replace(
        folder.bridge,
        "sqlite:///bridge.db",
        "{url: postgresql+psycopg://bridge@db/bridge, password: {secret: db}}",
    )
    folder.add("secrets/db", "p@ss")
    settings = folder.load(secrets=True, environ=ENVIRON)
    assert settings.database == "postgresql+psycopg://bridge:p%40ss@db/bridge"
    assert "p@ss" not in repr(settings)
    assert "p%40ss" not in repr(settings)
    assert folder.load().database == "postgresql+psycopg://bridge@db/bridge"


def test_sqlite_knows_no_password(folder):
    folder.replace(folder.bridge, "sqlite:///bridge.db", "{url: sqlite:///b.db, password: {secret: db}}")
    (problem,) = folder.problems()
    assert (problem.path, problem.message) == ("database.password", "SQLite knows no password")


def test_settings_print_no_secret(folder):
    settings = folder.load(secrets=True, environ=ENVIRON)
    shown = repr(settings) + str(settings) + pprint.pformat(settings) + f"{settings.trackers['home']}"
    assert "SeCrEt" not in shown
    assert "***" in shown


def test_the_process_environment_is_not_consulted(folder, monkeypatch):
    monkeypatch.setenv("BRIDGE_SECRET_HOME_TOKEN", HOME)
    assert "BRIDGE_SECRET_HOME_TOKEN" in os.environ
    assert len(folder.problems(secrets=True, environ={})) == 3
