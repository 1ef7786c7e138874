"""Holds the metrics and log lines that the real program writes against CloudWatch's specification
and our own promises. Needs the environment build/venv/sam; scripts/check-emf starts it.

    check.py              every scene, every document; writes build/check/emf-lines.jsonl
    check.py --self-test  spoils documents in many ways: each must be noticed

build/check/emf-lines.jsonl has every line of the program's that is JSON, for checks that compare
the template's alarms and queries with what is really written."""

import json
import re
import subprocess
import sys
from pathlib import Path

import rules
import scenes

LINES = Path("build/check/emf-lines.jsonl")

# What dashboards, alarms and saved queries search for.
PATTERNS = [
    re.compile(r"Throttling error on attempt"),
    re.compile(r"Rate limit exceeded"),
    re.compile(r"retrying in (?P<delay>\d+\.\d+)s"),
]


class Failure(Exception):
    pass


def metrics_table():
    program = subprocess.run(["build/bootstrap", "--print-metrics"], check=True, capture_output=True, text=True)
    return rules.read_table(program.stdout)


def is_json(line):
    return line.startswith("{")


def documents_of(lines):
    return [line for line in lines if is_json(line) and '"_aws":' in line]


def check_scene(scene, lines, table):
    """Every step has one document that says what the scene expects."""
    documents = documents_of(lines)
    for line in documents:
        wrong = rules.broken(line, table)
        if wrong:
            raise Failure(f"{scene.name}: {wrong}\n{line}")
    if len(documents) != len(scene.expected):
        raise Failure(f"{scene.name}: {len(documents)} documents for {len(scene.expected)} requests")
    namespace = scene.settings.get("AGENT_METRICS_NAMESPACE", "Weir")
    for at, (line, expected) in enumerate(zip(documents, scene.expected)):
        document = rules.parse(line)
        cold = {"ColdStart": 1} if at == 0 else {"ColdStart": None}
        for name, value in (expected | cold | {"function_name": "weir-local"}).items():
            if document.get(name) != value:
                raise Failure(f"{scene.name}: {name} is {document.get(name)}, not {value}\n{line}")
        if document.get("model", scenes.MODEL) != scenes.MODEL:
            raise Failure(f"{scene.name}: another model\n{line}")
        if any(directive["Namespace"] != namespace for directive in document["_aws"]["CloudWatchMetrics"]):
            raise Failure(f"{scene.name}: the namespace is not {namespace}\n{line}")


def check_json_lines(scene, lines):
    """Each line is an object with what Lambda filters by."""
    for line in lines:
        try:
            entry = rules.parse(line)
        except ValueError as error:
            raise Failure(f"{scene.name}: {error}\n{line}") from error
        if not {"timestamp", "level", "message"} <= entry.keys():
            raise Failure(f"{scene.name}: no timestamp, level or message\n{line}")


def check_text_lines(scene, lines):
    """Each line that is no document begins as text lines do, and each document has its text line."""
    texts = [line for line in lines if not is_json(line)]
    head = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z "
                      r"(TRACE|DEBUG|INFO|WARN|ERROR|FATAL) (-|[0-9a-f-]{36}) \S")
    for line in texts:
        if not head.match(line):
            raise Failure(f"{scene.name}: no text line\n{line}")
    done = sum(" Request done " in line for line in texts)
    if done != len(documents_of(lines)):
        raise Failure(f"{scene.name}: {done} lines for {len(documents_of(lines))} documents")


def check_patterns(messages, where):
    for pattern in PATTERNS:
        found = [match for match in map(pattern.search, messages) if match]
        if not found:
            raise Failure(f"{where}: nothing matches {pattern.pattern}")
        if "delay" in pattern.groupindex and not any(float(match["delay"]) > 0 for match in found):
            raise Failure(f"{where}: no delay is above 0")


def check_coverage(documents, table):
    absent = rules.never_emitted(documents, table)
    if absent:
        raise Failure(f"never emitted: {absent}")


def play_all(table):
    as_json, as_text = [], []
    for scene in scenes.SCENES:
        lines = scenes.play(scene)
        check_json_lines(scene, lines)
        check_scene(scene, lines, table)
        as_json += lines
    for scene in scenes.TEXT_SCENES:
        lines = scenes.play(scene)
        check_text_lines(scene, lines)
        check_scene(scene, lines, table)
        as_text += lines
    return as_json, as_text


def check():
    table = metrics_table()
    as_json, as_text = play_all(table)
    check_coverage(documents_of(as_json), table)
    check_patterns([json.loads(line)["message"] for line in as_json], "JSON")
    check_patterns([line for line in as_text if not is_json(line)], "text")
    kept = [line for line in as_json + as_text if is_json(line)]
    LINES.parent.mkdir(parents=True, exist_ok=True)
    LINES.write_text("".join(line + "\n" for line in kept), encoding="utf-8")
    count = len(documents_of(as_json)) + len(documents_of(as_text))
    print(f"{len(scenes.SCENES) + len(scenes.TEXT_SCENES)} scenes, {count} documents, "
          f"all {len(table)} metrics, {len(kept)} lines in {LINES}")


