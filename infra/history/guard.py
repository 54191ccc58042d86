"""What a history user may say: a statement is parsed, and only what is on a list is let through.

ClickHouse's own grants (`infra.history.engine`) stop every table and file that is not the user's.
Three ways round them remain in an embedded engine, found by trying: the scalar function `file()`
asks for no grant, `INTO OUTFILE` and `FROM INFILE` are done by the client, which here is the
server, and `system` may be read by everyone. So the statement is read as ClickHouse itself reads
it (`parseQueryToJSON`), each node is looked up here, and what runs is the text written back from
the tree: no comment, no second statement and no quoting trick survives that.
"""

import json
import re
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

Role = Literal["reader", "writer", "owner"]

Node = Mapping[str, object]

ANALYSE = "SELECT parseQueryToJSON({q:String}) AS tree, formatQueryFromJSON(tree)"
FORMAT = "SELECT formatQuerySingleLine({q:String})"
FUNCTIONS = "SELECT name, categories, alias_to, is_aggregate FROM system.functions"
"""What the guard asks the engine; all answers are taken as `JSONCompactEachRow`."""

_PURE = {
    "Aggregate Functions", "Arithmetic", "Arrays", "Bit", "Bitmap", "Comparison", "Conditional",
    "Dates and Times", "Distance", "Encoding", "Financial", "Hash", "IP Address", "JSON",
    "Logical", "Map", "Mathematical", "Null", "Random Number", "Rounding", "String",
    "String Replacement", "String Search", "String Splitting", "Time Series", "Time Window",
    "Tuple", "Type Conversion", "URL", "UUID",
}  # fmt: skip
"""Kinds of functions that only compute."""

_NAMED = {
    "bar", "bytesize", "casewithexpression", "currentdatabase", "currentroles", "currentuser",
    "exists",
    "formatreadabledecimalsize", "formatreadablequantity", "formatreadablesize",
    "formatreadabletimedelta", "grouping", "identity", "ignore", "lambda", "materialize",
    "neighbor", "rownumberinallblocks", "rownumberinblock", "runningaccumulate",
    "runningdifference", "throwif", "tocolumntypename", "totypename", "transform", "untuple",
    "version",
}  # fmt: skip
"""Functions of mixed or no kind that only compute."""

_TABLE_FUNCTIONS = {"generate_series", "generateseries", "numbers", "values", "zeros"}

_SYSTEM = {
    "aggregate_function_combinators", "data_type_families", "formats", "functions", "numbers",
    "one", "settings", "table_functions", "time_zones", "zeros",
}  # fmt: skip
"""Tables of `system` that know nothing of this machine: no path, no setting of the server."""

_OPEN = {"system", "information_schema", "INFORMATION_SCHEMA"}
"""Databases ClickHouse lets everybody read."""

_FLAGS = {"type", "is_outfile_append", "is_outfile_truncate", "is_into_outfile_with_stdout"}
_STATEMENTS: dict[str, set[str]] = {
    "SelectWithUnionQuery": _FLAGS
    | {"union_mode", "list_of_modes", "list_of_selects", "format_ast", "settings_ast"},
    "ExplainQuery": _FLAGS | {"kind", "query", "settings", "format_ast"},
    "ShowTablesQuery": _FLAGS
    | {"databases", "like", "not_like", "case_insensitive_like", "limit_length", "full", "from"}
    | {"where_expression", "settings", "format_ast"},
    "ShowColumnsQuery": _FLAGS
    | {"database", "table", "full", "extended", "like", "not_like", "case_insensitive_like"}
    | {"limit_length", "where_expression", "format_ast"},
    "InsertQuery": {"type", "table", "database", "columns", "format", "select", "settings_ast"},
    "SetQuery": {"type", "changes"},
    "TableExpression": {"type", "final", "database_and_table_name", "table_function", "subquery"}
    | {"sample_size", "sample_offset", "column_aliases"},
}
"""Statements, and the parts each may have: `out_file` and `infile` are in none."""

_WHOLE = set(_STATEMENTS) - {"SetQuery", "TableExpression"}
"""Those that can stand alone."""

