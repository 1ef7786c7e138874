"""Holds the program against botocore, the AWS SDK for Python, with requests and answers made at
random: signatures, the requests for Bedrock, and what its error answers mean.

    build/venv/sdk/bin/python tests/botocore/compare.py [SEED]

The program's side is build/tests/botocore/compare. Ends with status 1 at the first difference, and
says which seed shows it again.
"""

import datetime
import json
import random
import string
import subprocess
import sys
from types import SimpleNamespace
from urllib.parse import quote, urlsplit

import botocore.auth
import botocore.session
from botocore.awsrequest import AWSRequest, AWSResponse, HeadersDict
from botocore.credentials import Credentials
from botocore.parsers import create_parser
from botocore.retries.standard import RetryContext, StandardRetryConditions, ThrottledRetryableChecker

PROGRAM = "build/tests/botocore/compare"
SIGNATURES, REQUESTS, NAMES_READ, ERRORS = 3000, 1000, 3000, 5000

REGIONS = ["us-east-1", "eu-central-1", "ap-southeast-2", "us-gov-west-1"]
MODELS = [
    "anthropic.claude-3-haiku-20240307-v1:0",
    "global.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "us.amazon.nova-lite-v1:0",
    "openai.gpt-oss-120b-1:0",
    "arn:aws:bedrock:us-east-1:123456789012:inference-profile/us.anthropic.claude-sonnet-4-20250514-v1:0",
    "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-pro-v1:0",
]
ANSWER = json.dumps({
    "content": [{"type": "text", "text": "Hello."}], "stop_reason": "end_turn",
    "output": {"message": {"content": [{"text": "Hello."}]}}, "stopReason": "end_turn",
    "choices": [{"message": {"content": "Hello."}, "finish_reason": "stop"}],
})


class Difference(Exception):
    pass


def expect(what, ours, theirs, task):
    if ours != theirs:
        raise Difference(f"{what}\n  task     {json.dumps(task)}\n  ours     {ours}\n  botocore {theirs}")


