"""Attempts to reach this machine's files, or to write, as a user who may not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import ClickHouseError

from infra.history.guard import Guard, Refused
from infra.history.history import History

TO_READ_A_FILE = """
SELECT file('{f}')
SELECT `file`('{f}')
SELECT "file"('{f}')
SELECT /* quiet */ file /**/ ('{f}') -- please
WITH x AS (SELECT file('{f}')) SELECT * FROM x
SELECT arrayMap(file, ['{f}'])
SELECT arrayMap(`file`, ['{f}'])
SELECT arrayMap(p -> file(p), ['{f}'])
SELECT arrayFilter(p -> file('{f}') = p, ['a'])
SELECT * APPLY(file) FROM (SELECT '{f}')
SELECT * APPLY(p -> file(p)) FROM (SELECT '{f}')
SELECT COLUMNS('x') APPLY file FROM (SELECT '{f}' AS x)
SELECT * REPLACE (file('{f}') AS x) FROM (SELECT 1 AS x)
SELECT 1 WHERE file('{f}') != ''
SELECT 1 ORDER BY file('{f}')
SELECT 1 LIMIT length(file('{f}'))
SELECT number FROM numbers(length(file('{f}')))
SELECT count() OVER (PARTITION BY file('{f}'))
SELECT x FROM values('x String', file('{f}'))
SELECT 1 IN (SELECT file('{f}'))
SELECT (SELECT (SELECT file('{f}')))
SELECT if(1, file('{f}'), '')
SELECT CASE WHEN 1 THEN file('{f}') END
SELECT sumIf(1, file('{f}') != '')
SELECT 1 UNION ALL SELECT length(file('{f}'))
SELECT 1 INTERSECT SELECT length(file('{f}'))
SELECT 1 SETTINGS max_threads = 1 UNION ALL SELECT length(file('{f}'))
SHOW TABLES WHERE file('{f}') != ''
SHOW COLUMNS FROM runs WHERE file('{f}') != ''
EXPLAIN SELECT file('{f}')
EXPLAIN SYNTAX SELECT file('{f}')
EXPLAIN QUERY TREE SELECT file('{f}')
SELECT * FROM (EXPLAIN QUERY TREE SELECT file('{f}'))
SELECT * FROM viewExplain('EXPLAIN', '', (SELECT file('{f}')))
SELECT * FROM view(SELECT file('{f}'))
SELECT * FROM file('{f}')
SELECT * FROM file('{f}', 'LineAsString')
SELECT * FROM file('{f}', LineAsString, 'x String')
SELECT * FROM FILE('{f}', 'LineAsString')
SELECT 1 IN file('{f}', 'LineAsString')
SELECT * FROM runs JOIN file('{f}', 'LineAsString') AS f ON 1
DESCRIBE TABLE file('{f}')
DESCRIBE (SELECT file('{f}'))
DESC file('{f}', 'LineAsString')
SELECT * FROM `{f}`
SELECT * FROM "{f}"
SELECT * FROM default.`{f}`
SELECT * FROM `default`.`{f}`
SELECT 1 IN `{f}`
SELECT 1 IN default.`{f}`
DESCRIBE TABLE `{f}`
DESCRIBE TABLE default.`{f}`
SHOW CREATE TABLE default.`{f}`
SELECT * FROM url('file://{f}', 'LineAsString')
SELECT * FROM url('http://127.0.0.1:9/', 'LineAsString')
SELECT * FROM urlCluster('c', 'file://{f}', 'LineAsString')
SELECT * FROM fileCluster('c', '{f}', 'LineAsString')
SELECT * FROM s3('http://127.0.0.1:9/b/k', 'LineAsString')
SELECT * FROM hdfs('hdfs://127.0.0.1:9/{f}', 'LineAsString')
SELECT * FROM sqlite('{f}', 't')
SELECT * FROM mysql('127.0.0.1:9', 'd', 't', 'u', 'p')
SELECT * FROM postgresql('127.0.0.1:9', 'd', 't', 'u', 'p')
SELECT * FROM remote('127.0.0.1', system, tables)
SELECT * FROM cluster('default', system, tables)
SELECT * FROM executable('cat {f}', 'LineAsString', 'x String')
SELECT * FROM executable('../../bin/cat', TSV, 'x String', (SELECT 1))
SELECT * FROM merge('system', '.*')
SELECT * FROM merge(REGEXP('.*'), 'tables')
SELECT * FROM merge('default', '.*')
SELECT * FROM Python(passwords)
SELECT * FROM Python('passwords')
SELECT * FROM python(self)
SELECT * FROM arrowstream('x')
SELECT * FROM passwords
SELECT * FROM input('x String')
SELECT * FROM dictionary('d')
SELECT * FROM deltaLake('{f}')
SELECT * FROM icebergLocal('{f}')
SELECT * FROM azureBlobStorage('x', 'y', 'z')
SELECT * FROM mergeTreeIndex('tapedeck', 'runs')
SELECT * FROM loop(file('{f}', 'LineAsString'))
SELECT * FROM null(file('{f}'))
SELECT * FROM viewIfPermitted(SELECT file('{f}') AS x ELSE null('x String'))
SELECT * FROM format(LineAsString, file('{f}'))
SELECT * FROM generateRandom(file('{f}'))
SELECT dictGet('{f}', 'x', 1)
SELECT joinGet('system.tables', 'name', 1)
SELECT hasColumnInTable('system', 'tables', 'name')
SELECT catboostEvaluate('{f}', 1)
SELECT addressToLine(1)
SELECT showCertificate()
SELECT getServerSetting('path')
SELECT getMacro('x')
SELECT aiGenerate('{f}')
SELECT structureToProtobufSchema('x String')
SELECT parseQueryToJSON('SELECT 1')
SELECT * FROM {{t:Identifier}}
SELECT * FROM {{d:Identifier}}.{{t:Identifier}}
SELECT {{t:Identifier}}('{f}')
SELECT 1 FORMAT Template SETTINGS format_template_row = '{f}'
SELECT 1 FORMAT Protobuf SETTINGS format_schema = '{f}'
SELECT 1 FORMAT DataFrame
SELECT * FROM system.tables
SELECT * FROM `system`.`tables`
SELECT * FROM "system".tables AS t
SELECT 1 IN system.tables
SELECT 1 IN (`system`.`tables`)
SELECT x FROM runs, system.disks
SELECT * FROM system.server_settings
SELECT * FROM system.processes
SELECT * FROM system.parts
SELECT * FROM system.errors
SELECT * FROM system.users
SELECT * FROM system.named_collections
SELECT * FROM `.inner.x`.tables
DESCRIBE TABLE system.tables
SHOW CREATE TABLE system.tables
SHOW PROCESSLIST
SHOW FILESYSTEM CACHES
SHOW CLUSTERS
SHOW ACCESS
SHOW USERS
""".strip().splitlines()

TO_CHANGE_SOMETHING = """
INSERT INTO runs (run) VALUES ('x')
INSERT INTO runs (run) SELECT 'x'
INSERT INTO runs (run) FORMAT CSV x
INSERT INTO FUNCTION file('{f}', 'LineAsString', 'x String') SELECT 'x'
INSERT INTO TABLE FUNCTION url('http://127.0.0.1:9', 'CSV', 'x String') SELECT 'x'
INSERT INTO runs (run) FROM INFILE '{f}' FORMAT LineAsString
SELECT 'x' INTO OUTFILE '{f}'
SELECT 'x' INTO OUTFILE '{f}' TRUNCATE FORMAT CSV
SELECT 'x' INTO OUTFILE '{f}' APPEND
SELECT 'x' INTO OUTFILE '{f}' AND STDOUT
(SELECT 'x') UNION ALL SELECT 'y' INTO OUTFILE '{f}' TRUNCATE
SHOW TABLES INTO OUTFILE '{f}' TRUNCATE
DESCRIBE TABLE runs INTO OUTFILE '{f}' TRUNCATE
EXPLAIN SELECT 1 INTO OUTFILE '{f}' TRUNCATE
DROP TABLE runs
DROP DATABASE tapedeck
TRUNCATE TABLE runs
DELETE FROM runs WHERE 1
ALTER TABLE runs DELETE WHERE 1
ALTER TABLE runs ADD COLUMN x Int8
UPDATE runs SET flow = 'x' WHERE 1
RENAME TABLE runs TO sprints
EXCHANGE TABLES runs AND migrations
OPTIMIZE TABLE runs FINAL
CREATE TABLE x (a Int8) ENGINE = Memory
CREATE TABLE x (a String) ENGINE = File(LineAsString, '{f}')
CREATE TEMPORARY TABLE x (a Int8)
CREATE VIEW x AS SELECT 1
CREATE DATABASE x
CREATE FUNCTION x AS (a) -> a
CREATE DICTIONARY x (a Int8) PRIMARY KEY a SOURCE(FILE(PATH '{f}' FORMAT 'TSV')) LAYOUT(FLAT())
CREATE USER x
CREATE NAMED COLLECTION x AS a = 1
ATTACH TABLE x FROM '{f}' (a Int8) ENGINE = MergeTree ORDER BY a
DETACH TABLE runs
BACKUP TABLE runs TO File('{f}')
RESTORE TABLE runs FROM File('{f}')
GRANT ALL ON *.* TO reader
REVOKE reader FROM default
SET ROLE owner
SET ROLE ALL
SET readonly = 0
SET max_threads = 1
USE default
EXECUTE AS owner SELECT 1
KILL QUERY WHERE 1
KILL MUTATION WHERE 1
SYSTEM FLUSH LOGS
SYSTEM SHUTDOWN
SYSTEM STOP MERGES
WATCH runs
CHECK TABLE runs
BEGIN TRANSACTION
SELECT 1; DROP TABLE runs
SELECT 1; -- DROP
SELECT 1;; DROP TABLE runs
SELECT 1 PARALLEL WITH DROP TABLE runs
SELECT 1 SETTINGS readonly = 0
SELECT 1 SETTINGS allow_ddl = 1
SELECT * FROM (SELECT 1 SETTINGS readonly = 0)
SELECT 1 SETTINGS output_format_schema = '{f}'
SELECT 1 SETTINGS log_comment = 'x'
SELECT 1 SETTINGS dialect = 'prql'
SELECT 1 UNION ALL SELECT 1 SETTINGS readonly = 0
exit
quit
\\q
""".strip().splitlines()
HARMLESS = {"SELECT 1; -- DROP"}
"""A lone semicolon and a comment end nothing and begin nothing."""

ROWS = {"INSERT INTO runs (run) SELECT 'x'", "INSERT INTO runs (run) FORMAT CSV x"}

TO_LOOK = """
SELECT 1
SELECT count() FROM runs
SELECT version(), timezone(), currentUser(), currentDatabase()
SELECT * FROM tapedeck.runs FINAL WHERE flow = 'x' ORDER BY started DESC LIMIT 5
SELECT name, value, readonly FROM system.settings LIMIT 1
SELECT table_name FROM information_schema.tables AS t LIMIT 0 SETTINGS max_threads = 1
WITH 5 AS five, x AS (SELECT five AS y) SELECT y FROM x
SELECT arrayMap(x -> x + 1, [1]), map('a', 1)['a'], (1, 2).1, [1, 2][1], 'a' || 'b', -1, NOT 1
SELECT sumIf(1, 1), argMax(1, 2), quantile(0.5)(1), quantiles(0.1, 0.9)(1), count(DISTINCT 1)
SELECT sumOrNull(1), uniqExactIf(1, 1), argMaxMerge(s) FROM (SELECT argMaxState(1, 2) AS s)
SELECT row_number() OVER w, lagInFrame(number) OVER w FROM numbers(3) WINDOW w AS (ORDER BY number)
SELECT CASE 1 WHEN 1 THEN 2 ELSE 3 END, CASE WHEN 1 THEN 2 END, if(1, 2, 3), coalesce(NULL, 1)
SELECT a.run FROM runs AS a ASOF JOIN runs AS b ON a.flow = b.flow AND a.started >= b.started
SELECT number % 2 AS n, count() FROM numbers(9) GROUP BY n WITH TOTALS HAVING n < 5 LIMIT 1 BY n
SELECT number FROM numbers(3) ORDER BY number WITH FILL FROM 0 TO 9 STEP 2
SELECT toStartOfInterval(now64(9, 'UTC'), INTERVAL 1 MINUTE), fromUnixTimestamp64Nano(1::Int64)
SELECT toDateTime64('2026-01-01 00:00:00', 9, 'UTC'), toDecimal64('1.5', 4), '1.5'::Decimal(38, 18)
SELECT EXISTS(SELECT 1), 1 IN (SELECT 1), (1, 2) IN ((1, 2)), 1 BETWEEN 0 AND 2, 'a' LIKE '%'
SELECT * EXCEPT a FROM (SELECT 1 AS a, 2 AS b)
SELECT * FROM generate_series(1, 3)
SELECT 1 UNION ALL SELECT 2 UNION DISTINCT SELECT 3
SHOW TABLES
SHOW TABLES LIKE 'r%'
SHOW DATABASES
SHOW COLUMNS FROM runs
SHOW CREATE TABLE runs
SHOW SETTINGS LIKE 'max_threads'
DESCRIBE TABLE runs
DESCRIBE tapedeck.runs
EXISTS TABLE runs
EXPLAIN SELECT * FROM runs
EXPLAIN PLAN actions = 1, indexes = 1 SELECT * FROM runs
SELECT 'DROP TABLE runs; SELECT file(1)' AS `a;b` -- ; x
""".strip().splitlines()


@pytest.fixture(autouse=True, scope="module")
def unchanged(owner: Client) -> Iterator[None]:
    before = _inventory(owner)
    yield
    assert _inventory(owner) == before


@pytest.fixture(autouse=True)
def untouched(planted: Path) -> Iterator[None]:
    yield
    assert [path.name for path in planted.parent.iterdir()] == [planted.name]
    assert planted.read_text() == "planted\n"


def _inventory(owner: Client) -> object:
    return owner.command(
        "SELECT groupArray(name), (SELECT count() FROM migrations), (SELECT count() FROM runs) "
        "FROM (SELECT name FROM system.tables WHERE database = 'tapedeck' ORDER BY name)"
    )


def raw(client: Client, text: str) -> str:
    """Run a text as it is: the client's own methods would add a FORMAT to it."""
    return str(client.command(text, parameters={"t": "tables", "d": "system"}))