_NODES = {
    "ArrayJoin", "Asterisk", "ColumnsApplyTransformer", "ColumnsExceptTransformer",
    "ColumnsListMatcher", "ColumnsRegexpMatcher", "ColumnsReplaceTransformer",
    "ColumnsReplaceTransformerReplacement", "ColumnsTransformerList", "ExpressionList", "Function",
    "Identifier", "InterpolateElement", "Literal", "OrderByElement", "QualifiedAsterisk",
    "QualifiedColumnsListMatcher", "QualifiedColumnsRegexpMatcher", "QueryParameter",
    "SampleRatio", "SelectIntersectExceptQuery", "SelectQuery", "Subquery", "TableIdentifier",
    "TableJoin", "TablesInSelectQuery", "TablesInSelectQueryElement", "WindowDefinition",
    "WindowListElement", "WithElement",
}  # fmt: skip

_READ_SETTINGS = {
    "cancel_http_readonly_queries_on_client_close", "cast_string_to_dynamic_use_inference",
    "date_time_input_format", "date_time_output_format",
    "do_not_merge_across_partitions_select_final", "enable_http_compression", "extremes",
    "final", "group_by_use_nulls", "http_headers_progress_interval_ms", "join_use_nulls", "limit",
    "max_block_size", "max_execution_time", "max_memory_usage", "max_result_bytes",
    "max_result_rows", "max_rows_to_read", "max_threads", "offset",
    "output_format_arrow_compression_method", "output_format_arrow_string_as_string",
    "output_format_json_array_of_rows", "output_format_json_quote_64bit_integers",
    "output_format_json_quote_decimals", "output_format_json_quote_denormals",
    "output_format_parquet_compression_method", "output_format_parquet_string_as_string",
    "result_overflow_mode", "send_progress_in_http_headers", "session_timezone", "use_query_cache",
    "use_skip_indexes_if_final_exact_mode",
}  # fmt: skip
_WRITE_SETTINGS = {
    "async_insert", "describe_compact_output", "fsync_after_insert", "fsync_part_directory",
    "input_format_null_as_default", "input_format_parallel_parsing", "insert_deduplicate",
    "insert_deduplication_token", "max_insert_block_size", "min_insert_block_size_bytes",
    "min_insert_block_size_rows", "wait_for_async_insert",
}  # fmt: skip

_TEXT = ("TabSeparated", "TSV", "CSV", "JSONCompactEachRow", "RowBinary")
FORMATS = {name + tail for name in _TEXT for tail in ("", "WithNames", "WithNamesAndTypes")} | {
    "Arrow", "ArrowStream", "JSON", "JSONColumns", "JSONCompact", "JSONEachRow", "Markdown",
    "Native", "Null", "Parquet", "Pretty", "PrettyCompact", "PrettyNoEscapes", "TSVRaw",
    "TabSeparatedRaw", "Values", "Vertical", "XML",
}  # fmt: skip
"""Formats that are bytes over the wire; others read schema or template files, or are Python's."""

_NAME = r"(?:\w+|`[^`\\]+`)"
_ABOUT_A_TABLE = re.compile(
    rf"(?:DESCRIBE TABLE|SHOW CREATE TABLE|EXISTS TABLE|EXISTS) (?:(?P<db>{_NAME})\.)?{_NAME}"
    rf"(?: FORMAT (?P<format>\w+))?"
)
"""Harmless statements that `parseQueryToJSON` does not know, as `formatQuery` writes them."""


class Refused(Exception):
    """A user may not say that; `code` is ClickHouse's own number for why."""

    def __init__(self, why: str, code: int = 497) -> None:
        name = {62: "SYNTAX_ERROR", 164: "READONLY"}.get(code, "ACCESS_DENIED")
        super().__init__(f"Code: {code}. DB::Exception: {why} ({name})")


@dataclass(frozen=True)
class Statement:
    """A statement that may run.

    Parameters
    ----------
    sql
        The text to run.
    format
        The format named in it, if any.
    insert
        Whether rows follow; then `sql` ends before its FORMAT.

    """

    sql: str
    format: str | None = None
    insert: bool = False


