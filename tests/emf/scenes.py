"""Runs build/local, and with it the real bootstrap, through what makes metrics."""

import http.client
import json
import os
import re
import signal
import subprocess
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path

PATIENCE_S = 60
MODEL = "anthropic.claude-3-haiku-20240307-v1:0"
QUICK = {
    "BEDROCK_MODEL_ID": MODEL,
    "BEDROCK_BASE_DELAY": "0.01", "BEDROCK_MAX_DELAY": "0.02",
    "BEDROCK_APP_BASE_DELAY": "0.01", "BEDROCK_APP_MAX_DELAY": "0.02",
}
QUESTION = json.dumps({"message": "test", "session_id": "s-1"})
BATCH = json.dumps({"Records": [{"eventSource": "aws:sqs", "messageId": "m-1", "body": QUESTION}]})
ASK = ("POST", "/agent", QUESTION)
HEALTH = ("GET", "/health", None)


@dataclass
class Scene:
    """What the stand-in plays, what is sent, and what the documents must say, one for each step."""
    name: str
    fault: str
    steps: list
    expected: list  # of {metric or member: value}; None: must be absent
    settings: dict = field(default_factory=dict)


def invoke(event):
    return ("POST", "/_local/invoke", event)


ANSWERED = {"outcome": "answered", "RequestsAnswered": 1}
REFUSED = {"outcome": "refused", "RequestsRefused": 1}
FAILED = {"outcome": "failed", "RequestsFailed": 1}
TIMED_OUT = {"outcome": "timed_out", "RequestsTimedOut": 1}
REJECTED = {"outcome": "rejected", "RequestsRejected": 1, "ModelCalls": 0, "ModelLatency": None}
OTHER = {"outcome": "other", "RequestsOther": 1, "Requests": None}

SCENES = [
    Scene("messages", "ok*",
          [ASK, invoke(QUESTION), ("POST", "/agent", "{"), invoke("no JSON")],
          [ANSWERED | {"ColdStart": 1}, ANSWERED | {"source": "direct"}, REJECTED, REJECTED]),
    Scene("no messages", "ok*",
          [HEALTH, ("OPTIONS", "/agent", None), ("GET", "/agent", None), ("POST", "/nowhere", "{}"), invoke(BATCH)],
          [OTHER | {"ColdStart": 1}, OTHER, OTHER | {"status": 405}, OTHER | {"status": 404},
           OTHER | {"source": "sqs", "status": None}]),
    Scene("throttles", "throttle,tokens", [ASK],
          [ANSWERED | {"Throttles": 2, "ThrottlesByRequests": 1, "ThrottlesByTokens": 1, "Retries": 2}]),
    Scene("throttled to the end", "throttle*", [ASK],
          [REFUSED | {"Throttles": 2, "ThrottlesByRequests": 2, "RateLimiterTimeouts": 0}],
          {"BEDROCK_APP_RETRIES": "1"}),
    Scene("the day's tokens", "tokens-per-day", [ASK], [REFUSED | {"ThrottlesByTokensPerDay": 1, "ModelCalls": 1}]),
    Scene("not ready", "not-ready", [ASK], [ANSWERED | {"ModelNotReady": 1, "Throttles": 0, "Retries": 1}]),
    Scene("faults that pass", "500,503", [ASK], [ANSWERED | {"Throttles": 0, "Retries": 2, "ModelCalls": 3}]),
    Scene("refused by Bedrock", "access-denied", [ASK], [FAILED | {"ModelCalls": 1, "InputTokens": None}]),
    Scene("the model's time-out", "model-timeout", [ASK], [TIMED_OUT]),
    Scene("no answer", "hang", [ASK], [TIMED_OUT | {"ModelCalls": 1}], {"BEDROCK_READ_TIMEOUT": "0.2"}),
    Scene("out of time", "hang", [ASK], [TIMED_OUT | {"RemainingBudget": 0}], {"AGENT_RESPONSE_TIMEOUT": "0.4"}),
    Scene("paid for nothing", "empty", [ASK], [FAILED | {"ModelCalls": 1, "InputTokens": 9}]),
    Scene("no counts", "no-usage", [ASK], [ANSWERED | {"InputTokens": None, "OutputTokens": None}]),
    Scene("waits for the limiter", "ok*", [ASK, ASK],
          [ANSWERED | {"RateLimiterWaits": 0}, ANSWERED | {"RateLimiterWaits": 1}],
          {"BEDROCK_RATE_LIMIT": "120", "BEDROCK_BURST": "1"}),
    Scene("the limiter refuses", "ok*", [ASK, ASK],
          [ANSWERED, REFUSED | {"RateLimiterTimeouts": 1, "ModelCalls": 0, "ModelLatency": None}],
          {"BEDROCK_RATE_LIMIT": "1", "BEDROCK_BURST": "1"}),
    Scene("another namespace, few lines", "throttle", [ASK], [ANSWERED | {"Throttles": 1}],
          {"AGENT_METRICS_NAMESPACE": "Check/Weir", "AWS_LAMBDA_LOG_LEVEL": "ERROR"}),
]

TEXT_SCENES = [
    Scene("text", "throttle", [ASK, HEALTH], [ANSWERED | {"Throttles": 1, "ColdStart": 1}, OTHER],
          {"AWS_LAMBDA_LOG_FORMAT": "Text"}),
    Scene("text, refused", "ok*", [ASK, ASK], [ANSWERED, REFUSED | {"RateLimiterTimeouts": 1}],
          {"AWS_LAMBDA_LOG_FORMAT": "Text", "BEDROCK_RATE_LIMIT": "1", "BEDROCK_BURST": "1"}),
]


class Local:
    """build/local on a port of its own; everything it started ends with it."""

    def __init__(self, scene, log):
        settings = [word for name, value in (QUICK | scene.settings).items() for word in ("--env", f"{name}={value}")]
        self.process = subprocess.Popen(
            ["build/local", "--port", "0", "--sandboxes", "1", "--log", log, "--fault", scene.fault, *settings],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin")})
        watchdog = threading.Timer(PATIENCE_S, self.process.kill)
        watchdog.daemon = True
        watchdog.start()
        self.watchdog = watchdog
        said = ""
        for said in self.process.stdout:
            found = re.search(r"listening on http://127\.0\.0\.1:(\d+)", said)
            if found:
                self.port = int(found.group(1))
                return
        raise RuntimeError(f"build/local does not say where it listens: {said}")

    def send(self, method, path, body):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body, {"Content-Type": "application/json"} if body else {})
            connection.getresponse().read()
        finally:
            connection.close()

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.communicate()  # the watchdog bounds it
        self.watchdog.cancel()
        if self.process.returncode != 0:
            raise RuntimeError(f"build/local ended with status {self.process.returncode}")


def play(scene):
    """The lines that the function wrote."""
    with tempfile.TemporaryDirectory() as folder:
        log = str(Path(folder) / "log")
        local = Local(scene, log)
        try:
            for step in scene.steps:
                local.send(*step)
        finally:
            local.stop()
        return Path(log).read_text(encoding="utf-8").splitlines()
