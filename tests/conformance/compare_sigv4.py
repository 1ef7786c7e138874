#!/usr/bin/env python3
"""Signs random requests with botocore and with ours, and compares.

    compare_sigv4.py build/tests/conformance/sigv4_tool [count [seed]]
"""
import json
import pathlib
import random
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).parent.parent / "golden"))
import sigv4  # noqa: E402

UNRESERVED = "ABCXYZabcxyz0189-._~"
PATH_PIECES = list(UNRESERVED) + ["/", "//", "/./", "/../", "%3A", "%2F", "%2f", "%20", "%25"]
PATH_PIECES += list(":@!$&'()*+,;=") + ["é"]
QUERY_PIECES = list(UNRESERVED) + ["&", "&", "=", "=", "%3A", "%2f", "%20", "+", "/", ":", "-"]
VALUE_PIECES = list(UNRESERVED) + [" ", "  ", "\t", ",", ";", '"', ":", "/", "=", "+"]
NAMES = ["Accept", "Content-Type", "X-A", "x-a", "X-B", "X-Amz-Target", "X-Amzn-Bedrock-Trace"]
NAMES += ["X-A-B", "X-AB", "Zebra", "a", "X-Amz-Datf", "x-amz-e"]
SECRET_LETTERS = UNRESERVED + "+/="


def text(draw, pieces, most):
    return "".join(draw.choices(pieces, k=draw.randrange(most)))


def random_case(draw, number):
    service = draw.choice(["bedrock", "dynamodb", "sqs"])
    region = draw.choice(["us-east-1", "eu-central-1", "ap-southeast-4", "us-gov-west-1"])
    case = sigv4.new_case(f"random {number}", service=service, region=region)
    case["method"] = draw.choice(["GET", "POST", "PUT", "DELETE"])
    case["path"] = draw.choice(["", "/" + text(draw, PATH_PIECES, 60), case["path"]])
    case["query"] = draw.choice(["", text(draw, QUERY_PIECES, 40)])
    case["headers"] = [
        [draw.choice(NAMES), text(draw, VALUE_PIECES, 30)] for _ in range(draw.randrange(8))
    ]
    case["body"] = text(draw, VALUE_PIECES + ["é", "\n", "{}"], 80)
    case["body_count"] = draw.choice([1, 1, 1, draw.randrange(1, 1000)])
    case["access_key_id"] = "AKIDEXAMPLE" + text(draw, "ABC0189", 10)
    case["secret_access_key"] = "s" + text(draw, SECRET_LETTERS, 80)
    case["session_token"] = draw.choice([None, "t" + text(draw, SECRET_LETTERS, 600)])
    case["host"] = draw.choice([case["host"], f"127.0.0.1:{draw.randrange(1024, 65536)}"])
    case["time_s"] = draw.randrange(0, 4102444800)
    return case


def main():
    tool = sys.argv[1]
    count = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else random.randrange(1 << 32)
    print(f"{count} random requests, seed {seed}")
    draw = random.Random(seed)
    cases = [random_case(draw, number) for number in range(count)]
    lines = "".join(json.dumps(case) + "\n" for case in cases)
    run = subprocess.run([tool], input=lines, capture_output=True, text=True, check=True)
    ours = run.stdout.splitlines()
    failed = abs(len(cases) - len(ours))
    for case, got in zip(cases, ours):
        expected = sigv4.authorization(case)
        if got != expected:
            failed += 1
            print(f"differs: {json.dumps(case)}\n  botocore {expected}\n  ours     {got}")
    print(f"{count - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
