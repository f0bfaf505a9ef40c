"""ecs-local as CloudWatch Logs, and ecs-awslogs as containerd's shim starts it: pipes at 3, 4 and 5, an environment of
two variables."""
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
import urllib.request

BUILD = os.environ['NODEAGENT_BUILD']


def until(what, seconds=30):
    """The first true value of `what`."""
    end = time.monotonic() + seconds
    while True:
        value = what()
        if value:
            return value
        if time.monotonic() > end:
            raise AssertionError(f'{what.__doc__ or "it"} did not come true in {seconds} s')
        time.sleep(0.02)


class Service:
    def __init__(self, directory, port=0, secret=None):
        arguments = [f'{BUILD}/ecs-local', '--listen', f'127.0.0.1:{port}', '--data', f'{directory}/local',
                     '--log-level', 'warn']
        if secret:
            arguments += ['--secret-key', secret]
        self.process = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        self.url = self.process.stdout.readline().split()[-1]
        self.port = int(self.url.rsplit(':', 1)[1])

    def page(self, query=''):
        with urllib.request.urlopen(f'{self.url}/_local/logs{query}') as answer:
            return json.load(answer)

    def fail(self, code, status=400, calls=-1):
        self.page(f'?fail={code}&status={status}&calls={calls}')

    def call(self, operation, **request):
        message = urllib.request.Request(self.url, json.dumps(request).encode(),
                                         {'X-Amz-Target': f'Logs_20140328.{operation}'})
        try:
            with urllib.request.urlopen(message) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            return json.load(error)

    def events(self, group, stream):
        out, token = [], None
        while True:
            more = {'nextToken': token} if token else {}
            page = self.call('GetLogEvents', logGroupName=group, logStreamName=stream, startFromHead=True, **more)
            out += page.get('events', [])
            if 'nextForwardToken' not in page or page['nextForwardToken'] == token:
                return out
            token = page['nextForwardToken']

    def messages(self, group='g', stream='s'):
        return [event['message'] for event in self.events(group, stream)]

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Logger:
    """`out` and `err` are the container's ends of its outputs."""

    def __init__(self, config, drain=False):
        self.config = config
        self.path = config['status_file'] + '.config'
        with open(os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), 'w') as file:
            json.dump(config, file)
        pipes = [os.pipe(), os.pipe(), os.pipe()]
        ends = [pipes[0][0], pipes[1][0], pipes[2][1]]
        arguments = [f'{BUILD}/ecs-awslogs', 'config', self.path] + (['drain', ''] if drain else [])

        def child():
            high = [os.dup2(fd, 100 + i) for i, fd in enumerate(ends)]
            for i, fd in enumerate(high):
                os.dup2(fd, 3 + i, inheritable=True)
            null = os.open('/dev/null', os.O_RDWR)
            for fd in range(3):
                os.dup2(null, fd)
            os.closerange(6, 200)

        environment = {'CONTAINER_ID': config['container_id'], 'CONTAINER_NAMESPACE': 'ecs'}
        if config.get('credentials', {}).get('environment'):
            environment |= {'AWS_ACCESS_KEY_ID': 'AKIDTEST', 'AWS_SECRET_ACCESS_KEY': 'secret'}
        self.process = subprocess.Popen(arguments, env=environment, close_fds=False, preexec_fn=child)
        for fd in ends:
            os.close(fd)
        self.out, self.err = pipes[0][1], pipes[1][1]
        assert drain or os.read(pipes[2][0], 1) == b'', 'ready is told by closing'
        os.close(pipes[2][0])

    def write(self, data, fd=None):
        fd = self.out if fd is None else fd
        while data:
            data = data[os.write(fd, data):]

    def close(self):
        os.close(self.out)
        os.close(self.err)

    def end(self, seconds=30):
        self.close()
        return self.process.wait(seconds)

    def terminate(self):
        self.process.send_signal(signal.SIGTERM)

    def status(self):
        try:
            with open(self.config['status_file']) as file:
                return json.load(file)
        except FileNotFoundError:
            return {}

    def partner(self):
        with open(f'/proc/{self.process.pid}/task/{self.process.pid}/children') as file:
            children = file.read().split()
        return int(children[0]) if children else 0


class World:
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix='logs-')
        self.service = Service(self.directory)
        self.count = 0

    def config(self, driver='awslogs', spool=0, options=None, **more):
        self.count += 1
        place = f'{self.directory}/{self.count}'
        os.mkdir(place)
        chosen = {'awslogs-group': 'g', 'awslogs-stream': 's', 'awslogs-region': 'us-west-2',
                  'awslogs-endpoint': self.service.url, 'awslogs-create-group': 'true',
                  'awslogs-force-flush-interval-seconds': '1'} if driver == 'awslogs' else {}
        config = {'driver': driver, 'options': chosen | (options or {}), 'container_id': 'c' * 64,
                  'container_name': '/web', 'image': 'busybox:1', 'credentials': {'environment': True},
                  'status_file': f'{place}/status', 'log_file': f'{place}/json.log'}
        if spool:
            config['spool'] = {'directory': f'{place}/spool', 'max_bytes': spool}
        return config | more

    def remove(self):
        self.service.stop()
        shutil.rmtree(self.directory)


def lines(count, begin=0, width=0):
    return [f'line {i}'.ljust(width, '.') for i in range(begin, begin + count)]


def joined(messages):
    return ''.join(message + '\n' for message in messages).encode()
