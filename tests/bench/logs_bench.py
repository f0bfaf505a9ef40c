#!/usr/bin/env python3
"""Figures of ecs-awslogs against ecs-local, by hand:
    NODEAGENT_BUILD=build/release tests/bench/logs_bench.py [rate SECONDS | many SECONDS | outage SECONDS]
rate: 5 MB/s from one container with a 4 MB buffer; lines lost, share of a core of both processes.
many: 100 containers at 50 lines/s; PSS of each process.
outage: the service away for SECONDS at 50 KB/s; lines lost."""
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../integration/logs'))
from world import Logger, World, until  # noqa: E402


def cpu(pid):
    with open(f'/proc/{pid}/stat') as file:
        fields = file.read().rsplit(')', 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def pss(pid):
    with open(f'/proc/{pid}/smaps_rollup') as file:
        return next(int(line.split()[1]) for line in file if line.startswith('Pss:'))


def feed(logger, bytes_per_second, seconds, width=100):
    """Lines at an even rate, each 10 ms; how many."""
    begin = time.monotonic()
    sent = 0
    while (now := time.monotonic() - begin) < seconds:
        due = int(now * bytes_per_second / width)
        logger.write(b''.join(b'%0*d\n' % (width - 1, i) for i in range(sent, due)))
        sent = due
        time.sleep(0.01)
    return sent


def rate(world, seconds):
    logger = Logger(world.config(options={'mode': 'non-blocking', 'max-buffer-size': '4m',
                                          'awslogs-force-flush-interval-seconds': '5'}))
    partner = until(logger.partner)
    sent = feed(logger, 5_000_000, seconds)
    used = cpu(logger.process.pid) + cpu(partner)
    logger.end(60)
    status = logger.status()
    print(f'rate: {sent} lines in {seconds:.0f} s, {status["events"]} events, {status["dropped_lines"]} dropped, '
          f'{100 * used / seconds:.1f} % of a core, {status["requests"]} requests')


def many(world, seconds, count=100):
    loggers = [Logger(world.config(options={'awslogs-stream': f's{i}', 'awslogs-force-flush-interval-seconds': '5'},
                                   spool=16 << 20)) for i in range(count)]
    end = time.monotonic() + seconds
    number = 0
    while time.monotonic() < end:
        for logger in loggers:
            logger.write(b'%099d\n' % number)
        number += 1
        time.sleep(0.02)
    pids = [pid for logger in loggers for pid in (logger.process.pid, logger.partner())]
    sizes = [pss(pid) for pid in pids]
    used = sum(cpu(pid) for pid in pids)
    for logger in loggers:
        logger.close()
    for logger in loggers:
        logger.process.wait()
    events = sum(logger.status()['events'] for logger in loggers)
    pairs = [a + b for a, b in zip(sizes[::2], sizes[1::2])]
    print(f'many: {count} containers, {number * count} lines, {events} events; PSS of a process at most {max(sizes)} KiB, '
          f'of a pair {max(pairs)} KiB; {100 * used / seconds:.1f} % of a core for all')


def outage(world, seconds):
    logger = Logger(world.config(spool=256 << 20))
    feed(logger, 50_000, 3)
    world.service.fail('ServiceUnavailableException', 503)
    sent = feed(logger, 50_000, seconds)
    spooled = logger.status().get('spooled_lines', 0)
    world.service.fail('')
    logger.end(120)
    status = logger.status()
    print(f'outage: {seconds:.0f} s, {sent} lines while away, {spooled} through the spool, {status["lines"]} lines, '
          f'{status["events"]} events, {status["dropped_lines"]} dropped')


def main():
    chosen = {'rate': rate, 'many': many, 'outage': outage}
    seconds = float(sys.argv[2]) if len(sys.argv) > 2 else 60
    for name in sys.argv[1:2] or chosen:
        world = World()
        try:
            chosen[name](world, seconds)
        finally:
            world.remove()


main()
