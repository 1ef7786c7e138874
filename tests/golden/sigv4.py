#!/usr/bin/env python3
"""Signs requests with botocore. As a program: writes the goldens of tests/unit/aws/sigv4_test.c.

    scripts/venv sdk && build/venv/sdk/bin/python tests/golden/sigv4.py >tests/golden/sigv4.json

A case is what tests/support/sigv4_case.h reads, and `authorization`, the header that botocore made.
Keys are made up.
"""
import datetime
import itertools
import json
from unittest import mock

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

SECRET = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
NOON = 1795435200  # 20261123T120000Z
JSON_HEADERS = [["Accept", "application/json"], ["Content-Type", "application/json"]]
MODEL = "/model/anthropic.claude-3-haiku-20240307-v1%3A0/invoke"
PROFILE = (
    "/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A123456789012%3Ainference-profile%2F"
    "us.anthropic.claude-sonnet-4-20250514-v1%3A0/invoke"
)


def authorization(case):
    """The Authorization header of a case."""
    body = case["body"] * case.get("body_count", 1)
    url = "https://" + case["host"] + case["path"]
    if case["query"]:
        url += "?" + case["query"]
    request = AWSRequest(method=case["method"], url=url, data=body.encode())
    for name, value in case["headers"]:
        request.headers.add_header(name, value)
    credentials = Credentials(
        case["access_key_id"], case["secret_access_key"], case["session_token"]
    )
    when = datetime.datetime.fromtimestamp(case["time_s"], datetime.timezone.utc)
    with mock.patch("botocore.auth.get_current_datetime", return_value=when):
        SigV4Auth(credentials, case["service"], case["region"]).add_auth(request)
    return request.headers["Authorization"]


def new_case(name, **changes):
    """An InvokeModel request, but for `changes`."""
    region = changes.get("region", "us-east-1")
    service = changes.get("service", "bedrock")
    hosts = {"bedrock": "bedrock-runtime"}
    case = {
        "name": name,
        "method": "POST",
        "host": f"{hosts.get(service, service)}.{region}.amazonaws.com",
        "path": MODEL,
        "query": "",
        "headers": JSON_HEADERS,
        "body": "{}",
        "access_key_id": "AKIDEXAMPLE",
        "secret_access_key": SECRET,
        "session_token": "SESSIONTOKEN",
        "region": region,
        "service": service,
        "time_s": NOON,
    }
    case.update(changes)
    return case


def path_cases():
    paths = {
        "empty": "",
        "root": "/",
        "one": "/model",
        "slash at the end": "/model/",
        "slashes": "//model///a//invoke/",
        "dot": "/model/./invoke",
        "two dots": "/model/a/../invoke",
        "too many dots": "/../../model",
        "dots to nothing": "/a/..",
        "dots to nothing, slash": "/a/../",
        "dots at the end": "/a/b/.",
        "three dots": "/a/.../b",
        "hidden": "/.a/..b",
        "bare colon": "/model/a:0/invoke",
        "encoded colon": "/model/a%3A0/invoke",
        "lower case hex": "/model/a%3a0%2fb/invoke",
        "encoded slash": "/model/a%2Fb/invoke",
        "encoded per cent": "/model/a%25b/invoke",
        "encoded space": "/model/a%20b/invoke",
        "plus and others": "/a+b/c,d;e=f&g@h!i$j'k(l)m*n",
        "unreserved": "/AZaz09-._~",
        "encoded UTF-8": "/model/caf%C3%A9",
        "bare UTF-8": "/model/café",
        "converse": "/model/us.amazon.nova-lite-v1%3A0/converse-stream",
        "profile": PROFILE,
        "long": "/model/" + "a" * 2048 + "%3A0/invoke",
    }
    return [new_case("path: " + name, path=path) for name, path in paths.items()]