_REMEMBERED, _SHORT = 512, 4096
"""Of so many statements, none longer, what was decided is remembered."""

Ask = Callable[[str, Mapping[str, str]], list[list[str]]]
"""Run a query of this module with its parameters in the engine, and return the rows."""


class Guard:
    """Decides about statements; one for the life of an engine, whose functions it knows."""

    def __init__(self, functions: list[list[str]], combinators: list[str]) -> None:
        kinds = {name.lower(): kind for name, kind, _, _ in functions}
        aggregates = [name for name, _, _, aggregate in functions if int(aggregate)]
        self._known = set(kinds)
        self._allowed = {
            name.lower()
            for name, kind, alias, aggregate in functions
            if int(aggregate)
            or kinds.get(alias.lower(), kind) in _PURE
            or {name.lower(), alias.lower()} & _NAMED
        } | _NAMED
        names, tails = "|".join(aggregates), "|".join(combinators)
        self._combined = re.compile(rf"(?:{names})(?:{tails})+", re.IGNORECASE)
        self._decided: OrderedDict[tuple[str, Role], Statement] = OrderedDict()

    def check(self, text: str, role: Role, ask: Ask) -> Statement:
        """Return what to run for `text`, or raise `Refused`; a syntax error is ClickHouse's own.

        To read a statement takes as long as to run a short one: what was let through is remembered.
        """
        found = self._decided.get((text, role))
        if found is None:
            found = self._check(text, role, ask)
            if len(text) <= _SHORT:
                self._decided[text, role] = found
                if len(self._decided) > _REMEMBERED:
                    self._decided.popitem(last=False)
        return found

    def _check(self, text: str, role: Role, ask: Ask) -> Statement:
        parameters = {"q": escape(text)}
        try:
            [[tree, sql]] = ask(ANALYSE, parameters)
        except RuntimeError as error:
            if "does not support JSON serialization" not in str(error):
                raise
            [[sql]] = ask(FORMAT, parameters)
            return self._without_tree(text, sql, role)
        try:
            nodes = json.loads(tree)
            if role != "owner":
                return self._checked(nodes, sql, role)
            if any({"out_file", "infile"} & set(node) for node in _nodes(nodes)):
                raise Refused("the server reads and writes no file")
            return _statement(nodes, sql, text)
        except RecursionError:
            raise Refused("the query is nested too deeply", 62) from None

    def _without_tree(self, text: str, sql: str, role: Role) -> Statement:
        """Decide about a statement that has no JSON form."""
        if role == "owner":
            return Statement(text)
        if not (match := _ABOUT_A_TABLE.fullmatch(sql)):
            kind = " ".join(sql.split()[:2])
            raise Refused(f"{role} may not run {kind}: {_may(role)}")
        if (database := match["db"]) and database.strip("`") in _OPEN:
            raise Refused(f"{role} may not look into {database}")
        return Statement(sql, _format(match["format"]))

    def _checked(self, tree: Node, sql: str, role: Role) -> Statement:
        if tree.get("type") not in _WHOLE:
            raise Refused(f"{role} may not run {_words(tree.get('type'))}: {_may(role)}")
        found = _statement(tree, sql, sql)
        if found.insert and found.format == "Values":
            # It runs expressions, which no tree shows.
            raise Refused(f"{role} may not insert VALUES: send rows in another format")
        _format(found.format)
        for node in _nodes(tree):
            self._node(node, role)
        return found

    def _node(self, node: Node, role: Role) -> None:
        """Refuse a node that is not on a list, or has a part, name or setting that is not."""
        kind = str(node.get("type"))
        if kind == "InsertQuery" and role == "reader":
            raise Refused(f"{role} may not run INSERT: {_may(role)}")
        if kind in _STATEMENTS:
            if extra := sorted(set(node) - _STATEMENTS[kind]):
                raise Refused(f"{role} may not use {_words(extra[0])} in {_words(kind)}")
        elif kind not in _NODES and kind != "TableFunction":
            raise Refused(f"{role} may not use {_words(kind)}")
        if kind == "Function":
            self._function(str(node.get("name")), role)
        elif kind == "ColumnsApplyTransformer":
            self._function(str(node.get("func_name", "lambda")), role)
        elif kind in {"Identifier", "TableIdentifier"}:
            self._identifier(node, role)
        elif kind == "SetQuery":
            check_settings([str(change["name"]) for change in _list(node["changes"])], role)
        elif kind == "TableFunction" and str(node.get("name")).lower() not in _TABLE_FUNCTIONS:
            raise Refused(f"{role} may not use the table function {node.get('name')}")

    def _function(self, name: str, role: Role) -> None:
        if name.lower() not in self._allowed and not self._combined.fullmatch(name):
            raise Refused(f"{role} may not use the function {name}")

    def _identifier(self, node: Node, role: Role) -> None:
        parts = [str(part) for part in _any_list(node.get("name_parts"))] or [str(node["name"])]
        if not all(parts):
            raise Refused(f"{role} may not name a table or column by a parameter")
        if len(parts) > 1 and parts[0] in _OPEN:
            if parts[0] == "system" and parts[1] not in _SYSTEM:
                raise Refused(f"{role} may not read system.{parts[1]}")
        elif len(parts) == 1 and node["type"] == "Identifier":
            # A bare name where a function is expected is a call: arrayMap(file, ['/etc/passwd']).
            name = parts[0].lower()
            if name in self._known and name not in self._allowed:
                hint = f"if it is a column, write table.{parts[0]}"
                raise Refused(f"{role} may not use the function {parts[0]}; {hint}")


