"""The same output through dockerd's own awslogs driver and through ecs-awslogs: the same events, line for line. Root:
a dockerd of the test's own, without a bridge, which takes credentials from its environment."""
import os
import shutil
import subprocess
import tempfile
import unittest

from world import Logger, World, until

PRINTED = (b'first\n\n  indented\r\nvalue=\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\n\xff\xfebroken\xc3\n' + b'q"\\<&>\t\x01\x1b[31mred\n' +
           b'x' * 262_118 + b'\n' + b'y' * 300_000 + b'\n' + b'\xff' * 90_000 + b'\n' +
           b''.join(b'2026-01-02 03:04:05 event %d\n  at one\n\n  at two\n' % i for i in range(500)) +
           b''.join(b'%d\n' % i for i in range(20_000)) + b'no newline')


class Dockerd:
    def __init__(self):
        self.directory = tempfile.mkdtemp(prefix='logs-dockerd-')
        self.socket = f'unix://{self.directory}/docker.sock'
        environment = os.environ | {'AWS_ACCESS_KEY_ID': 'AKIDTEST', 'AWS_SECRET_ACCESS_KEY': 'secret'}
        self.log = open(f'{self.directory}/log', 'w')
        self.process = subprocess.Popen(
            ['dockerd', '--host', self.socket, '--data-root', f'{self.directory}/data', '--exec-root',
             f'{self.directory}/exec', '--pidfile', f'{self.directory}/pid', '--bridge=none', '--iptables=false',
             '--ip6tables=false'], env=environment, stdout=self.log, stderr=subprocess.STDOUT)
        until(lambda: subprocess.run(['docker', '-H', self.socket, 'version'], capture_output=True).returncode == 0, 60)
        self.make_image()

    def make_image(self):
        root = f'{self.directory}/root'
        os.makedirs(f'{root}/bin')
        shutil.copy(shutil.which('busybox'), f'{root}/bin/busybox')
        with open(f'{root}/printed', 'wb') as file:
            file.write(PRINTED)
        archive = subprocess.Popen(['tar', '-C', root, '-c', '.'], stdout=subprocess.PIPE)
        self.docker('import', '-', 'printer', stdin=archive.stdout)
        archive.wait()

    def docker(self, *arguments, **more):
        subprocess.run(['docker', '-H', self.socket, *arguments], check=True, stdout=subprocess.DEVNULL, **more)

    def stop(self):
        self.process.terminate()
        self.process.wait()
        self.log.close()
        subprocess.run(['umount', '-l', f'{self.directory}/exec/netns/default'], stderr=subprocess.DEVNULL)
        shutil.rmtree(self.directory, ignore_errors=True)


class SameAsDocker(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dockerd = Dockerd()
        cls.addClassCleanup(cls.dockerd.stop)
        cls.world = World()
        cls.addClassCleanup(cls.world.remove)

    def same(self, name, **options):
        common = {'awslogs-group': name, 'awslogs-region': 'us-west-2', 'awslogs-endpoint': self.world.service.url,
                  'awslogs-create-group': 'true', **options}
        theirs = [f'--log-opt={key}={value}' for key, value in (common | {'awslogs-stream': 'docker'}).items()]
        self.dockerd.docker('run', '--rm', '--network=host', '--log-driver=awslogs', *theirs, 'printer',
                            '/bin/busybox', 'cat', '/printed')
        logger = Logger(self.world.config(options=common | {'awslogs-stream': 'ours'}))
        logger.write(PRINTED)
        self.assertEqual(logger.end(60), 0)
        docker = until(lambda: self.complete(name))
        ours = self.world.service.messages(name, 'ours')
        self.assertEqual(len(ours), len(docker))
        for i, (mine, their) in enumerate(zip(ours, docker)):
            self.assertEqual(mine, their, f'event {i}')

    def complete(self, name):
        messages = self.world.service.messages(name, 'docker')
        return messages if messages and messages[-1].endswith(('no newline', 'no newline\n')) else None

    def test_lines(self):
        self.same('lines')

    def test_multiline_pattern(self):
        self.same('multiline', **{'awslogs-multiline-pattern': r'^\d{4}-'})

    def test_datetime_format(self):
        self.same('datetime', **{'awslogs-datetime-format': '%Y-%m-%d %H:%M:%S'})


if __name__ == '__main__':
    unittest.main()
