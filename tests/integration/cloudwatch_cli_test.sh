#!/bin/bash
# The AWS CLI asks ecs-local's CloudWatch what tasks used, and puts metrics of its own. No agent and no Docker: a client
# publishes what an agent would (cloudwatch_client.py).
#   ECS_LOCAL    the ecs-local program
# Needs the aws program (AWS names another), jq and python3.
set -eu -o pipefail

: "${ECS_LOCAL:?set it to the ecs-local program}"
aws=${AWS:-aws}
client=$(dirname "$0")/cloudwatch_client.py
for program in "$aws" jq python3; do
    command -v "$program" >/dev/null || { echo "FAIL: $program is not installed" >&2; exit 1; }
done

work=$(mktemp -d)
pids=()
finish() {
    status=$?
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    [ "$status" -eq 0 ] || tail -n 30 "$work"/*.log >&2
    rm -rf "$work"
}
trap finish EXIT
fail() { echo "FAIL: $*" >&2; exit 1; }

export AWS_ACCESS_KEY_ID=AKIDEXAMPLE AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
export AWS_DEFAULT_REGION=us-west-2 AWS_PAGER='' AWS_EC2_METADATA_DISABLED=true

# until_true SECONDS COMMAND...: asks again until it succeeds; the time is a limit, not a wait.
until_true() {
    local deadline=$((SECONDS + $1)); shift
    until "$@"; do
        [ "$SECONDS" -lt "$deadline" ] || return 1
        sleep 0.05
    done
}

: >"$work/local.out"
"$ECS_LOCAL" --listen 127.0.0.1:0 --data "$work/control-plane" --access-key "$AWS_ACCESS_KEY_ID" \
    --secret-key "$AWS_SECRET_ACCESS_KEY" >"$work/local.out" 2>"$work/local.log" &
pids+=($!)
until_true 10 grep -q 'http://' "$work/local.out" || fail "ecs-local did not start"
endpoint=$(grep -o 'http://[0-9.:]*' "$work/local.out")
ecs() { "$aws" --endpoint-url "$endpoint" ecs "$@"; }
cloudwatch() { "$aws" --endpoint-url "$endpoint" cloudwatch "$@"; }

# ---- an instance with twelve tasks of a service; its agent publishes a round, which takes two requests ------------------
ecs create-cluster --cluster-name cloudwatch --settings name=containerInsights,value=enhanced >/dev/null
instance=$(ecs register-container-instance --cluster cloudwatch --total-resources '[
    {"name": "CPU", "type": "INTEGER", "integerValue": 3200}, {"name": "MEMORY", "type": "INTEGER", "integerValue": 4000},
    {"name": "PORTS", "type": "STRINGSET", "stringSetValue": []}, {"name": "PORTS_UDP", "type": "STRINGSET", "stringSetValue": []}]' \
    --attributes name=com.amazonaws.ecs.capability.docker-remote-api.1.18 \
    --query containerInstance.containerInstanceArn --output text)
ecs register-task-definition --family web --container-definitions \
    '[{"name": "web", "image": "busybox", "cpu": 100, "memory": 64}]' >/dev/null
python3 "$client" publish "$endpoint" "$instance" 12 >"$work/publish.out" 2>"$work/publish.log" &
publish_pid=$!
pids+=("$publish_pid")
connected() { [ "$(curl -sf "$endpoint/health" | jq .agentsConnected)" = 1 ]; }
until_true 15 connected || fail "the client did not connect"
for count in 10 2; do
    ecs run-task --cluster cloudwatch --task-definition web --group service:shop --count "$count" >"$work/run.json"
    [ "$(jq '.tasks | length' "$work/run.json")" = "$count" ] || fail "not placed: $(jq -c .failures "$work/run.json")"
done
wait "$publish_pid" || fail "the round was not taken"
[ "$(cat "$work/publish.out")" = 2 ] || fail "the round had $(cat "$work/publish.out") requests, not 2"

start=$(date -u -d '-30 minutes' +%Y-%m-%dT%H:%M:%SZ) end=$(date -u -d '+5 minutes' +%Y-%m-%dT%H:%M:%SZ)
# statistics METRIC DIMENSIONS...: the one data point of AWS/ECS
statistics() {
    local metric=$1; shift
    cloudwatch get-metric-statistics --namespace AWS/ECS --metric-name "$metric" --dimensions "$@" --start-time "$start" \
        --end-time "$end" --period 60 --statistics Average Minimum Maximum Sum SampleCount |
        jq -c '.Datapoints | if length == 1 then .[0] | del(.Timestamp) else "not one: \(.)" end'
}
# expect WHAT EXPECTED ACTUAL
expect() { jq -ne --argjson expected "$2" --argjson actual "$3" '$expected == $actual' >/dev/null || fail "$1: $3, not $2"; }
cluster=Name=ClusterName,Value=cloudwatch service=Name=ServiceName,Value=shop
# each of the 12 uses 16 of the 3200 CPU units, 16 of the 4000 MiB, and reserves 100 and 64
expect 'CPU of the cluster' '{"SampleCount":1,"Average":6,"Sum":6,"Minimum":6,"Maximum":6,"Unit":"Percent"}' \
    "$(statistics CPUUtilization "$cluster")"
expect 'memory of the cluster' '{"SampleCount":1,"Average":4.8,"Sum":4.8,"Minimum":4.8,"Maximum":4.8,"Unit":"Percent"}' \
    "$(statistics MemoryUtilization "$cluster")"
expect 'memory of the service' '{"SampleCount":12,"Average":25,"Sum":300,"Minimum":25,"Maximum":25,"Unit":"Percent"}' \
    "$(statistics MemoryUtilization "$cluster" "$service")"
expect 'CPU of the service' '{"SampleCount":12,"Average":16,"Sum":192,"Minimum":16,"Maximum":16,"Unit":"Percent"}' \
    "$(statistics CPUUtilization "$cluster" "$service")"

cloudwatch list-metrics --namespace AWS/ECS >"$work/list.json"
expect 'the metrics of AWS/ECS' '[["CPUUtilization",1],["CPUUtilization",2],["MemoryUtilization",1],["MemoryUtilization",2]]' \
    "$(jq '[.Metrics[] | [.MetricName, (.Dimensions | length)]] | sort' "$work/list.json")"
expect 'the tasks of Container Insights' 12 "$(cloudwatch list-metrics --namespace ECS/ContainerInsights \
    --metric-name CpuUtilized --dimensions Name=ContainerName,Value=web Name=TaskId | jq '.Metrics | length')"

query() { jq -nc --arg id "$1" --arg metric "$2" --arg stat "$3" '{Id: $id, MetricStat: {Metric: {Namespace: "AWS/ECS",
    MetricName: $metric, Dimensions: [{Name: "ClusterName", Value: "cloudwatch"}]}, Period: 300, Stat: $stat}}'; }
cloudwatch get-metric-data --start-time "$start" --end-time "$end" --metric-data-queries \
    "[$(query cpu CPUUtilization Maximum), $(query memory MemoryUtilization Average)]" >"$work/data.json"
expect 'the answer of get-metric-data' '[["cpu","CPUUtilization",[6],"Complete"],["memory","MemoryUtilization",[4.8],"Complete"]]' \
    "$(jq '[.MetricDataResults[] | [.Id, .Label, .Values, .StatusCode]]' "$work/data.json")"

# ---- metrics of one's own -------------------------------------------------------------------------------------------------
cloudwatch put-metric-data --namespace Own --metric-name queue --unit Count --value 3 --dimensions 'Kind=a & <b>'
cloudwatch put-metric-data --namespace Own --metric-data '[
    {"MetricName": "queue", "Dimensions": [{"Name": "Kind", "Value": "a & <b>"}], "Unit": "Count",
     "StatisticValues": {"SampleCount": 4, "Sum": 12, "Minimum": 1, "Maximum": 7}},
    {"MetricName": "sizes", "Values": [10, 20], "Counts": [3, 1]}]'
own() { # METRIC [DIMENSIONS]: of half an hour, whatever minutes it was put in
    cloudwatch get-metric-statistics --namespace Own --metric-name "$1" ${2:+--dimensions "$2"} --start-time "$start" \
        --end-time "$end" --period 3600 --statistics Average Sum SampleCount Minimum Maximum |
        jq -c '.Datapoints[0] | [.SampleCount, .Sum, .Average, .Minimum, .Maximum]'
}
expect 'values and statistic sets that were put' '[5,15,3,1,7]' "$(own queue 'Name=Kind,Value=a & <b>')"
expect 'values with counts that were put' '[4,50,12.5,10,20]' "$(own sizes)"
[ "$(python3 "$client" put-gzip "$endpoint" 1000)" = 200 ] || fail "a compressed PutMetricData was refused"
# 500 fit a page: the CLI follows the token
expect 'the metrics of a compressed call' 1000 "$(cloudwatch list-metrics --namespace Packed | jq '.Metrics | length')"
if python3 "$client" put-gzip "$endpoint" 1001 2>"$work/error.txt"; then fail "1001 metrics were accepted"; fi
grep -q '400: .*<Code>InvalidParameterValue</Code>.*greater than 1000' "$work/error.txt" || fail "$(cat "$work/error.txt")"

# ---- what it refuses ------------------------------------------------------------------------------------------------------
refused() { # CODE COMMAND...
    local code=$1; shift
    if "$@" >/dev/null 2>"$work/error.txt"; then fail "$* was accepted"; fi
    grep -q "($code)" "$work/error.txt" || fail "$*: $(cat "$work/error.txt")"
}
refused InvalidParameterValue cloudwatch put-metric-data --namespace AWS/ECS --metric-name m --value 1
refused ValidationError cloudwatch get-metric-data --start-time "$start" --end-time "$end" \
    --metric-data-queries '[{"Id": "sum", "Expression": "a + b"}]'
refused InvalidParameterCombination cloudwatch get-metric-statistics --namespace Own --metric-name queue --period 60 \
    --start-time 2020-01-01T00:00:00Z --end-time 2020-01-03T00:00:00Z --statistics Sum
wrong_secret() { AWS_SECRET_ACCESS_KEY=wrong cloudwatch list-metrics; }
refused SignatureDoesNotMatch wrong_secret

echo "PASS: CloudWatch of ecs-local through $("$aws" --version 2>&1 | cut -d ' ' -f 1)"
