#!/usr/bin/env python3
"""What everybody else feels while work in the background is under way.

    tests/bench/neighbours.py --build build [--quick] [--case deleted …] [--runs 3]
                              [--daemons OTHER_BUILD] [--set queued:NAME=VALUE …] [--place DIR]

A case prepares a backlog, measures its neighbours in quiet, starts the background work, and measures
the same neighbours beside it: publish -> long poll at 200/s, and calls at 64 connections (sends; publishes
where the work is topicd's). Then everything is quiet, and it is measured how long the rest takes, and
until the file has given its space back. One line a figure:

    neighbours/CASE/quiet    p50_us p99_us calls_per_s
    neighbours/CASE/loaded   the same, beside the work; `busy` says whether the work outlasted both. The longest
                             commit is beside the longest turn: what it takes is mostly the disk's, and
                             --place /dev/shm leaves the disk out
    neighbours/CASE/ratio    loaded to quiet, and the bars:
                             p50 <= 1.5, p99 <= 2 (or 2 ms more), calls >= 0.85, longest turn <= 20 ms
    neighbours/CASE/idle     what was cleared with nobody else there, at which rate; space given back;
                             bar: 3 million in 30 s
    neighbours/CASE/memory   resident KiB of a daemon that has nothing, of this one with the backlog, and when
                             all is gone; bar: 2 * idle + 40 MiB, 15 s after that

Quiet is measured before and after the work; the mean of both counts. Figures of several runs are medians.
"""
import argparse, json, pathlib, resource, signal, socket, statistics, time

from tools import ACCOUNT, REGION, Tools

QUEUES = 100
RETENTION_S = 60  # the shortest that the service allows
DELAY_S = 900
DRAIN_MAX_S = 300
SETTLE_MAX_S = 120
MEMORY_MAX_S = 15


class Case:
    """Prepares and starts one kind of background work. `left` is how much of it is still to be done."""
    options = {}  # of the daemons
    door = 'queued'  # the daemon that works
    parts = 1  # the work is started in so many parts, one a measurement

    def __init__(self, bench, scale):
        self.bench, self.scale = bench, scale

    def start(self):
        self.t = self.bench.fresh(clock='manual', **self.options)
        return self.t

    def fill(self, url, count):
        self.bench.load(self.t.queue_ports[0], 'batch', 'fill', connections=16, queue=url, size=100, runs=1,
                        show=False, count=count, seconds=3600, warmup=0)

    def prepare(self):
        pass

    def empty(self):
        """Removes what the work has left."""

    def left(self):
        """Messages in memory that are in no queue any more."""
        health = self.bench.health(self.t)
        return health['messages'] - self.bench.alive(self.t)


