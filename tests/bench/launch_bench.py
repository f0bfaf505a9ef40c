#!/usr/bin/env python3
"""The same burst of tasks on Docker and on containerd, in one run: from RunTask to all RUNNING as the control plane sees it.

    tests/bench/launch_bench.py --programs build/bench --docker /run/docker.sock --containerd /run/containerd/containerd.sock

Needs root and the image busybox:latest in both: Docker's own, and in containerd's namespace launch-bench under
docker.io/library/busybox:latest (packaging/common.sh busybox_archive; ctr -n launch-bench images import). Takes the agent's
fixed ports. Prints medians of --rounds, their ratio, the time of a single warm task, and the agent's resident set.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request


def call(endpoint, operation, body):
    request = urllib.request.Request(endpoint + "/", data=json.dumps(body).encode(), headers={
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "AmazonEC2ContainerServiceV20141113." + operation})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.loads(answer.read())


def until(what, seconds, reached):
    end = time.monotonic() + seconds
    while True:
        value = reached()
        if value:
            return value
        if time.monotonic() > end:
            raise SystemExit("waited in vain for " + what)
        time.sleep(0.01)


class Host:
    """A control plane and an agent with one runtime."""

    def __init__(self, programs, runtime, sockets, network):
        self.directory = tempfile.mkdtemp(prefix="launch-bench.")
        self.local = subprocess.Popen([programs + "/ecs-local", "--listen", "127.0.0.1:0", "--data",
                                       self.directory + "/plane"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        self.endpoint = None
        while not self.endpoint:
            found = re.search(r"http://127\.0\.0\.1:\d+", self.local.stdout.readline())
            self.endpoint = found and found.group(0)
        call(self.endpoint, "CreateCluster", {"clusterName": "default"})
        environment = {
            "PATH": os.environ["PATH"], "ECS_BACKEND_HOST": self.endpoint, "AWS_DEFAULT_REGION": "us-west-2",
            "AWS_ACCESS_KEY_ID": "bench", "AWS_SECRET_ACCESS_KEY": "bench", "AWS_EC2_METADATA_DISABLED": "true",
            "ECS_DATADIR": self.directory + "/agent", "ECS_AUDIT_LOGFILE_DISABLED": "true", "ECS_RUNTIME": runtime,
            "DOCKER_HOST": "unix://" + sockets["docker"], "ECS_CONTAINERD_ADDRESS": sockets["containerd"],
            "ECS_CONTAINERD_NAMESPACE": "launch-bench", "ECS_CONTAINERD_BRIDGE": "ecsbench0",
            "ECS_CONTROL_SOCKET": self.directory + "/control.sock", "ECS_IMAGE_PULL_BEHAVIOR": "prefer-cached",
            "ECS_CONTAINER_STOP_TIMEOUT": "1s", "ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION": "1s"}
        self.log = open(self.directory + "/agent.log", "w")
        self.agent = subprocess.Popen([programs + "/ecs-node-agent"], env=environment, stdout=self.log, stderr=self.log)
        until("the agent to register", 30, lambda: self.instance().get("agentConnected"))
        definition = call(self.endpoint, "RegisterTaskDefinition", {
            "family": "launch", "networkMode": network,
            "containerDefinitions": [{"name": "main", "image": "busybox:latest", "memory": 16, "command": ["sleep", "600"]}]})
        self.definition = definition["taskDefinition"]["taskDefinitionArn"]

    def instance(self):
        arns = call(self.endpoint, "ListContainerInstances", {}).get("containerInstanceArns")
        if not arns:
            return {}
        return call(self.endpoint, "DescribeContainerInstances", {"containerInstances": arns})["containerInstances"][0]

    def statuses(self, tasks):
        found = []
        for first in range(0, len(tasks), 100):
            found += call(self.endpoint, "DescribeTasks", {"tasks": tasks[first:first + 100]})["tasks"]
        return [task["lastStatus"] for task in found]

    def burst(self, count):
        begun = time.monotonic()
        tasks = []
        while len(tasks) < count:
            answer = call(self.endpoint, "RunTask", {"taskDefinition": self.definition, "count": min(10, count - len(tasks))})
            if answer["failures"]:
                raise SystemExit("not placed: %s" % answer["failures"][0])
            tasks += [task["taskArn"] for task in answer["tasks"]]
        until("%d tasks to run" % count, 120, lambda: all(status == "RUNNING" for status in self.statuses(tasks)))
        took = time.monotonic() - begun
        for task in tasks:
            call(self.endpoint, "StopTask", {"task": task})
        until("%d tasks to stop" % count, 120, lambda: all(status == "STOPPED" for status in self.statuses(tasks)))
        time.sleep(3)  # clean-up, which the next burst should not meet
        return took

    def resident_mib(self):
        with open("/proc/%d/status" % self.agent.pid) as status:
            return int(re.search(r"VmRSS:\s+(\d+)", status.read()).group(1)) / 1024

    def close(self):
        self.agent.terminate()
        self.agent.wait()
        self.local.terminate()
        self.local.wait()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--programs", required=True, help="folder with ecs-node-agent, ecs-containerd.so, ecs-awslogs, ecs-local")
    parser.add_argument("--docker", default="/var/run/docker.sock")
    parser.add_argument("--containerd", default="/run/containerd/containerd.sock")
    parser.add_argument("--tasks", type=int, default=50)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--network", default="none", help="none, bridge or host")
    options = parser.parse_args()
    medians = {}
    for runtime in ("docker", "containerd"):
        host = Host(options.programs, runtime, {"docker": options.docker, "containerd": options.containerd}, options.network)
        try:
            idle = host.resident_mib()
            host.burst(1)
            single = [host.burst(1) for _ in range(7)]
            bursts = [host.burst(options.tasks) for _ in range(options.rounds)]
        finally:
            host.close()
        medians[runtime] = statistics.median(bursts)
        print("%-10s one warm task p50 %4.0f ms; %d tasks at once %s s, median %.2f s; resident set idle %.1f MiB" % (
            runtime, statistics.median(single) * 1000, options.tasks, ", ".join("%.2f" % took for took in bursts),
            medians[runtime], idle))
        sys.stdout.flush()
    print("containerd / docker: %.2f (network %s)" % (medians["containerd"] / medians["docker"], options.network))


if __name__ == "__main__":
    main()
