"""How CloudWatch Logs is reached: TLS, a proxy, the instance's role, a task's role that changes, and answers that refuse.
Wants a network namespace of its own: the metadata service has a fixed address."""
import base64
import http.server
import json
import os
import socket
import ssl
import subprocess
import threading
import unittest

from world import Logger, World, joined, lines, until


def serve(handle, port=0, address='127.0.0.1', wrap=None):
    """Each connection to the returned port is given to `handle` on a thread of its own."""
    listener = socket.create_server((address, port))

    def one(connection):
        try:
            with (wrap(connection) if wrap else connection) as stream:
                handle(stream)
        except (ssl.SSLError, OSError):
            pass  # what a client does with its end is its own affair

    def accept():
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=one, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener


def port_of(listener):
    return listener.getsockname()[1]


def pump(here, there):
    def one_way(source, sink):
        try:
            while data := source.recv(65536):
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass
    back = threading.Thread(target=one_way, args=(there, here), daemon=True)
    back.start()
    one_way(here, there)
    back.join()


class Answers:
    """An HTTP server that keeps what it was asked. `reply` of a request is its JSON, or nothing for 404."""

    def __init__(self, reply, address='127.0.0.1', port=0):
        self.requests = requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = 'HTTP/1.1'

            def answer(self):
                body = self.rfile.read(int(self.headers.get('Content-Length') or 0))
                request = {'method': self.command, 'path': self.path, 'headers': self.headers, 'body': body}
                requests.append(request)
                content = reply(request)
                text = b'' if content is None else content.encode()
                self.send_response(404 if content is None else 200)
                self.send_header('Content-Length', str(len(text)))
                self.end_headers()
                self.wfile.write(text)
            do_GET = do_POST = do_PUT = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer((address, port), Handler)
        self.url = f'http://{address}:{self.server.server_port}'
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def role(key, expires='2099-01-01T00:00:00Z'):
    return json.dumps({'RoleArn': 'r', 'AccessKeyId': key, 'SecretAccessKey': 's', 'Token': 't', 'Expiration': expires})


class Reach(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.remove)
        self.service = self.world.service
        self.certificate = f'{self.world.directory}/certificate'
        self.key = f'{self.world.directory}/key'

    def secure_service(self):
        """ecs-local behind TLS, with a certificate for logs.test and 127.0.0.1."""
        subprocess.check_call(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes',
                               '-keyout', self.key, '-out', self.certificate, '-days', '2', '-subj', '/CN=logs.test',
                               '-addext', 'subjectAltName=DNS:logs.test,IP:127.0.0.1'], stderr=subprocess.DEVNULL)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificate, self.key)
        listener = serve(lambda stream: pump(stream, socket.create_connection(('127.0.0.1', self.service.port))),
                         wrap=lambda connection: context.wrap_socket(connection, server_side=True))
        self.addCleanup(listener.close)
        return port_of(listener)

    def start(self, **config):
        return Logger(self.world.config(**config))

    def test_over_tls(self):
        port = self.secure_service()
        logger = self.start(options={'awslogs-endpoint': f'https://127.0.0.1:{port}'}, ca_file=self.certificate)
        sent = lines(1000)
        logger.write(joined(sent))
        self.assertEqual(logger.end(), 0)
        self.assertEqual(self.service.messages(), sent)

    def test_a_certificate_that_is_not_trusted_is_the_reason_told(self):
        port = self.secure_service()
        logger = self.start(options={'awslogs-endpoint': f'https://127.0.0.1:{port}'})
        logger.write(b'line\n')
        until(lambda: 'certificate' in logger.status().get('last_error', ''))
        logger.close()
        logger.terminate()
        logger.process.wait(20)
        self.assertEqual(self.service.call('DescribeLogGroups')['logGroups'], [])

    def test_through_a_proxy_that_wants_a_password(self):
        port = self.secure_service()
        asked = []

        def proxy(stream):
            head = b''
            while b'\r\n\r\n' not in head:
                head += stream.recv(4096)
            asked.append(head.decode())
            stream.sendall(b'HTTP/1.1 200 Connection established\r\n\r\n')
            pump(stream, socket.create_connection(('127.0.0.1', port)))

        listener = serve(proxy)
        self.addCleanup(listener.close)
        logger = self.start(options={'awslogs-endpoint': 'https://logs.test'}, ca_file=self.certificate,
                            proxy=f'http://user:secret@127.0.0.1:{port_of(listener)}')
        logger.write(b'line\n')
        self.assertEqual(logger.end(), 0)
        self.assertEqual(self.service.messages(), ['line'])
        self.assertTrue(asked[0].startswith('CONNECT logs.test:443 HTTP/1.1\r\n'))
        self.assertIn('Proxy-Authorization: Basic ' + base64.b64encode(b'user:secret').decode(), asked[0])

    def test_with_the_role_of_the_instance(self):
        subprocess.check_call(['ip', 'address', 'replace', '169.254.169.254/32', 'dev', 'lo'])
        documents = {'/latest/api/token': 'TOKEN', '/latest/meta-data/iam/security-credentials/': 'node',
                     '/latest/meta-data/iam/security-credentials/node': role('AKIDNODE')}
        metadata = Answers(lambda request: documents.get(request['path']), '169.254.169.254', 80)
        self.addCleanup(metadata.close)
        service = Answers(lambda _: '{}')
        self.addCleanup(service.close)
        logger = self.start(options={'awslogs-endpoint': service.url}, credentials={})
        logger.write(b'line\n')
        self.assertEqual(logger.end(), 0)
        self.assertEqual(metadata.requests[-1]['headers']['X-aws-ec2-metadata-token'], 'TOKEN')
        self.assertIn('Credential=AKIDNODE/', service.requests[-1]['headers']['Authorization'])
        self.assertEqual(service.requests[-1]['headers']['X-Amz-Security-Token'], 't')

    def test_a_tasks_role_is_asked_for_again_when_it_expires(self):
        given = [role('AKIDOLD', '2020-01-01T00:00:00Z'), role('AKIDNEW')]
        agent = Answers(lambda _: given.pop(0) if given else None)
        self.addCleanup(agent.close)
        service = Answers(lambda _: '{}')
        self.addCleanup(service.close)
        logger = self.start(options={'awslogs-endpoint': service.url}, credentials={'uri': agent.url + '/v2/credentials/1'})
        logger.write(b'line\n')
        self.assertEqual(logger.end(), 0)
        self.assertEqual([request['path'] for request in agent.requests], ['/v2/credentials/1'] * 2)
        self.assertIn('AKIDOLD', service.requests[0]['headers']['Authorization'])
        self.assertIn('AKIDNEW', service.requests[-1]['headers']['Authorization'])

    def test_events_that_the_service_does_not_keep_are_counted(self):
        service = Answers(lambda request: '{"rejectedLogEventsInfo":{"tooOldLogEventEndIndex":2}}'
                          if request['headers']['X-Amz-Target'].endswith('PutLogEvents') else '{}')
        self.addCleanup(service.close)
        logger = self.start(options={'awslogs-endpoint': service.url})
        logger.write(joined(lines(5)))
        self.assertEqual(logger.end(), 0)
        status = logger.status()
        self.assertEqual((status['rejected_events'], status['events']), (2, 3))


if __name__ == '__main__':
    unittest.main()