# ---- self-test ----


def first_metric(document):
    return document["_aws"]["CloudWatchMetrics"][0]["Metrics"][0]


def declare(document, name, unit="Count", directive=0):
    document["_aws"]["CloudWatchMetrics"][directive]["Metrics"].append({"Name": name, "Unit": unit})


# Each spoils the document of a message that was throttled once and then answered.
SPOILERS = {
    "no _aws": lambda d: d.pop("_aws"),
    "unknown member of _aws": lambda d: d["_aws"].update(LogGroupName="x"),
    "no Timestamp": lambda d: d["_aws"].pop("Timestamp"),
    "Timestamp in seconds": lambda d: d["_aws"].update(Timestamp=d["_aws"]["Timestamp"] // 1000),
    "Timestamp as a string": lambda d: d["_aws"].update(Timestamp=str(d["_aws"]["Timestamp"])),
    "Timestamp of another time": lambda d: d["_aws"].update(Timestamp=d["_aws"]["Timestamp"] - 60000),
    "no directive": lambda d: d["_aws"].update(CloudWatchMetrics=[]),
    "unknown member of a directive": lambda d: d["_aws"]["CloudWatchMetrics"][0].update(namespace="x"),
    "no Namespace": lambda d: d["_aws"]["CloudWatchMetrics"][0].pop("Namespace"),
    "AWS's namespace": lambda d: d["_aws"]["CloudWatchMetrics"][0].update(Namespace="AWS/Lambda"),
    "a namespace with a space": lambda d: d["_aws"]["CloudWatchMetrics"][0].update(Namespace="We ir"),
    "no dimension set": lambda d: d["_aws"]["CloudWatchMetrics"][0].update(Dimensions=[]),
    "dimensions not in a set": lambda d: d["_aws"]["CloudWatchMetrics"][0].update(Dimensions=["function_name"]),
    "too many dimensions": lambda d: d["_aws"]["CloudWatchMetrics"][0].update(
        Dimensions=[[f"d{i}" for i in range(31)]]),
    "a dimension that is absent": lambda d: d.pop("function_name"),
    "a dimension that is a number": lambda d: d.update(function_name=5),
    "an empty dimension": lambda d: d.update(function_name=""),
    "a long dimension": lambda d: d.update(model="x" * 1025),
    "other dimensions": lambda d: d["_aws"]["CloudWatchMetrics"][0].update(Dimensions=[["model"]]),
    "a second set": lambda d: d["_aws"]["CloudWatchMetrics"][0]["Dimensions"].append([]),
    "no metric": lambda d: d["_aws"]["CloudWatchMetrics"][1].update(Metrics=[]),
    "a unit nobody knows": lambda d: first_metric(d).update(Unit="Counts"),
    "another unit": lambda d: first_metric(d).update(Unit="Milliseconds"),
    "no unit": lambda d: first_metric(d).pop("Unit"),
    "a metric renamed": lambda d: first_metric(d).update(Name="requests"),
    "a metric of no table": lambda d: (d.update(New=1), declare(d, "New")),
    "a metric declared twice": lambda d: declare(d, "Requests"),
    "a metric declared and absent": lambda d: d.pop("Requests"),
    "a metric there and not declared": lambda d: d.update(RequestsOther=0),
    "more than 100 metrics": lambda d: [declare(d, f"m{i}") for i in range(101)],
    "a metric that is a string": lambda d: d.update(Requests="1"),
    "a metric that is a truth": lambda d: d.update(Requests=True),
    "a metric that is null": lambda d: d.update(Requests=None),
    "a metric that is nested": lambda d: d.update(Requests={"value": 1}),
    "a metric below 0": lambda d: d.update(RemainingBudget=-1),
    "many decimals": lambda d: d.update(RequestLatency=99999.12345),
    "no number": lambda d: d.update(RequestLatency=float("nan")),
    "an empty list": lambda d: d.update(ModelLatency=[]),
    "a list of strings": lambda d: d.update(ModelLatency=["1"] * 2),
    "a long list": lambda d: d.update(ModelLatency=[1] * 101),
    "a list elsewhere": lambda d: d.update(Retries=[1]),
    "a latency too few": lambda d: d["ModelLatency"].pop(),
    "a model slower than the request": lambda d: d.update(RequestLatency=0),
    "two outcomes": lambda d: d.update(RequestsFailed=1),
    "no outcome": lambda d: d.update(RequestsAnswered=0),
    "no request": lambda d: d.update(Requests=0),
    "another outcome's word": lambda d: d.update(outcome="failed"),
    "another status": lambda d: d.update(status=500),
    "a throttle of no kind": lambda d: d.update(Throttles=2),
    "a throttle of another kind too": lambda d: d.update(ThrottlesByTokens=1),
    "more not ready than calls": lambda d: d.update(ModelNotReady=2),
    "a retry too many": lambda d: d.update(Retries=2),
    "a call too many": lambda d: d.update(ModelCalls=3),
    "attempts that differ": lambda d: d.update(attempts=1),
    "a wait time without waits": lambda d: d.update(RateLimiterWaitTime=5),
    "a refusal that is none": lambda d: d.update(RateLimiterTimeouts=1),
    "no InitDuration": lambda d: (d.pop("InitDuration"), d["_aws"]["CloudWatchMetrics"][0]["Metrics"].pop()),
    "ColdStart of 2": lambda d: d.update(ColdStart=2),
    "both kinds": lambda d: (d.update(RequestsOther=1), declare(d, "RequestsOther")),
    "too little of a chat": lambda d: (d.pop("Throttles"), d["_aws"]["CloudWatchMetrics"][0].update(
        Metrics=[m for m in d["_aws"]["CloudWatchMetrics"][0]["Metrics"] if m["Name"] != "Throttles"])),
    "another level": lambda d: d.update(level="WARN"),
    "no level": lambda d: d.pop("level"),
    "a time without milliseconds": lambda d: d.update(timestamp=d["timestamp"][:19] + "Z"),
    "another message": lambda d: d.update(message="Done"),
    "no request id": lambda d: d.pop("requestId"),
    "too long a line": lambda d: d.update(session_id="x" * (1 << 20)),
}

# Each makes a good line something that CloudWatch does not read.
LINE_SPOILERS = {
    "text before": lambda line: "INFO " + line,
    "text after": lambda line: line + " x",
    "a member twice": lambda line: line.replace('"Requests":1', '"Requests":1,"Requests":1', 1),
    "an array": lambda line: "[" + line + "]",
}


def expect_noticed(name, wrong):
    if not wrong:
        raise Failure(f"not noticed: {name}")


def fails(action, *arguments):
    try:
        action(*arguments)
    except Failure:
        return True
    return False


def test_scene_checks(scene, lines, table):
    """What check_scene() and its neighbours must notice."""
    line = documents_of(lines)[0]
    said = ["Throttling error on attempt", "Rate limit exceeded"]
    cases = {
        "a document too many": fails(check_scene, scene, lines + [line], table),
        "a document too few": fails(check_scene, scene, [], table),
        "another function": fails(check_scene, scene, [line.replace("weir-local", "other")], table),
        "another model": fails(check_scene, scene, [line.replace(scenes.MODEL, "other")], table),
        "another namespace": fails(check_scene, scene, [line.replace('"Weir"', '"Other"')], table),
        "a line that is no JSON": fails(check_json_lines, scene, ["plain"]),
        "a line without a level": fails(check_json_lines, scene, ['{"timestamp":"x","message":"y"}']),
        "a text line without a level": fails(check_text_lines, scene, ["2026-11-24T12:00:00.000Z - x"]),
        "a document without its text line": fails(check_text_lines, scene, [line]),
        "a pattern that is gone": fails(check_patterns, [*said, "retrying in 3s"], ""),
        "only delays of nothing": fails(check_patterns, [*said, "retrying in 0.00s"], ""),
        "a metric never emitted": fails(check_coverage, [line], table | {"New": ("Count", ("function_name",))}),
        "a unit that changed": rules.broken(line, table | {"ColdStart": ("None", ("function_name",))}),
        "a dimension that changed": rules.broken(line, table | {"ModelLatency": ("Milliseconds", ("model",))}),
        "a metric that left the table": rules.broken(line, {n: r for n, r in table.items() if n != "Retries"}),
    }
    check_patterns([*said, "retrying in 0.01s"], "self-test")
    for name, wrong in cases.items():
        expect_noticed(name, wrong)
    return len(cases)


def self_test():
    table = metrics_table()
    scene = scenes.Scene("self-test", "throttle", [scenes.ASK], [scenes.ANSWERED | {"Throttles": 1}])
    lines = scenes.play(scene)
    check_scene(scene, lines, table)
    good = documents_of(lines)[0]
    for name, spoil in SPOILERS.items():
        document = json.loads(good)
        spoil(document)
        expect_noticed(name, rules.broken(json.dumps(document), table))
    for name, spoil in LINE_SPOILERS.items():
        expect_noticed(name, rules.broken(spoil(good), table))
    count = len(SPOILERS) + len(LINE_SPOILERS) + test_scene_checks(scene, lines, table)
    print(f"check-emf --self-test: {count} cases")


if __name__ == "__main__":
    try:
        self_test() if sys.argv[1:] == ["--self-test"] else check()
    except Failure as failure:
        sys.exit(f"check-emf: {failure}")