class Deleted(Case):
    """100 queues with 3 million messages that came through a topic are deleted."""
    count = 3000000

    def prepare(self):
        b, t = self.bench, self.t
        topic = b.topic(t, 'wide')
        self.urls = []
        for n in range(QUEUES):
            self.urls.append(b.queue(t, f'wide-{n}'))
            b.subscribe(t, topic, f'wide-{n}', RawMessageDelivery='true')
        b.load(t.topic_port, 'publish', 'fill', topic=topic, connections=16, runs=1, show=False,
               count=self.scale // QUEUES, seconds=3600, warmup=0)
        b.expect(t, self.urls, self.scale)

    def trigger(self, part):
        for url in self.urls:
            self.bench.sqs(self.t.queue_ports[0], 'DeleteQueue', QueueUrl=url)


class Purged(Case):
    """A queue of 3 million messages is purged."""
    count = 3000000

    def prepare(self):
        self.url = self.bench.queue(self.t, 'deep')
        self.fill(self.url, self.scale)

    def trigger(self, part):
        self.bench.sqs(self.t.queue_ports[0], 'PurgeQueue', QueueUrl=self.url)


class Expired(Deleted):
    """3 million messages in 100 queues reach the end of their retention at once."""

    def prepare(self):
        super().prepare()
        for url in self.urls:
            self.bench.sqs(self.t.queue_ports[0], 'SetQueueAttributes', QueueUrl=url,
                           Attributes={'MessageRetentionPeriod': str(RETENTION_S)})

    def trigger(self, part):
        self.t.advance(RETENTION_S + 1)


class Delayed(Case):
    """1 million delayed messages become visible in the same millisecond."""
    count = 1000000

    def prepare(self):
        self.url = self.bench.queue(self.t, 'late')
        self.bench.sqs(self.t.queue_ports[0], 'SetQueueAttributes', QueueUrl=self.url,
                       Attributes={'DelaySeconds': str(DELAY_S)})
        self.fill(self.url, self.scale)

    def trigger(self, part):
        self.t.advance(DELAY_S)

    def empty(self):
        self.bench.sqs(self.t.queue_ports[0], 'PurgeQueue', QueueUrl=self.url)

    def left(self):
        return self.scale - self.bench.visible(self.t, self.url)


class Returned(Case):
    """The visibility timeout of 1 million messages in flight ends in the same millisecond."""
    count = 1000000
    options = {'queue_options': {'in_flight_max': 10000000}}

    def prepare(self):
        self.url = self.bench.queue(self.t, 'held')
        self.fill(self.url, self.scale)
        self.bench.load(self.t.queue_ports[0], 'hold', 'hold', connections=16, queue=self.url, runs=1, show=False,
                        count=self.scale, seconds=3600, warmup=0)

    def trigger(self, part):
        self.t.advance(31)

    def empty(self):
        self.bench.sqs(self.t.queue_ports[0], 'PurgeQueue', QueueUrl=self.url)

    def left(self):
        return self.scale - self.bench.visible(self.t, self.url)


class Topic(Case):
    """A topic of 100,000 subscriptions, each with a filter policy, is deleted; one a measurement."""
    count = 100000
    door = 'topicd'
    parts = 2

    def start(self):
        path = pathlib.Path(self.bench.build) / 'bench-topology.json'
        path.write_text(json.dumps({
            'topics': [{'Name': f'large{p}'} for p in range(self.parts)],
            'subscriptions': [{'Topic': f'large{p}', 'Protocol': 'sqs', 'Endpoint': f'large-{n}',
                               'Attributes': {'FilterPolicy': {'kind': [f'k{n}'], 'size': [{'numeric': ['>', n]}]}}}
                              for p in range(self.parts) for n in range(self.scale)]}))
        self.t = self.bench.fresh(clock='manual', topology=path, topic_options={
            'topic_policies_max': 12500000, 'account_policies_max': 100000000})
        return self.t

    def trigger(self, part):
        self.bench.sns(self.t.topic_port, 'DeleteTopic', TopicArn=f'arn:aws:sns:{REGION}:{ACCOUNT}:large{part}')

    def left(self):
        return self.bench.health(self.t, 'topicd').get('background_jobs', 0)


class Polls(Case):
    """100,000 long polls end in the same millisecond, or as many as there are descriptors; in each part."""
    count = 100000
    parts = 2
    options = {'queue_options': {'connections_max': 200000, 'long_polls_max': 200000, 'calls_waiting_max': 200000}}

    def prepare(self):
        self.url, self.sockets = self.bench.queue(self.t, 'empty'), []
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        self.scale = min(self.scale, hard // 2)  # the daemon keeps some for itself
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    def request(self):
        body = json.dumps({'QueueUrl': self.url, 'WaitTimeSeconds': 20}).encode()
        return (b'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/x-amz-json-1.0\r\n'
                b'X-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Length: %d\r\n\r\n' % len(body)) + body

    def trigger(self, part):
        """From several addresses, since one has too few ports."""
        self.empty()
        request = self.request()
        for n in range(self.scale):
            s = socket.create_connection(('127.0.0.1', self.t.queue_ports[0]), timeout=60,
                                         source_address=(f'127.0.0.{2 + n // 20000}', 0))
            s.sendall(request)
            self.sockets.append(s)
            if n % 1000 == 999:
                self.wait(n + 1)
        self.wait(self.scale)
        self.bench.health(self.t)
        self.t.advance(20)

    def wait(self, count):
        """As many are parked: connections that nobody accepts in time are tried again a second later."""
        end = time.perf_counter() + SETTLE_MAX_S
        while self.left() < count:
            assert time.perf_counter() < end, f'{self.left()} of {count} polls are parked'
            time.sleep(0.001)

    def empty(self):
        for s in self.sockets:
            s.close()
        self.sockets = []

    def left(self):
        return self.bench.health(self.t)['long_polls']


class Orphans(Deleted):
    """100 queues with 3 million messages are deleted, queued is killed, and starts again."""

    def trigger(self, part):
        super().trigger(part)
        self.t.queued.kill()
        self.t.queued.start()
        self.t.wait_linked()


CASES = {'deleted': Deleted, 'purged': Purged, 'expired': Expired, 'delayed': Delayed, 'returned': Returned,
         'topic': Topic, 'polls': Polls, 'orphans': Orphans}


class Neighbours(Tools):
    def __init__(self, build, quick, daemons=None, settings=()):
        super().__init__(build, quick, daemons)
        self.window_s = 2 if quick else 4
        self.idle = {}
        self.settings = {}
        for setting in settings:
            program, _, option = setting.partition(':')
            name, _, value = option.partition('=')
            self.settings.setdefault(f'{dict(queued="queue", topicd="topic")[program]}_options', {})[name] = value

    def fresh(self, **how):
        for key, options in self.settings.items():
            how[key] = {**how.get(key, {}), **options}
        return super().fresh(**how)

    # --- what the daemons tell -------------------------------------------------------------------

    def health(self, t, door='queued'):
        status, health = t.page('GET', '/health', door=door)
        assert status == 200
        return health

    def alive(self, t):
        """Messages in queues, as the service counts them."""
        alive = 0
        for url in self.sqs(t.queue_ports[0], 'ListQueues', MaxResults=1000).get('QueueUrls', []):
            got = self.sqs(t.queue_ports[0], 'GetQueueAttributes', QueueUrl=url, AttributeNames=['All'])
            alive += sum(int(v) for k, v in got['Attributes'].items() if k.startswith('ApproximateNumber'))
        return alive

    def expect(self, t, urls, count):
        there = sum(self.visible(t, url) for url in urls)
        assert there >= count - QUEUES, (there, count)

    # --- measuring -------------------------------------------------------------------------------

    def latency(self, case):
        t = case.t
        got = self.load(t.queue_ports[0], 'latency', 'latency', queue=self.near, topic=self.near_topic,
                        publish_port=t.topic_port, wait=20, connections=2, size=18, runs=1, warmup=0.2,
                        seconds=self.window_s, show=False)
        return {'p50_us': got['p50_us'], 'p99_us': got['p99_us']}

    def rate(self, case):
        t = case.t
        if case.door == 'topicd':
            got = self.load(t.topic_port, 'publish', 'rate', topic=self.far_topic, connections=64, runs=1, warmup=0.2,
                            seconds=self.window_s, show=False)
        else:
            got = self.load(t.queue_ports[0], 'send', 'rate', queue=self.far, connections=64, runs=1, warmup=0.2,
                            seconds=self.window_s, show=False)
        return {'calls_per_s': got['messages_per_s']}

    def quiet(self, case):
        return {**self.latency(case), **self.rate(case)}

    def loaded(self, case):
        """The same beside the work; each part of it is started right before a measurement."""
        figures, busy = {}, []
        self.health(case.t, case.door)  # the longest turn since the last look is told
        for n, measure in enumerate((self.latency, self.rate)):
            if n < case.parts:
                case.trigger(n)
            figures.update(measure(case))
            busy.append(case.left() > 0)
        health = self.health(case.t, case.door)
        figures['turn_longest_us'] = health.get('turn_longest_us', 0)
        figures['commit_longest_us'] = health.get('commit_longest_us', 0)
        figures['busy'] = all(busy)
        return figures

    def drained(self, case):
        """Waits until all is done, with nobody else there; seconds and what was left to be done."""
        left, began = case.left(), time.perf_counter()
        while case.left() > 0:
            assert time.perf_counter() - began < DRAIN_MAX_S, case.left()
            time.sleep(0.2 if self.quick else 1)  # who asks is other work, too
        return time.perf_counter() - began, left

    def space(self, case):
        """Seconds until the store's file rests, having given back what it means to."""
        file = case.t.folder / case.door / f'{case.door}.db'
        size, began = file.stat().st_size, time.perf_counter()
        last, since = size, began
        while time.perf_counter() - since < 3 and time.perf_counter() - began < SETTLE_MAX_S:
            time.sleep(0.1)
            now = file.stat().st_size
            if now != last:
                last, since = now, time.perf_counter()
        return {'space_s': f'{since - began:.1f}', 'file_mib_before': size >> 20, 'file_mib': last >> 20}

    def idle_kib(self, door):
        """Of a daemon that has nothing."""
        if door not in self.idle:
            t = self.fresh(clock='manual')
            self.idle[door] = self.memory(getattr(t, door))['rss_kib']
            t.kill()
        return self.idle[door]

    def emptied_kib(self, case):
        """Resident when nothing is left, and the seconds until it was within the bar."""
        daemon, bar = getattr(case.t, case.door), 2 * self.idle_kib(case.door) + 40 * 1024
        self.sqs(case.t.queue_ports[0], 'PurgeQueue', QueueUrl=self.far)
        case.empty()
        while self.health(case.t)['messages'] > self.alive(case.t):
            time.sleep(1)
        began = time.perf_counter()
        while self.memory(daemon)['rss_kib'] > bar and time.perf_counter() - began < MEMORY_MAX_S:
            time.sleep(0.5)
        return self.memory(daemon)['rss_kib'], bar, time.perf_counter() - began

    def settle(self, case):
        """The backlog is in the file, and the store has nothing more to tidy."""
        self.space(case)

    def run_once(self, name, scale):
        case = CASES[name](self, scale)
        memory = [self.idle_kib(case.door)]
        t = case.start()
        try:
            self.near, self.far = self.queue(t, 'near'), self.queue(t, 'far')
            self.near_topic, self.far_topic = self.topic(t, 'near'), self.topic(t, 'far')
            self.subscribe(t, self.near_topic, 'near')
            self.subscribe(t, self.far_topic, 'far')
            case.prepare()
            self.settle(case)
            memory.append(self.memory(getattr(t, case.door))['rss_kib'])
            before = self.quiet(case)
            loaded = self.loaded(case)
            seconds, left = self.drained(case)
            idle = {'left': int(left), 'seconds': round(seconds, 1), **self.space(case)}
            if left > scale / 10:
                idle['per_s'] = int(left / max(seconds, 0.05))
            after = self.quiet(case)
            memory += self.emptied_kib(case)
            quiet = {k: (before[k] + after[k]) / 2 for k in before}
            return quiet, loaded, idle, memory
        finally:
            t.kill()

    def report(self, name, runs):
        medians = [{k: statistics.median(run[part][k] for run in runs) for k in runs[0][part] if k != 'busy'}
                   for part in (0, 1)]
        quiet, loaded = medians
        whole = lambda figures: {k: int(v) for k, v in figures.items()}
        self.say(f'neighbours/{name}/quiet', **whole(quiet))
        self.say(f'neighbours/{name}/loaded', **whole(loaded), busy='/'.join(
            'yes' if r[1]['busy'] else 'no' for r in runs))
        met = {'p50': loaded['p50_us'] <= max(1.5 * quiet['p50_us'], 0),
               'p99': loaded['p99_us'] <= max(2 * quiet['p99_us'], quiet['p99_us'] + 2000),
               'calls': loaded['calls_per_s'] >= 0.85 * quiet['calls_per_s'],
               'turn': loaded['turn_longest_us'] <= 20000}
        for _, _, idle, memory in runs:
            self.say(f'neighbours/{name}/idle', **idle)
            self.say(f'neighbours/{name}/memory', rss_kib_idle=memory[0], rss_kib_full=memory[1],
                     rss_kib_after=memory[2], seconds=round(memory[4], 1))
            met['memory'] = met.get('memory', True) and memory[2] <= memory[3]
        rates = [r[2]['per_s'] for r in runs if 'per_s' in r[2]]
        if rates and CASES[name].count >= 3000000:
            met['idle'] = 3000000 / statistics.median(rates) <= 30
        missed = [bar for bar, good in met.items() if not good]
        self.say(f'neighbours/{name}/ratio', **{k.split('_')[0]: f'{loaded[k] / quiet[k]:.2f}' for k in quiet},
                 p99_more_us=int(loaded['p99_us'] - quiet['p99_us']),
                 bars='missed:' + ','.join(missed) if missed else 'met')
        return missed

    def run(self, cases=None, runs=1):
        for name in cases or CASES:
            scale = CASES[name].count // (10 if self.quick else 1)
            self.report(name, [self.run_once(name, scale) for _ in range(runs)])


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument('--build', default='build')
    options.add_argument('--daemons', help='a build whose daemons are measured instead')
    options.add_argument('--quick', action='store_true', help='a tenth of everything')
    options.add_argument('--case', action='append', choices=CASES)
    options.add_argument('--runs', type=int, default=1)
    options.add_argument('--set', action='append', default=[], help='queued:NAME=VALUE or topicd:NAME=VALUE')
    options.add_argument('--place', help='directory for the daemons\' folders; default: the build')
    options = options.parse_args()
    bench = Neighbours(pathlib.Path(options.build).resolve(), options.quick,
                       options.daemons and pathlib.Path(options.daemons).resolve(), options.set)
    bench.place = options.place or bench.place
    bench.run(options.case, options.runs)


if __name__ == '__main__':
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    main()