def query_cases():
    queries = {
        "one": "a=1",
        "sorted": "b=2&a=1&c=3",
        "same name": "a=2&a=1&a=",
        "no value": "b&a",
        "empty value": "b=&a=",
        "no name": "=1&a=2",
        "equals in the value": "a=b=c",
        "shorter name first": "a-b=1&a=2&ab=3",
        "encoded": "b=%2F%3A&a=%20x&%41=1",
        "lower case hex": "a=%7e%3a",
        "empty pairs": "&&b=1&",
        "upper case first": "a=1&B=2&A=3",
        "twenty": "&".join(f"p{i % 7}={19 - i}" for i in range(20)),
    }
    return [new_case("query: " + name, query=query) for name, query in queries.items()]


def header_cases():
    headers = {
        "none": [],
        "spaces around": [["Accept", "   application/json  "]],
        "spaces inside": [["X-A", "a   b \t c"]],
        "only spaces": [["X-A", "   "]],
        "empty": [["X-A", ""]],
        "mixed case": [["x-B", "1"], ["X-a", "2"], ["ACCEPT", "3"]],
        "twice": [["X-A", "2"], ["X-A", "1"]],
        "twice, mixed case": [["X-A", " z "], ["x-b", "m"], ["x-a", "a  a"]],
        "twice, empty": [["X-A", ""], ["X-A", "1"], ["X-A", ""]],
        "same prefix": [["X-A-B", "1"], ["X-A", "2"], ["X-AB", "3"], ["X-A_B", "4"]],
        "commas and quotes": [["X-A", 'a, "b  c", d']],
        "before and after ours": [["A", "1"], ["I", "2"], ["X-Amz-Datf", "3"], ["Z", "4"]],
        "bedrock": JSON_HEADERS
        + [["X-Amzn-Bedrock-Service-Tier", "flex"], ["X-Amzn-Bedrock-Trace", "DISABLED"]],
        "target": [
            ["X-Amz-Target", "DynamoDB_20120810.UpdateItem"],
            ["Content-Type", "application/x-amz-json-1.0"],
        ],
        "many": [[f"X-{chr(65 + i * 7 % 26)}", str(i)] for i in range(26)],
    }
    return [new_case("headers: " + name, headers=value) for name, value in headers.items()]


def other_cases():
    token = "FwoGZXIvYXdzEJr//////////wEaDE+a/b=" * 30 + "=="
    bodies = [("empty", "", 1), ("text", '{"a":"é \\" b"}', 1), ("1 MiB", "a", 1 << 20)]
    bodies.append(("a block", "x", 64))
    cases = [
        new_case("facts: model", path=MODEL),
        new_case("facts: profile", path=PROFILE),
        new_case("no token", session_token=None),
        new_case("token with + / =", session_token=token),
        new_case("GET", method="GET", body="", headers=[]),
        new_case("DELETE", method="DELETE", body="", headers=[]),
        new_case("port", host="127.0.0.1:9001"),
        new_case("localhost", host="localhost:8080"),
        new_case("short secret", secret_access_key="a"),
        new_case("long secret", secret_access_key="s+/" * 80),
        new_case("long access key", access_key_id="ASIA" + "EXAMPLE" * 17),
    ]
    cases += [
        new_case("body: " + name, body=body, body_count=count) for name, body, count in bodies
    ]
    times = [0, 951782399, 951782400, 1704067199, 1704067200, 4102444800, NOON + 1]
    cases += [new_case(f"time: {time}", time_s=time) for time in times]
    places = itertools.product(
        ["bedrock", "dynamodb", "sqs"], ["us-east-1", "eu-central-1", "ap-southeast-4"]
    )
    cases += [
        new_case(f"{service} in {region}", path="/", service=service, region=region)
        for service, region in places
    ]
    return cases


def main():
    cases = path_cases() + query_cases() + header_cases() + other_cases()
    for case in cases:
        case["authorization"] = authorization(case)
    print(json.dumps(cases, indent=1, ensure_ascii=True))


if __name__ == "__main__":
    main()