class Program:
    """One task in, one reply out."""

    def __init__(self):
        self.process = subprocess.Popen(
            [PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8")

    def __call__(self, task):
        self.process.stdin.write(json.dumps(task) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise Difference(f"the program ended at\n  task     {json.dumps(task)}")
        return json.loads(line)

    def close(self):
        self.process.stdin.close()
        if self.process.wait(timeout=60) != 0:
            raise Difference(f"the program ended with status {self.process.returncode}")


def sign(request, task, keys):
    """The Authorization header that botocore gives `request`."""
    at = datetime.datetime.fromtimestamp(task["at"], datetime.timezone.utc)
    botocore.auth.get_current_datetime = lambda *_args, **_more: at
    botocore.auth.SigV4Auth(keys, task["service"], task["region"]).add_auth(request)
    return request.headers["Authorization"], request.headers["X-Amz-Date"]


def word(rng, letters=string.ascii_letters + string.digits, least=1, most=20):
    return "".join(rng.choice(letters) for _ in range(rng.randint(least, most)))


def keys_of(rng):
    return {
        "key": "AKIA" + word(rng, string.ascii_uppercase, 8, 16),
        "secret": word(rng, string.ascii_letters + "+/", 20, 60),
        "token": rng.choice([None, word(rng, string.ascii_letters + "+/=", 1, 400)]),
    }


def random_signature(rng):
    odd = " %:/+=@~*'()!$&,;é漢\u007f-._"
    segment = lambda: quote("x" + word(rng, string.ascii_letters + odd), safe=rng.choice(["", ":@+=,"]))
    pair = lambda: rng.choice(["{}={}", "{}={}", "{}="]).format(
        quote(word(rng, "abcABC-._~ é/+", 1, 3), safe=""), quote(word(rng, most=3), safe=""))
    header = lambda: [
        rng.choice(["Accept", "content-type", "X-Amz-Target", "X-amz-Meta-" + word(rng, most=3)]),
        word(rng, string.ascii_letters + "/;= \t+\"", 0, 20),
    ]
    headers = {name.lower(): [name, value] for name, value in (header() for _ in range(rng.randint(0, 5)))}
    return {
        "do": "sign",
        "method": rng.choice(["GET", "POST", "PUT", "DELETE"]),
        "host": word(rng, string.ascii_lowercase) + ".amazonaws.com" + rng.choice(["", "", ":8443"]),
        "path": "/" + "/".join(segment() for _ in range(rng.randint(0, 5))),
        "query": "&".join(pair() for _ in range(rng.choice([0, 0, 1, 5]))),
        "headers": list(headers.values()),
        "body": rng.randbytes(rng.choice([0, 1, 63, 64, 1000, 100000 if rng.random() < 0.02 else 5])).hex(),
        "region": rng.choice(REGIONS),
        "service": rng.choice(["bedrock", "dynamodb", "sqs"]),
        "at": rng.randint(946684800, 4102444799),
        **keys_of(rng),
    }


def compare_signatures(program, rng):
    for _ in range(SIGNATURES):
        task = random_signature(rng)
        url = "https://" + task["host"] + task["path"] + ("?" + task["query"] if task["query"] else "")
        request = AWSRequest(method=task["method"], url=url, headers=dict(task["headers"]),
                             data=bytes.fromhex(task["body"]))
        theirs = sign(request, task, Credentials(task["key"], task["secret"], task["token"]))
        reply = program(task)
        expect("signature", (reply["authorization"], reply["date"]), theirs, task)


class Client:
    """botocore's own clients for Bedrock, stopped before the network."""

    def __init__(self):
        session = botocore.session.get_session()
        self.clients = {}
        for region in REGIONS:
            client = session.create_client(
                "bedrock-runtime", region, aws_access_key_id="x", aws_secret_access_key="x")
            client.meta.events.register("before-send.bedrock-runtime.InvokeModel", self.keep)
            self.clients[region] = client
        self.operation = client.meta.service_model.operation_model("InvokeModel")
        self.request = None

    def keep(self, request, **_):
        self.request = request
        return AWSResponse(request.url, 200, {}, SimpleNamespace(stream=lambda: iter([b"{}"])))

    def url(self, region, model):
        self.clients[region].invoke_model(modelId=model, body=b"{}")
        return self.request.url


def model_of(rng):
    if rng.random() < 0.5:
        return rng.choice(MODELS), ""
    return "m" + word(rng, string.ascii_letters + string.digits + ":/._-%+ =@~", 1, 60), \
        rng.choice(["anthropic", "nova", "openai"])


def invoke_task(rng, **more):
    keys = keys_of(rng)
    model, provider = model_of(rng)
    settings = {
        "BEDROCK_MODEL_ID": model, "BEDROCK_PROVIDER": provider, "BEDROCK_REGION": rng.choice(REGIONS),
        "AWS_ACCESS_KEY_ID": keys["key"], "AWS_SECRET_ACCESS_KEY": keys["secret"],
        "AWS_SESSION_TOKEN": keys["token"] or "",
    }
    return {
        "do": "invoke", "settings": settings, "at": rng.randint(946684800, 4102444799),
        "message": word(rng, string.printable + "é漢\U0001f30a", 1, 200),
        "answer": {"status": 200, "headers": "Content-Type: application/json\n", "body": ANSWER.encode().hex()},
        **more,
    }


def compare_requests(program, rng, client):
    for _ in range(REQUESTS):
        task = invoke_task(rng)
        settings = task["settings"]
        reply = program(task)
        expect("kind", reply["kind"], "none", task)
        expect("url", (reply["method"], reply["url"]),
               ("POST", client.url(settings["BEDROCK_REGION"], settings["BEDROCK_MODEL_ID"])), task)
        sent = HeadersDict(line.split(": ", 1) for line in reply["sent_headers"].splitlines())
        signed = sent["Authorization"].split("SignedHeaders=")[1].split(",")[0].split(";")
        for name in ["accept", "content-type", "host", "x-amz-date"]:
            expect(f"{name} is signed", name in signed, True, task)
        request = AWSRequest(
            method="POST", url=reply["url"], data=bytes.fromhex(reply["sent_body"]),
            headers={name: sent[name] for name in signed
                     if name not in ("host", "x-amz-date", "x-amz-security-token")})
        scope = {"at": task["at"], "service": "bedrock", "region": settings["BEDROCK_REGION"]}
        keys = Credentials(settings["AWS_ACCESS_KEY_ID"], settings["AWS_SECRET_ACCESS_KEY"],
                           settings["AWS_SESSION_TOKEN"] or None)
        expect("signature of a request", (sent["Authorization"], sent["X-Amz-Date"]),
               sign(request, scope, keys), task)
        expect("session token", sent.get("X-Amz-Security-Token", ""), settings["AWS_SESSION_TOKEN"], task)


# Exception names, each with the statuses that it comes with.
NAMES = {
    "RequestTimeout": [400, 408], "RequestTimeoutException": [400, 408], "AccessDeniedException": [403],
    "ResourceNotFoundException": [404], "ModelTimeoutException": [408], "InternalServerException": [500],
    "ServiceUnavailableException": [503], "ValidationException": [400],
    "ServiceQuotaExceededException": [400], "ModelNotReadyException": [429], "ModelErrorException": [424],
    "ConflictException": [400], "ExpiredTokenException": [403],
}
NAMES.update({name: [400, 429, 503] for name in ThrottledRetryableChecker._THROTTLED_ERROR_CODES})
STATUSES = [400, 401, 403, 404, 408, 409, 413, 418, 424, 429, 500, 501, 502, 503, 504, 529]
MESSAGES = [
    "Too many requests, please wait before trying again.",
    "Too many tokens, please wait before trying again.",
    "Too many tokens per day, please wait before trying again.",
    "Bedrock is unable to process your request.", "", "é漢",
]
# What a name may come to mean once the message and the status have been read, too.
FINER = {
    "throttled": {"throttled", "throttled_tokens", "throttled_day"},
    "model_error": {"model_error", "model_fault"},
}
# Where we differ from the SDK's standard mode on purpose (facts in docs/bedrock-throttling-mitigation.md):
# a day's quota does not come back in time; a model's own fault may pass; a 429 is a throttle, named or
# not; so is any 5xx a server's fault; and without a name, a text that says to wait is believed. A name
# says more than the status, so that only the statuses that belong to a name are compared.
RETRIED_BY_SDK_ONLY = {"throttled_day"}
RETRIED_BY_US_ONLY = {"model_fault", "throttled", "throttled_tokens", "server_fault", "service_unavailable"}


def random_error(rng):
    name = rng.choice([*NAMES, "SomethingNewException"])
    spelled = rng.choice(["{}", "{}:", "{}:http://internal.amazon.com/coral/com.amazon.bedrock/",
                          "com.amazon.bedrock#{}", "com.amazon.coral#{}:http://x/"]).format(name)
    body = {rng.choice(["message", "message", "Message"]): rng.choice(MESSAGES)}
    headers = "Content-Type: application/json\n"
    if rng.random() < 0.7:
        headers += rng.choice(["x-amzn-ErrorType", "X-Amzn-Errortype", "x-amzn-errortype"]) + f": {spelled}\n"
    if rng.random() < 0.4:
        body[rng.choice(["code", "Code", "__type"])] = spelled
    if rng.random() < 0.1:
        body["originalStatusCode"] = rng.choice([400, 500, 503])
    text = json.dumps(body) if rng.random() < 0.9 else rng.choice(["", "<html>", "{", "no"])
    status = rng.choice(NAMES.get(name, STATUSES) if rng.random() < 0.8 else STATUSES)
    return {"status": status, "headers": headers, "body": text.encode().hex()}


def read_by_botocore(answer, operation):
    """The error's name and message, and whether the SDK's standard mode tries again."""
    headers = HeadersDict(line.split(": ", 1) for line in answer["headers"].splitlines())
    parsed = create_parser("rest-json").parse(
        {"status_code": answer["status"], "headers": headers, "body": bytes.fromhex(answer["body"])},
        operation.output_shape)
    context = RetryContext(
        attempt_number=1, operation_model=operation, parsed_response=parsed,
        http_response=SimpleNamespace(status_code=answer["status"]), caught_exception=None)
    again = StandardRetryConditions(max_attempts=10).is_retryable(context)
    return parsed["Error"]["Code"], parsed["Error"]["Message"], again


def odd_name(rng):
    name = word(rng, least=0, most=70) if rng.random() < 0.5 else rng.choice([*NAMES])
    before = word(rng, "ab.#: ", 0, 4) + rng.choice(["", "com.amazon#", "a.b#c#"])
    after = rng.choice(["", "", ":", ":http://x/#y", " :x", "#", "-_.", " " + word(rng, most=3)])
    return (before + name + after).strip() or "x"


def compare_names(program, rng, client):
    """Where an exception's name stands, and what of that text it is."""
    for _ in range(NAMES_READ):
        body = {"message": rng.choice(MESSAGES)}
        for member in rng.sample(["code", "Code", "__type"], rng.choice([0, 1, 1, 2, 3])):
            body[member] = odd_name(rng)
        headers = "Content-Type: application/json\n"
        if rng.random() < 0.5:
            headers += rng.choice(["x-amzn-ErrorType", "X-AMZN-ERRORTYPE"]) + f": {odd_name(rng)}\n"
        answer = {"status": rng.choice(STATUSES), "headers": headers, "body": json.dumps(body).encode().hex()}
        theirs = read_by_botocore(answer, client.operation)[0].strip()
        if len(body) == 1 and "rror" not in headers.lower():
            theirs = ""  # botocore has the status for a name
        if not (theirs.isascii() and theirs.isalnum() and len(theirs) <= 64):
            theirs = ""  # no plain word: not for our log
        task = {"do": "name", "answer": answer}
        expect("name", program(task)["name"], theirs, task)


def compare_errors(program, rng, client):
    for _ in range(ERRORS):
        answer = random_error(rng)
        task = invoke_task(rng, answer=answer)
        reply = program(task)
        name, message, again = read_by_botocore(answer, client.operation)
        if name == str(answer["status"]) and "errortype" in answer["headers"].lower():
            continue  # a page of HTML, or nothing, with 5xx: botocore does not look at the headers
        known = program({"do": "kind", "name": name})
        if known["kind"] != "none":
            expect(f"{name} is read as its kind", reply["kind"] in FINER.get(known["kind"], {known["kind"]}),
                   True, {**task, "reply": reply, "known": known})
        if known["kind"] == "throttled" and message.startswith("Too many tokens"):
            expect("message", reply["kind"],
                   "throttled_day" if "per day" in message else "throttled_tokens", task)
        if answer["status"] not in NAMES.get(name, STATUSES):
            continue
        if reply["kind"] not in (RETRIED_BY_SDK_ONLY if again else RETRIED_BY_US_ONLY):
            expect(f"{name} with {answer['status']} is retried", reply["retry"] != "never", again,
                   {**task, "reply": reply})


def main():
    seed = int(sys.argv[1]) if len(sys.argv) > 1 else random.randrange(10**9)
    rng = random.Random(seed)
    program = Program()
    client = Client()
    try:
        compare_signatures(program, rng)
        compare_requests(program, rng, client)
        compare_names(program, rng, client)
        compare_errors(program, rng, client)
        program.close()
    except Difference as difference:
        sys.exit(f"seed {seed}: {difference}")
    print(f"seed {seed}: {SIGNATURES} signatures, {REQUESTS} requests, {NAMES_READ} names and {ERRORS} errors agree")


main()