@pytest.mark.parametrize("attempt", TO_READ_A_FILE)
@pytest.mark.parametrize("role", ["reader", "writer"])
def test_nobody_reads_the_machine(
    role: str, attempt: str, planted: Path, request: pytest.FixtureRequest
) -> None:
    client: Client = request.getfixturevalue(role)
    with pytest.raises(ClickHouseError, match=r"DB::Exception: \w") as refused:
        raw(client, attempt.format(f=planted))
    assert "planted" not in str(refused.value).replace(str(planted), "")


@pytest.mark.parametrize("attempt", TO_CHANGE_SOMETHING)
def test_the_reader_changes_nothing(attempt: str, reader: Client, planted: Path) -> None:
    if attempt in HARMLESS:
        assert raw(reader, attempt) == "1"
        return
    with pytest.raises(ClickHouseError, match=r"DB::Exception: \w"):
        raw(reader, attempt.format(f=planted))


@pytest.mark.parametrize("attempt", sorted(set(TO_CHANGE_SOMETHING) - HARMLESS - ROWS))
def test_the_writer_only_inserts(attempt: str, writer: Client, planted: Path) -> None:
    with pytest.raises(ClickHouseError, match=r"DB::Exception: \w"):
        raw(writer, attempt.format(f=planted))


@pytest.mark.parametrize(
    "attempt",
    [
        "INSERT INTO migrations (name) SELECT 'x'",
        "INSERT INTO tapedeck.migrations (name) FORMAT CSV\nx",
        "INSERT INTO default.x (name) FORMAT CSV\nx",
        "INSERT INTO runs (run) VALUES (file('{f}'))",
        "INSERT INTO runs (run) SELECT file('{f}')",
        "INSERT INTO runs (run) FORMAT Values (file('{f}'))",
        "INSERT INTO runs (run) FORMAT Template\n{f}",
        "INSERT INTO runs (run) SETTINGS format_schema = '{f}' FORMAT Protobuf\nx",
        "INSERT INTO {{t:Identifier}} (run) FORMAT CSV\nx",
    ],
)
def test_the_writer_inserts_rows_and_nothing_else(
    attempt: str, writer: Client, planted: Path
) -> None:
    with pytest.raises(ClickHouseError, match=r"DB::Exception: \w"):
        raw(writer, attempt.format(f=planted))


