"""json-file, journald and none."""
import gzip
import json
import os
import socket
import struct
import unittest

from world import Logger, World, joined, lines


def journal_fields(datagram):
    fields = {}
    while datagram:
        line, datagram = datagram.split(b'\n', 1)
        if b'=' in line:
            name, value = line.split(b'=', 1)
        else:
            name, (size,) = line, struct.unpack('<Q', datagram[:8])
            value, datagram = datagram[8:8 + size], datagram[9 + size:]
        fields[name.decode()] = value
    return fields


class Drivers(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.remove)

    def test_json_file_has_dockers_lines(self):
        config = self.world.config('json-file', options={'labels': 'app', 'tag': '{{.Name}}'}, labels={'app': 'a<b'})
        logger = Logger(config)
        logger.write(b'one <&> \xff\n\n' + b'x' * 20_000 + b'\n')
        self.assertEqual(logger.end(), 0)
        with open(config['log_file']) as file:
            text = file.read().splitlines()
        entries = [json.loads(line) for line in text]
        self.assertEqual([e['log'] for e in entries], ['one <&> �\n', '\n', 'x' * 16_384, 'x' * 3_616 + '\n'])
        self.assertIn('one \\u003c\\u0026\\u003e \\ufffd\\n', text[0])
        self.assertEqual(entries[0]['attrs'], {'app': 'a<b', 'tag': 'web'})
        self.assertRegex(entries[0]['time'], r'^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$')
        self.assertEqual(entries[0]['stream'], 'stdout')

    def test_json_file_is_rotated_and_compressed(self):
        config = self.world.config('json-file', options={'max-size': '50k', 'max-file': '3', 'compress': 'true'})
        logger = Logger(config)
        logger.write(joined(lines(3_000)))
        self.assertEqual(logger.end(), 0)
        path = config['log_file']
        names = sorted(name for name in os.listdir(os.path.dirname(path)) if name.startswith('json.log'))
        self.assertEqual(names, ['json.log', 'json.log.1.gz', 'json.log.2.gz'])
        text = gzip.open(f'{path}.2.gz').read() + gzip.open(f'{path}.1.gz').read() + open(path, 'rb').read()
        told = [json.loads(line)['log'] for line in text.splitlines()]
        self.assertEqual(told, [line + '\n' for line in lines(3_000)[-len(told):]])

    def test_journald_has_dockers_fields(self):
        path = f'{self.world.directory}/journal'
        journal = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(journal.close)
        journal.bind(path)
        journal.settimeout(10)
        logger = Logger(self.world.config('journald', journal_socket=path))
        logger.write(b'hello\r\n')
        first = journal_fields(journal.recv(65_536))
        logger.write(b'oops\n', logger.err)
        second = journal_fields(journal.recv(65_536))
        self.assertEqual(logger.end(), 0)
        self.assertEqual((first['MESSAGE'], first['PRIORITY']), (b'hello\r', b'6'))
        self.assertEqual((second['MESSAGE'], second['PRIORITY']), (b'oops', b'3'))
        self.assertEqual(first['CONTAINER_ID'], b'c' * 12)
        self.assertEqual(first['CONTAINER_ID_FULL'], b'c' * 64)
        self.assertEqual((first['CONTAINER_NAME'], first['IMAGE_NAME']), (b'web', b'busybox:1'))
        self.assertEqual(first['CONTAINER_TAG'], b'c' * 12)

    def test_none_and_a_bad_configuration_do_not_hold_up_the_container(self):
        for config in (self.world.config('none'), self.world.config(options={'awslogs-create-group': 'perhaps'})):
            logger = Logger(config)
            logger.write(b'x' * (8 << 20) + b'\n')
            self.assertEqual(logger.end(), 0)


if __name__ == '__main__':
    unittest.main()
