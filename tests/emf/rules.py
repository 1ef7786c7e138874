"""What must hold of a metrics document: the schema beside this file, what the specification says and
a schema cannot, and what our metrics promise (handler/metrics.h). Each rule that is broken is a
sentence; an empty list is a good document."""

import json
import math
import re
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path

import jsonschema

EVENT_MAX = 1 << 20  # bytes of a log event
OUTCOMES = {
    "answered": ("RequestsAnswered", {200}),
    "refused": ("RequestsRefused", {429}),
    "timed_out": ("RequestsTimedOut", {504}),
    "rejected": ("RequestsRejected", {400}),
    "failed": ("RequestsFailed", {500}),
    "unavailable": ("RequestsUnavailable", {503}),
}
NOT_OF_CHATS = {"RequestsOther"}
OPTIONAL = {"ModelLatency", "InputTokens", "OutputTokens", "ColdStart", "InitDuration"}
OF_OTHERS = {"RequestsOther", "ColdStart", "InitDuration"}

_schema = json.loads(Path(__file__).with_name("schema.json").read_text())
jsonschema.Draft202012Validator.check_schema(_schema)
_validator = jsonschema.Draft202012Validator(_schema)


def read_table(text):
    """`bootstrap --print-metrics` as {name: (unit, (dimension, ...))}."""
    rows = [line.split("\t") for line in text.splitlines()]
    table = {name: (unit, tuple(dimensions.split(","))) for name, unit, dimensions in rows}
    assert table and len(table) == len(rows), "the table names a metric twice, or none"
    return table


def _once(pairs):
    names = [name for name, _ in pairs]
    if len(names) != len(set(names)):
        raise ValueError(f"a member stands there twice: {names}")
    return dict(pairs)


def _no_constant(word):
    raise ValueError(f"{word} is no JSON")


def parse(line):
    """A line as CloudWatch reads it: one JSON object and nothing else. ValueError otherwise."""
    document = json.loads(line, object_pairs_hook=_once, parse_float=Decimal, parse_constant=_no_constant)
    if not isinstance(document, dict):
        raise ValueError("the line is no object")
    return document


def declared(document):
    """[(name, unit, dimensions)] of all its directives."""
    return [(metric["Name"], metric["Unit"], tuple(names))
            for directive in document["_aws"]["CloudWatchMetrics"]
            for names in directive["Dimensions"]
            for metric in directive["Metrics"]]


def _is_number(value):
    return isinstance(value, (int, Decimal)) and not isinstance(value, bool) and math.isfinite(value)


def _has_few_decimals(value):
    return isinstance(value, int) or -value.as_tuple().exponent <= 3


def _specification(document, line):
    if len(line.encode()) > EVENT_MAX:
        yield "the line is longer than a log event may be"
    for name, _, dimensions in declared(document):
        for dimension in dimensions:
            value = document.get(dimension)
            if not isinstance(value, str) or not re.fullmatch(r"[ -~]{1,1024}", value):
                yield f"dimension {dimension}: {value!r}"
        value = document.get(name)
        values = value if isinstance(value, list) else [value]
        if not 1 <= len(values) <= 100 or not all(_is_number(v) for v in values):
            yield f"metric {name}: {value!r}"
        elif not all(_has_few_decimals(v) and v >= 0 for v in values):
            yield f"metric {name} is below 0 or has more than three decimals: {value!r}"


def _table_rules(document, table):
    names = [name for name, _, _ in declared(document)]
    for name, unit, dimensions in declared(document):
        if table.get(name) != (unit, dimensions):
            yield f"{name}, {unit}, {dimensions} is not in the table"
        if names.count(name) != 1:
            yield f"{name} is declared {names.count(name)} times"
        if isinstance(document.get(name), list) != (name == "ModelLatency"):
            yield f"{name} is, or is no list"
    for name in table.keys() - set(names):
        if name in document:
            yield f"{name} is there and not declared"


def _log_rules(document):
    for name, expected in (("level", "INFO"), ("message", "Request done")):
        if document.get(name) != expected:
            yield f"{name} is not {expected}"
    if not document.get("requestId") or not document.get("source"):
        yield "there is no requestId or no source"
    stamp = document.get("timestamp", "")
    if not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(stamp)):
        yield f"timestamp: {stamp!r}"
        return
    at = datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    if abs(at.timestamp() * 1000 - document["_aws"]["Timestamp"]) > 2000:
        yield "timestamp and Timestamp are apart"


def _chat_rules(document, table):
    absent = table.keys() - NOT_OF_CHATS - OPTIONAL - document.keys()
    if absent:
        yield f"a chat message without {sorted(absent)}"
        return
    value = document.__getitem__
    parts = [value(metric) for metric, _ in OUTCOMES.values()]
    if value("Requests") != 1 or sorted(parts) != [0, 0, 0, 0, 0, 1]:
        yield f"Requests is {value('Requests')}, its outcomes are {parts}"
    metric, statuses = OUTCOMES.get(document.get("outcome"), (None, {}))
    if metric is None or value(metric) != 1 or document.get("status") not in statuses:
        yield f"status {document.get('status')}, outcome {document.get('outcome')} and the metrics differ"
    kinds = ("ThrottlesByRequests", "ThrottlesByTokens", "ThrottlesByTokensPerDay")
    if value("Throttles") != sum(value(kind) for kind in kinds):
        yield "Throttles is not the sum of its kinds"
    calls = value("ModelCalls")
    if value("Throttles") + value("ModelNotReady") > calls:
        yield "more throttles than calls"
    if value("Retries") != max(0, calls - 1) or document.get("attempts") != calls:
        yield "Retries, attempts and ModelCalls differ"
    if len(document.get("ModelLatency", [])) != min(calls, 100):
        yield "ModelLatency has not one value for each call"
    if sum(document.get("ModelLatency", [])) > value("RequestLatency") + Decimal("0.1"):
        yield "the model took longer than the request"
    if value("RateLimiterWaits") == 0 and value("RateLimiterWaitTime") != 0:
        yield "a wait time without waits"
    if value("RateLimiterTimeouts") > value("RequestsRefused"):
        yield "a time-out of the limiter that refused nobody"
    if calls == 0 and ("InputTokens" in document or "OutputTokens" in document):
        yield "tokens without a call"


def _kind_rules(document, table):
    names = {name for name, _, _ in declared(document)}
    if ("Requests" in names) == ("RequestsOther" in names):
        yield "neither Requests nor RequestsOther, or both"
    elif "Requests" in names:
        yield from _chat_rules(document, table)
        if names & NOT_OF_CHATS:
            yield "a chat message is none of the others"
    elif names - OF_OTHERS or document["RequestsOther"] != 1 or document.get("outcome") != "other":
        yield f"no chat message, and {sorted(names)}"
    if ("ColdStart" in names) != ("InitDuration" in names) or document.get("ColdStart", 1) != 1:
        yield "ColdStart and InitDuration go together"


def broken(line, table):
    """The rules that the line, a metrics document, breaks."""
    try:
        document = parse(line)
    except ValueError as error:
        return [str(error)]
    found = [f"{error.json_path}: {error.message}" for error in _validator.iter_errors(document)]
    if found:  # the other rules take its shape for granted
        return found
    found += _specification(document, line)
    found += _table_rules(document, table)
    if found:
        return found
    try:
        return [*_log_rules(document), *_kind_rules(document, table)]
    except KeyError as error:
        return [f"no {error}"]


def never_emitted(lines, table):
    """The names of the table that no document declares."""
    seen = {name for line in lines for name, _, _ in declared(parse(line))}
    return sorted(table.keys() - seen)
