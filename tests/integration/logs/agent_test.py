"""Logs of tasks that a real agent runs on a real containerd, with ecs-local as ECS and CloudWatch Logs. Takes the
agent's ports and a bridge, so it wants a network namespace of its own."""
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import unittest
import urllib.request

from world import BUILD, Service, until

ROOT = os.path.abspath(os.path.dirname(__file__) + '/../../..')


def common(script, **variables):
    """`script` with the functions of packaging/common.sh."""
    return subprocess.Popen(['bash', '-c', f'. {ROOT}/packaging/common.sh; {script}'], env=os.environ | variables)


class Host:
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix='logs-agent-')
        self.service = Service(self.directory)
        self.daemon = common('start_containerd "$place"; trap : TERM; wait "$containerd_pid"; stop_containerd "$place"',
                             place=f'{self.directory}/containerd')
        self.socket = f'{self.directory}/containerd/containerd.sock'
        self.image = f'{self.directory}/image.tar'
        assert common('busybox_archive docker.io/library/busybox:latest "$image"', image=self.image).wait() == 0
        until(lambda: self.ctr('version') == 0)
        assert self.ctr('-n', 'ecs', 'images', 'import', self.image) == 0
        self.ecs('CreateCluster', clusterName='default')
        self.agent = None
        self.start_agent()

    def ctr(self, *words):
        return subprocess.call(['ctr', '-a', self.socket, *words], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def ecs(self, operation, **request):
        message = urllib.request.Request(self.service.url + '/', json.dumps(request).encode(), {
            'Content-Type': 'application/x-amz-json-1.1',
            'X-Amz-Target': f'AmazonEC2ContainerServiceV20141113.{operation}'})
        with urllib.request.urlopen(message) as answer:
            return json.load(answer)

    def start_agent(self):
        environment = {
            'PATH': os.environ['PATH'], 'ECS_BACKEND_HOST': self.service.url, 'AWS_DEFAULT_REGION': 'us-west-2',
            'AWS_ACCESS_KEY_ID': 'test', 'AWS_SECRET_ACCESS_KEY': 'test', 'AWS_EC2_METADATA_DISABLED': 'true',
            'ECS_DATADIR': f'{self.directory}/agent', 'ECS_AUDIT_LOGFILE_DISABLED': 'true',
            'ECS_AVAILABLE_LOGGING_DRIVERS': '["awslogs","json-file"]',
            'ECS_RUNTIME': 'containerd', 'ECS_CONTAINERD_ADDRESS': self.socket,
            'ECS_CONTROL_SOCKET': f'{self.directory}/control.sock', 'ECS_IMAGE_PULL_BEHAVIOR': 'prefer-cached',
            'ECS_ENABLE_PROMETHEUS_METRICS': 'true', 'ECS_ENGINE_TASK_CLEANUP_WAIT_DURATION': '1s'}
        with open(f'{self.directory}/agent.log', 'a') as log:
            self.agent = subprocess.Popen([f'{BUILD}/ecs-node-agent'], env=environment, stdout=log, stderr=log)

        def connected():
            arns = self.ecs('ListContainerInstances')['containerInstanceArns']
            return arns and self.ecs('DescribeContainerInstances', containerInstances=arns)[
                'containerInstances'][0]['agentConnected']
        until(connected)

    def kill_agent(self):
        self.agent.send_signal(signal.SIGKILL)
        self.agent.wait()

    def run_task(self, command, **log_options):
        definition = self.ecs('RegisterTaskDefinition', family='speaker', networkMode='none', containerDefinitions=[{
            'name': 'main', 'image': 'busybox:latest', 'memory': 16, 'command': ['sh', '-c', command],
            'logConfiguration': {'logDriver': 'awslogs', 'options': {
                'awslogs-group': 'g', 'awslogs-stream-prefix': 'p', 'awslogs-region': 'us-west-2',
                'awslogs-endpoint': self.service.url, 'awslogs-create-group': 'true'} | log_options}}])
        answer = self.ecs('RunTask', taskDefinition=definition['taskDefinition']['taskDefinitionArn'])
        assert answer['tasks'], answer['failures']
        return answer['tasks'][0]['taskArn']

    def status(self, task):
        return self.ecs('DescribeTasks', tasks=[task])['tasks'][0]['lastStatus']

    def metric(self, name):
        with urllib.request.urlopen('http://127.0.0.1:51680/metrics') as answer:
            found = re.search(rf'^{re.escape(name)} (\S+)$', answer.read().decode(), re.MULTILINE)
        return float(found.group(1)) if found else None

    def containers(self):
        return os.listdir(f'{self.directory}/agent/containerd/containers')

    def close(self):
        if os.environ.get('KEEP_LOG'):
            shutil.copy(f'{self.directory}/agent.log', os.environ['KEEP_LOG'])
        self.agent.terminate()
        self.agent.wait()
        self.daemon.terminate()
        self.daemon.wait()
        self.service.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


class AgentLogs(unittest.TestCase):
    def setUp(self):
        self.host = Host()
        self.addCleanup(self.host.close)

    def test_what_cloudwatch_did_not_take_before_a_tasks_end_arrives_after_it_also_when_the_agent_is_killed(self):
        host = self.host
        host.service.fail('ServiceUnavailableException', 503)
        task = host.run_task('i=0; while [ $i -lt 500 ]; do echo "line $i"; i=$((i+1)); done')
        until(lambda: host.status(task) == 'STOPPED')
        # its logger has given up, its container is cleaned up
        until(lambda: host.metric('ecs_agent_log_unsent_containers') == 1, 60)
        until(lambda: not host.containers(), 60)
        self.assertEqual(host.metric('ecs_agent_log_lines_total'), 500)
        host.kill_agent()
        host.start_agent()
        until(lambda: host.metric('ecs_agent_log_unsent_containers') == 1, 60)
        host.service.fail('')
        sent = [f'line {i}' for i in range(500)]
        until(lambda: host.service.messages('g', f'p/main/{task.split("/")[-1]}') == sent, 60)
        until(lambda: host.metric('ecs_agent_log_unsent_containers') == 0, 60)
        self.assertEqual(os.listdir(f'{host.directory}/agent/containerd/unsent'), [])


if __name__ == '__main__':
    unittest.main()
