"""Migrations and models agree, on each database; and the due query uses its index."""

import importlib.resources
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from making import NOW
from sqlalchemy import create_engine, event, inspect, text

from bridge.store import Store, schema
from bridge.store.rows import IntentState
from bridge.store.tables import OPEN_INTENT, links, metadata
from bridge.sync.ticket import Side


@contextmanager
def connected(url):
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            yield connection
    finally:
        engine.dispose()


def test_migrations_lead_to_what_the_program_expects(lasting_url):
    Store.open(lasting_url).close()
    with connected(lasting_url) as connection:
        options = {
            "version_table": schema.VERSION_TABLE,
            "compare_type": True,
            "compare_server_default": True,
        }
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, metadata) == []


def shape(connection):
    """Everything about the tables that the comparison of Alembic leaves out: names, conditions, keys."""
    found = inspect(connection)
    described = {}
    for table in sorted(metadata.tables):
        described[table] = {
            "columns": [
                (column["name"], str(column["type"]), column["nullable"])
                for column in found.get_columns(table)
            ],
            "pk": found.get_pk_constraint(table),
            "fks": found.get_foreign_keys(table),
            "unique": sorted(found.get_unique_constraints(table), key=lambda item: item["name"]),
            "indexes": sorted(
                (
                    index["name"],
                    index["column_names"],
                    bool(index["unique"]),
                    str(index.get("dialect_options", {}).get("sqlite_where", "")),
                    str(index.get("dialect_options", {}).get("postgresql_where", "")),
                )
                for index in found.get_indexes(table)
            ),
        }
    return described


def test_migrated_and_freshly_made_databases_are_the_same_to_the_letter(lasting_url):
    Store.open(lasting_url).close()
    with connected(lasting_url) as connection:
        migrated = shape(connection)
        command.downgrade(schema.config(connection), "base")
        assert set(inspect(connection).get_table_names()) == {schema.VERSION_TABLE}
        metadata.create_all(connection)
        assert shape(connection) == migrated
        metadata.drop_all(connection)
        command.upgrade(schema.config(connection), "head")
        assert shape(connection) == migrated


def test_ids_are_never_used_again(store):
    """SQLite would hand a deleted row's id out again; the journal would then tell of the wrong link."""
    with store.write() as tx:
        first = tx.links.add("acme", Side.INTERNAL, "1", "OPS-1", "m", NOW)[0]
        tx.connection.execute(links.delete())
        assert tx.links.add("acme", Side.INTERNAL, "1", "OPS-1", "m", NOW)[0].id > first.id


def test_there_is_one_line_of_history():
    script = ScriptDirectory.from_config(schema.config())
    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1


def test_a_developer_can_write_the_next_revision(file_url, tmp_path):
    """The template is shipped and yields Python; with nothing to change, a revision that changes nothing."""
    Store.open(file_url).close()
    with connected(file_url) as connection:
        config = schema.config(connection)
        config.set_main_option("version_locations", f"bridge.store:migrations/versions {tmp_path}")
        config.set_main_option("path_separator", "space")
        made = command.revision(
            config, "nothing", autogenerate=True, version_path=str(tmp_path), rev_id="next"
        )
    source = Path(made.path).read_text()
    compile(source, made.path, "exec")
    assert "    pass" in source
    assert "op." not in source


def test_the_template_is_in_the_package():
    assert importlib.resources.files("bridge.store").joinpath("migrations/script.py.mako").is_file()


def test_the_open_intents_of_the_index_are_those_of_the_program():
    assert str(OPEN_INTENT) == "state IN ({})".format(
        ", ".join(f"'{state}'" for state in IntentState if state.open)
    )


def test_every_constraint_has_a_name():
    for table in metadata.tables.values():
        for constraint in table.constraints:
            assert constraint.name, (table, constraint)


@pytest.fixture
def crowded(lasting_url):
    """A store of 10,000 links, a few of them due."""
    with Store.open(lasting_url) as store:
        rows = [
            {
                "agreement": f"a{number % 7}",
                "origin": "internal",
                "internal_id": str(number),
                "internal_key": f"OPS-{number}",
                "vendor_key": "",
                "marker": f"m{number}",
                "state": "active",
                "gen": 1,
                "done_gen": 1,
                "due_at": NOW + number if number % 3 else None,
                "epoch": 0,
                "attempts": 0,
                "reason": "",
                "internal_linked": False,
                "vendor_linked": False,
                "findings": [],
                "created_at": NOW,
            }
            for number in range(10_000)
        ]
        with store.write() as tx:
            tx.connection.execute(links.insert(), rows)
        if "postgresql" in lasting_url:
            with store.write() as tx:
                tx.connection.execute(text("ANALYZE links"))
        yield store


def plan_of(store, begin):
    """How the database would run the statements of ``begin``."""
    statements = []

    def note(_connection, cursor, statement, parameters, _context, _many):
        statements.append((statement, parameters))

    explain = "EXPLAIN" if "postgresql" in store.where else "EXPLAIN QUERY PLAN"
    with store.read() as tx:
        event.listen(tx.connection, "before_cursor_execute", note)
        begin(tx)
        event.remove(tx.connection, "before_cursor_execute", note)
        plans = [
            " ".join(str(row) for row in tx.connection.exec_driver_sql(f"{explain} {statement}", parameters))
            for statement, parameters in statements
        ]
    return " ".join(plans)


def test_the_due_query_uses_its_index(crowded):
    with crowded.read() as tx:
        assert len(tx.links.due(NOW + 300, 2_000)) == 200
    plan = plan_of(crowded, lambda tx: tx.links.due(NOW + 300, 2_000))
    assert "ix_links_due" in plan
    assert "SCAN links" not in plan
    assert "TEMP B-TREE" not in plan


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (lambda tx: tx.links.by_marker("a1", "m1"), "uq_links_marker"),
        (lambda tx: tx.links.by_ticket("a1", Side.INTERNAL, ["1", "8"]), "uq_links_agreement_internal_id"),
        (lambda tx: tx.intents.all_open(), "uq_intents_open"),
        (lambda tx: tx.journal.for_link(1, 5), "ix_journal_link"),
        (lambda tx: tx.chronicles.due(5, 10), "ix_timelines_next"),
        (lambda tx: tx.chronicles.next_due(), "ix_timelines_next"),
    ],
)
def test_other_frequent_queries_use_theirs(crowded, query, index):
    if "postgresql" in crowded.where and index.startswith(("uq_intents", "ix_journal", "ix_timelines")):
        pytest.skip("PostgreSQL reads an empty table as a whole")
    plan = plan_of(crowded, query)
    assert index in plan or "sqlite_autoindex_links_1" in plan  # SQLite's name for a unique constraint