@pytest.mark.parametrize("attempt", ["SELECT 1 INTO OUTFILE '{f}x'", "SELECT * FROM file('{f}')"])
def test_the_owner_reaches_no_file_either(attempt: str, owner: Client, planted: Path) -> None:
    with pytest.raises(ClickHouseError, match="DB::Exception"):
        raw(owner, attempt.format(f=planted))


@pytest.mark.parametrize(
    "setting",
    [
        "allow_ddl",
        "allow_introspection_functions",
        "format_schema",
        "output_format_schema",
        "log_comment",
    ],
)
def test_a_setting_in_the_url_unlocks_nothing(setting: str, reader: Client) -> None:
    with pytest.raises(ClickHouseError, match=f"may not change the setting {setting}"):
        reader.command("SELECT 1", settings={setting: "0"})


@pytest.mark.parametrize("query", TO_LOOK)
def test_the_reader_looks_freely(query: str, reader: Client) -> None:
    assert reader.raw_query(query) is not None


def test_another_database_is_no_way_round(history: History) -> None:
    running = history.home.running()
    assert running is not None
    with history.client("reader") as client:
        client.database = "default"
        with pytest.raises(ClickHouseError, match="Not enough privileges"):
            client.command("SELECT 1")


def test_a_very_deep_query_is_refused_and_harms_nobody(reader: Client) -> None:
    with pytest.raises(ClickHouseError, match="DB::Exception"):
        reader.command("SELECT " + "(" * 5000 + "1" + ")" * 5000)
    assert reader.command("SELECT 1") == 1


def test_what_was_let_through_is_not_read_again_but_for_another_role_or_after_many_others() -> None:
    asked: list[str] = []

    def ask(_query: str, parameters: Mapping[str, str]) -> list[list[str]]:
        asked.append(parameters["q"])
        return [['{"type": "InsertQuery", "table": "runs", "format": "CSV"}', parameters["q"]]]

    guard, text = Guard([], []), "INSERT INTO runs FORMAT CSV"
    for _ in range(2):
        assert guard.check(text, "writer", ask).insert
        with pytest.raises(Refused, match="reader may not run INSERT"):
            guard.check(text, "reader", ask)
    assert asked == [text] * 3
    for number in range(600):
        guard.check(f"{text} {number}", "writer", ask)
    guard.check(text, "writer", ask)
    assert asked.count(text) == 4
    long = text + " " * 5000
    for _ in range(2):
        guard.check(long, "writer", ask)
    assert asked.count(long) == 2
