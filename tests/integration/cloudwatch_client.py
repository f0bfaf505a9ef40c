#!/usr/bin/env python3
"""What cloudwatch_cli_test.sh needs beside the AWS CLI, with Python's own modules only.

    cloudwatch_client.py publish ENDPOINT INSTANCE TASKS
        An agent's side: connects ACS and TCS as the container instance, waits until the cluster has so many tasks, and
        publishes one round for them: each task used 0.5 % of the instance's CPU and 16 MiB. Ends with the last
        acknowledgement; prints the number of requests.
    cloudwatch_client.py put-gzip ENDPOINT COUNT
        PutMetricData of so many metrics in namespace Packed, compressed. Prints the HTTP status.

Keys and region come from the AWS_ variables.
"""
import base64
import datetime
import gzip
import hashlib
import hmac
import json
import os
import socket
import struct
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid

TASKS_IN_A_REQUEST = 10


def signed_headers(method, host, path, query, body, service):
    now = datetime.datetime.utcnow().strftime("%Y%m%dT%H%M%SZ")
    region = os.environ["AWS_DEFAULT_REGION"]
    scope = f"{now[:8]}/{region}/{service}/aws4_request"
    canonical = "\n".join([method, path, query, f"host:{host}", f"x-amz-date:{now}", "", "host;x-amz-date",
                           hashlib.sha256(body).hexdigest()])
    to_sign = "\n".join(["AWS4-HMAC-SHA256", now, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = ("AWS4" + os.environ["AWS_SECRET_ACCESS_KEY"]).encode()
    for part in [now[:8], region, service, "aws4_request", to_sign]:
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    credential = f"{os.environ['AWS_ACCESS_KEY_ID']}/{scope}"
    return {"Authorization": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host;x-amz-date, "
                             f"Signature={key.hex()}",
            "Host": host, "X-Amz-Date": now}


class Websocket:
    def __init__(self, endpoint, path, parameters):
        self.host = urllib.parse.urlsplit(endpoint).netloc
        self.path = path
        self.query = "&".join(f"{name}={urllib.parse.quote(value, safe='')}" for name, value in sorted(parameters.items()))
        address, port = self.host.split(":")
        self.socket = socket.create_connection((address, int(port)), timeout=20)
        headers = signed_headers("GET", self.host, self.path, self.query, b"", "ecs")
        headers |= {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13",
                    "Sec-WebSocket-Key": base64.b64encode(os.urandom(16)).decode()}
        lines = [f"GET {self.path}?{self.query} HTTP/1.1"] + [f"{name}: {value}" for name, value in headers.items()]
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self.stream = self.socket.makefile("rb")
        status = self.stream.readline().decode().strip()
        while self.stream.readline().strip():
            pass
        if " 101 " not in status:
            sys.exit(f"no websocket at {path}: {status}")

    def send(self, text):
        data = text.encode()
        mask = os.urandom(4)
        length = struct.pack(">BH", 128 | 126, len(data))  # frames here have 126 bytes to 64 KiB
        self.socket.sendall(b"\x81" + length + mask + bytes(byte ^ mask[i % 4] for i, byte in enumerate(data)))

    def send_signed(self, kind, message):
        envelope = json.dumps({"type": kind, "message": message})
        headers = signed_headers("GET", self.host, self.path, self.query, envelope.encode(), "ecs")
        self.send("".join(f"{name}: {value}\r\n" for name, value in headers.items()) + "\r\n" + envelope)

    def receive(self):
        head = self.stream.read(2)
        length = head[1] & 127
        if length == 126:
            length, = struct.unpack(">H", self.stream.read(2))
        elif length == 127:
            length, = struct.unpack(">Q", self.stream.read(8))
        data = self.stream.read(length)
        if head[0] & 15 == 8:
            sys.exit(f"closed: {data[2:].decode()}")
        return json.loads(data)


def task_metric(arn):
    def samples(value):
        return {"max": value, "min": value, "sampleCount": 20, "sum": value * 20}
    return {"taskArn": arn, "taskDefinitionFamily": "web", "taskDefinitionVersion": "1",
            "containerMetrics": [{"containerName": "web", "cpuStatsSet": samples(0.5), "memoryStatsSet": samples(16)}]}


def publish(endpoint, instance, count):
    acs = Websocket(endpoint, "/acs/ws", {"containerInstanceArn": instance, "protocolVersion": "2", "sendCredentials": "true"})
    deadline = time.monotonic() + 30
    tasks = []
    while len(tasks) < count:
        if time.monotonic() > deadline:
            sys.exit(f"{len(tasks)} tasks, not {count}")
        with urllib.request.urlopen(endpoint + "/_local/tasks", timeout=20) as answer:
            tasks = [task["taskArn"] for task in json.load(answer)]
        time.sleep(0.05)
    tcs = Websocket(endpoint, "/tcs/ws", {"containerInstance": instance, "cluster": "cloudwatch"})
    message_id = str(uuid.uuid4())
    parts = [tasks[i:i + TASKS_IN_A_REQUEST] for i in range(0, len(tasks), TASKS_IN_A_REQUEST)]
    for part in parts:
        tcs.send_signed("PublishMetricsRequest", {
            "metadata": {"cluster": "cloudwatch", "containerInstance": instance, "fin": part is parts[-1], "idle": False,
                         "messageId": message_id},
            "taskMetrics": [task_metric(arn) for arn in part],
            "timestamp": round(time.time(), 3)})
        while tcs.receive()["type"] != "AckPublishMetric":
            pass
    acs.socket.close()
    print(len(parts))


def put_gzip(endpoint, count):
    form = {"Action": "PutMetricData", "Version": "2010-08-01", "Namespace": "Packed"}
    for i in range(1, count + 1):
        form[f"MetricData.member.{i}.MetricName"] = "packed"
        form[f"MetricData.member.{i}.Value"] = i
        form[f"MetricData.member.{i}.Dimensions.member.1.Name"] = "n"
        form[f"MetricData.member.{i}.Dimensions.member.1.Value"] = i
    body = gzip.compress(urllib.parse.urlencode(form).encode())
    headers = signed_headers("POST", urllib.parse.urlsplit(endpoint).netloc, "/", "", body, "monitoring")
    headers |= {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8", "Content-Encoding": "gzip"}
    request = urllib.request.Request(endpoint + "/", body, headers, method="POST")
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            print(answer.status)
    except urllib.error.HTTPError as refused:
        sys.exit(f"{refused.code}: {refused.read().decode()}")


if sys.argv[1:2] == ["publish"]:
    publish(sys.argv[2], sys.argv[3], int(sys.argv[4]))
elif sys.argv[1:2] == ["put-gzip"]:
    put_gzip(sys.argv[2], int(sys.argv[3]))
else:
    sys.exit(__doc__)