def check_settings(names: list[str], role: Role) -> None:
    """Refuse a setting that is not on the role's list; the owner may set any."""
    allowed = _READ_SETTINGS if role == "reader" else _READ_SETTINGS | _WRITE_SETTINGS
    for name in names:
        if role != "owner" and name not in allowed:
            raise Refused(f"{role} may not change the setting {name}", 164)


def escape(text: str) -> str:
    r"""Write a text as the value of a query parameter.

    Examples
    --------
    >>> print(escape("a\tb\n\\"))
    a\tb\n\\

    """
    for plain, escaped in (
        ("\\", "\\\\"),
        ("\t", "\\t"),
        ("\n", "\\n"),
        ("\r", "\\r"),
        ("\0", "\\0"),
    ):
        text = text.replace(plain, escaped)
    return text


def _statement(tree: Node, sql: str, text: str) -> Statement:
    if tree.get("type") == "InsertQuery" and "select" not in tree:
        name = str(tree.get("format") or "Values")
        head = re.sub(rf"\s+FORMAT `?{re.escape(name)}`?$", "", sql)
        return Statement(head, name, insert=True)
    form = tree.get("format_ast")
    named = str(form["name"]) if isinstance(form, dict) else None
    return Statement(text, named)


def _nodes(tree: Node) -> Iterator[Node]:
    """Walk the tree; a table function is given the type `TableFunction`."""
    stack: list[object] = [tree]
    while stack:
        item = stack.pop()
        if isinstance(item, list):
            stack.extend(item)
        elif isinstance(item, dict):
            if "field_type" in item:  # the value of a literal
                continue
            yield item
            explain = item.get("type") == "ExplainQuery"  # its settings say what to show
            for key, value in item.items():
                if key == "table_function" and isinstance(value, dict):
                    stack.append({**value, "type": "TableFunction"})
                elif key != "changes" and not (explain and key == "settings"):
                    stack.append(value)


def _format(name: str | None) -> str | None:
    if name is not None and name not in FORMATS:
        raise Refused(f"the format {name} is not served; there are {', '.join(sorted(FORMATS))}")
    return name


def _may(role: Role) -> str:
    may = "it may SELECT, SHOW TABLES, SHOW COLUMNS, SHOW CREATE TABLE, DESCRIBE, EXISTS, EXPLAIN"
    return may if role == "reader" else f"{may}, and INSERT rows"


def _words(kind: object) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", str(kind).removesuffix("Query")).upper()


def _list(value: object) -> list[Node]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _any_list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
