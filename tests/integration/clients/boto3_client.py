"""boto3 in a task with a role: credentials from the task server, and a call signed with them."""

import json
import os
import sys
import urllib.request

import boto3


def given():
    url = "http://169.254.170.2" + os.environ["AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"]
    with urllib.request.urlopen(url, timeout=5) as answer:
        return json.load(answer)


def main():
    session = boto3.Session()
    found = session.get_credentials()
    assert found is not None, "boto3 found no credentials"
    assert found.method == "container-role", found.method
    role = given()
    frozen = found.get_frozen_credentials()
    assert frozen.access_key == role["AccessKeyId"], frozen.access_key
    assert frozen.secret_key == role["SecretAccessKey"], "another secret"
    assert frozen.token == role["Token"], "another token"
    clusters = session.client("ecs", endpoint_url=os.environ["CONTROL_PLANE"]).list_clusters()
    assert clusters["clusterArns"], clusters


if __name__ == "__main__":
    if "--version" in sys.argv:
        print(boto3.__version__)
    else:
        main()
