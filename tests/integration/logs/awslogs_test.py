"""ecs-awslogs with real pipes against ecs-local."""
import os
import signal
import threading
import time
import unittest

from world import BUILD, Logger, Service, World, joined, lines, until


class AwsLogs(unittest.TestCase):
    def setUp(self):
        self.world = World()
        self.addCleanup(self.world.remove)
        self.service = self.world.service

    def start(self, **more):
        return Logger(self.world.config(**more))

    def test_every_line_becomes_an_event_in_its_order(self):
        logger = self.start()
        logger.write(b'first\n\nsecond\r\n  third  \nno newline')
        self.assertEqual(logger.end(), 0)
        self.assertEqual(self.service.messages(), ['first', 'second\r', '  third  ', 'no newline'])
        self.assertEqual(logger.status()['state'], 'ended')
        self.assertEqual(logger.status()['events'], 4)

    def test_long_lines_binary_and_broken_utf8_come_through(self):
        logger = self.start()
        long = ('x' * 600_000)
        logger.write(long.encode() + b'\n' + b'\xff\xfe ok \x00\x1b[0m\n' + 'ä€😀'.encode() + b'\n' + b'\xff' * 100_000 + b'\n')
        self.assertEqual(logger.end(), 0)
        told = self.service.messages()
        self.assertEqual([len(m) for m in told[:3]], [262_118, 262_118, 600_000 - 2 * 262_118])
        self.assertEqual(''.join(told[:3]), long)
        self.assertEqual(told[3], '�� ok \x00\x1b[0m')
        self.assertEqual(told[4], 'ä€😀')
        self.assertEqual([len(m) for m in told[5:]], [87_372, 12_628])  # three bytes each

    def test_multiline_events_begin_where_the_pattern_matches(self):
        logger = self.start(options={'awslogs-datetime-format': '%Y-%m-%d'})
        logger.write(b'2026-01-02 one\n  at a\n\n  at b\n2026-01-03 two\n')
        self.assertEqual(logger.end(), 0)
        self.assertEqual(self.service.messages(), ['2026-01-02 one\n  at a\n\n  at b\n', '2026-01-03 two\n'])

    def test_nothing_is_lost_when_either_process_is_killed(self):
        logger = self.start(spool=64 << 20)
        sent = lines(60_000, width=60)
        def feed():
            for at in range(0, len(sent), 200):
                logger.write(joined(sent[at:at + 200]))
                time.sleep(0.02)
        feeding = threading.Thread(target=feed)
        feeding.start()
        for round in range(3):
            time.sleep(1.2)
            os.kill(until(logger.partner), signal.SIGKILL)
        time.sleep(1.2)
        os.kill(logger.process.pid, signal.SIGKILL)  # the one that containerd knows
        feeding.join()
        logger.end()
        told = until(lambda: (lambda m: m if m and m[-1] == sent[-1] else None)(self.service.messages()))
        self.assertEqual(sorted(set(told)), sorted(sent))
        self.assertGreaterEqual(until(lambda: logger.status().get('state') == 'ended' and logger.status())['restarts'], 4)

    def test_an_outage_fills_the_spool_and_nothing_is_lost(self):
        self.service.fail('ServiceUnavailableException', 503)
        logger = self.start(spool=256 << 20)
        sent = lines(200_000, width=100)
        logger.write(joined(sent))  # 20 MB: five times the buffer
        until(lambda: logger.status().get('spooled_lines', 0) > 0)
        self.service.fail('')
        self.assertEqual(logger.end(120), 0)
        self.assertEqual(self.service.messages(), sent)
        self.assertEqual(logger.status()['dropped_lines'], 0)
        self.assertEqual(os.listdir(logger.config['spool']['directory']), ['lock'])

    def test_what_is_left_when_the_task_is_deleted_is_sent_by_the_next_program(self):
        self.service.fail('ThrottlingException')
        config = self.world.config(spool=64 << 20)
        logger = Logger(config)
        sent = lines(100_000, width=80)
        logger.write(joined(sent))
        logger.close()
        logger.terminate()
        self.assertEqual(logger.process.wait(12), 0)  # as long as the shim waits
        self.assertEqual(logger.status()['state'], 'unsent')
        self.service.fail('')
        again = Logger(config, drain=True)
        again.close()
        self.assertEqual(again.process.wait(60), 0)
        self.assertEqual(self.service.messages(), sent)
        self.assertEqual(again.status()['state'], 'ended')

    def test_a_full_buffer_drops_in_nonblocking_mode_and_says_so_in_the_stream(self):
        self.service.fail('ServiceUnavailableException', 503)
        logger = self.start(options={'mode': 'non-blocking', 'max-buffer-size': '100k'})
        sent = lines(50_000, width=100)
        begin = time.monotonic()
        logger.write(joined(sent))
        self.assertLess(time.monotonic() - begin, 5)
        self.service.fail('')
        until(lambda: self.service.messages())
        logger.write(b'after\n')
        self.assertEqual(logger.end(), 0)
        told = self.service.messages()
        dropped = logger.status()['dropped_lines']
        self.assertGreater(dropped, 0)
        notes = [m for m in told if m.startswith('ecs-awslogs: ')]
        self.assertEqual(sum(int(note.split()[1]) for note in notes), dropped)
        self.assertIn('dropped between', notes[0])
        self.assertEqual(len(told) - len(notes) + dropped, len(sent) + 1)
        self.assertEqual(told[-1], 'after')

    def test_blocking_mode_holds_the_container_when_nothing_has_room(self):
        self.service.fail('ServiceUnavailableException', 503)
        logger = self.start(spool=1 << 20)
        sent = lines(120_000, width=100)
        feeding = threading.Thread(target=lambda: logger.write(joined(sent)))
        feeding.start()
        feeding.join(4)
        self.assertTrue(feeding.is_alive())
        self.service.fail('')
        feeding.join(60)
        self.assertEqual(logger.end(60), 0)
        self.assertEqual(self.service.messages(), sent)

    def test_the_container_starts_and_runs_without_the_service(self):
        config = self.world.config()
        port = self.service.port
        self.service.stop()
        logger = Logger(config)
        logger.write(b'early\n')
        until(lambda: 'connect' in logger.status().get('last_error', ''))
        self.service = self.world.service = Service(self.world.directory, port)
        self.assertEqual(logger.end(), 0)
        self.assertEqual(self.service.messages(), ['early'])

    def test_a_stream_that_was_removed_is_made_again(self):
        logger = self.start()
        logger.write(b'one\n')
        until(self.service.messages)
        self.service.call('DeleteLogGroup', logGroupName='g')
        logger.write(b'two\n')
        self.assertEqual(logger.end(), 0)
        self.assertEqual(self.service.messages(), ['two'])

    def test_a_line_of_a_gigabyte_is_read_in_bounded_memory(self):
        logger = self.start(options={'mode': 'non-blocking', 'max-buffer-size': '1m'})
        chunk = b'y' * (1 << 20)
        for _ in range(1024):
            logger.write(chunk)
        peak = 0
        for pid in (logger.process.pid, logger.partner()):
            with open(f'/proc/{pid}/status') as file:
                peak += sum(int(line.split()[1]) for line in file if line.startswith('VmHWM'))
        self.assertEqual(logger.end(60), 0)
        with open(f'{BUILD}/ecs-awslogs', 'rb') as program:
            sanitized = b'__asan_init' in program.read()  # whose shadow and quarantine are memory too
        self.assertLess(peak, 200_000 if sanitized else 40_000)  # KiB, shared pages counted twice
        self.assertTrue(self.service.messages())


if __name__ == '__main__':
    unittest.main()
