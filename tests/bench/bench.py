#!/usr/bin/env python3
"""All figures of the daemons, one measurement a line, with the limit of the same run beside them.

    tests/bench/bench.py --build build [--quick] [--seconds 0.2] [--only send --only fanout …]

The limit is the daemons' HTTP server with a handler that appends the body to SQLite, one commit a turn, under
the same generator, on the same disk, in the same run. Daemons run with their defaults (durability
full) in a fresh folder. Every answer is checked by the generator; counts are checked here.
"""
import argparse, http.client, json, os, pathlib, signal, statistics, subprocess, tempfile, time

from neighbours import Neighbours
from tools import ACCOUNT, ATTRIBUTE, ROOT, Tools


class Bench(Tools):
    def sync(self):
        print(subprocess.run([str(self.build / 'bench/limit'), '--sync', str(self.build)],
                             capture_output=True, text=True).stdout, end='')

    def start(self):
        for program in ('topicd', 'queued'):
            self.say(f'size/{program}', bytes=(self.build / program).stat().st_size)
        took = {'topicd': [], 'queued': []}
        for _ in range(5 if self.quick else 15):
            with tempfile.TemporaryDirectory(dir=self.build) as folder:
                t = self.daemons.Toque(folder, reserve=None)
                for name, port in (('queued', t.queue_ports[0]), ('topicd', t.topic_port)):
                    d = getattr(t, name)
                    began = time.perf_counter()
                    d.start(ready=False)
                    while True:
                        try:
                            c = http.client.HTTPConnection('127.0.0.1', port)
                            c.request('GET', '/health')
                            assert c.getresponse().status == 200
                            break
                        except ConnectionRefusedError:
                            pass
                    took[name].append((time.perf_counter() - began) * 1000)
                t.kill()
        for name, ms in took.items():
            self.say(f'start/{name}', first_answer_ms=f'{statistics.median(ms):.1f}',
                     min=f'{min(ms):.1f}', max=f'{max(ms):.1f}')
        t = self.fresh()
        both = 0
        for name in ('topicd', 'queued'):
            figures = self.memory(getattr(t, name))
            both += figures['pss_kib']
            self.say(f'idle/{name}', **figures)
        self.say('idle/both', pss_kib=both)
        t.stop()

    def limit(self):
        with tempfile.TemporaryDirectory(dir=self.build) as folder:
            port = self.daemons.free_port()
            p = subprocess.Popen([str(self.build / 'bench/limit'), str(port), folder],
                                 stdout=subprocess.PIPE)
            p.stdout.readline()
            try:
                for n in (1, 16, 64, 256):
                    got = self.load(port, 'raw', 'limit', connections=n)
                    self.rates['limit', n] = got['requests_per_s']
            finally:
                p.kill()
                p.wait()

    def send(self):
        t = self.fresh()
        url = self.queue(t, 'q')
        for n in (1, 16, 64, 256):
            got = self.load(t.queue_ports[0], 'send', 'send', connections=n, queue=url)
            if ('limit', n) in self.rates:
                self.say(f'send-of-limit/1024/{n}',
                         ratio=f'{got["requests_per_s"] / self.rates["limit", n]:.2f}')
        self.load(t.queue_ports[0], 'batch', 'send-batch', connections=16, queue=url)
        self.turns(t, 'send')
        t.stop()

    def signed(self):
        """What verifying signatures costs: the same sends, signed and not, in turn."""
        t = self.fresh()
        url = self.queue(t, 'q')
        path = pathlib.Path(self.folder.name) / 'keys.json'
        key = {'access_key_id': ACCOUNT, 'secret_access_key': 'secret', 'account': ACCOUNT}
        path.write_text(json.dumps({'keys': [key]}))
        path.chmod(0o600)
        rates = {'': [], str(path): []}
        for _ in range(1 if self.quick else 3):
            for keys, got in rates.items():
                t.queued.stop()
                t.queued.options['keys'] = keys
                t.queued.start()
                how = dict(key=ACCOUNT, secret='secret') if keys else {}
                got.append(self.load(t.queue_ports[0], 'send', 'send-signed' if keys else 'send',
                                     connections=64, queue=url, runs=1, **how)['requests_per_s'])
        unsigned, signed = map(statistics.median, rates.values())
        self.say('send-signed-of-unsigned/1024/64', ratio=f'{signed / unsigned:.2f}')
        t.stop()

    def receive(self):
        t = self.fresh()
        url = self.queue(t, 'q')
        for take, label in ((10, 'receive10-delete'), (1, 'receive1-delete')):
            self.load(t.queue_ports[0], 'batch', 'fill', connections=16, queue=url, runs=1,
                      show=False, count=150000 if self.quick else 400000, seconds=120, warmup=0)
            self.load(t.queue_ports[0], 'receive', label, connections=16, queue=url, take=take,
                      runs=1)
        self.turns(t, 'receive')
        t.stop()

    def latency(self):
        t = self.fresh()
        url = self.queue(t, 'q')
        common = dict(queue=url, wait=20, connections=2, size=18, runs=1, seconds=self.seconds + 2)
        self.load(t.queue_ports[0], 'latency', 'latency-send-receive', **common)
        topic = self.topic(t, 'lat')
        self.subscribe(t, topic, 'q')
        self.load(t.queue_ports[0], 'latency', 'latency-publish-receive', topic=topic,
                  publish_port=t.topic_port, **common)
        t.stop()

    def fanout(self):
        for form in ('raw', 'wrapped'):
            t = self.fresh()
            widths = (1, 10, 100) if self.quick else (1, 10, 100, 1000)
            for width in widths:
                topic = self.topic(t, f't{width}')
                urls = []
                for n in range(width):
                    urls.append(self.queue(t, f'q{width}-{n}'))
                    self.subscribe(t, topic, f'q{width}-{n}',
                                   RawMessageDelivery='true' if form == 'raw' else 'false')
                before = [self.visible(t, u) for u in (urls[0], urls[-1])]
                got = self.load(t.topic_port, 'publish', f'fanout-{form}/1-{width}', topic=topic,
                                connections=16, runs=1, show=False)
                after = [self.visible(t, u) for u in (urls[0], urls[-1])]
                assert after[0] == after[1] and after[0] - before[0] >= got['messages'], (before, after)
                self.say(f'fanout-{form}/1024/1-{width}', publishes_per_s=int(got['messages_per_s']),
                         deliveries_per_s=int(got['messages_per_s'] * width), p99_us=int(got['p99_us']))
            t.stop()

    def filtered(self):
        for count in (100, 10000):
            t = self.fresh(topic_options={'topic_policies_max': count})
            topic = self.topic(t, 'f')
            url = self.queue(t, 'q0')
            # One policy matches; the others' queue need not exist.
            for n in range(count):
                self.subscribe(t, topic, f'q{n}', FilterPolicy=json.dumps({'kind': [f'k{n}']}))
            got = self.load(t.topic_port, 'publish', f'filtered/{count}', topic=topic, connections=16,
                            attributes=ATTRIBUTE.format('kind', 'k0'), runs=1, show=False)
            self.say(f'filtered/1024/{count}', publishes_per_s=int(got['messages_per_s']),
                     p99_us=int(got['p99_us']))
            assert self.visible(t, url) >= got['messages']
            t.stop()

    def backlog(self):
        sizes = (0, 100000) if self.quick else (0, 100000, 1000000, 10000000)
        t = self.fresh()
        url, held, base = self.queue(t, 'q'), 0, self.memory(t.queued)['rss_kib']
        for size in sizes:
            if size > held:
                self.load(t.queue_ports[0], 'batch', 'fill', connections=16, queue=url, size=100, runs=1,
                          show=False, count=size - held, seconds=3600, warmup=0)
                held = size
            cycle = self.load(t.queue_ports[0], 'cycle', f'cycle-backlog/{size}', connections=16,
                              queue=url, take=1, size=100, runs=1)
            self.rates['cycle', size] = cycle['messages_per_s']
            figures = self.memory(t.queued)
            if size:
                self.say(f'memory-backlog/{size}',
                         bytes_per_message=int((figures['rss_kib'] - base) * 1024 / size),
                         rss_kib=figures['rss_kib'])
            if size >= 100000:
                t.queued.kill()
                began = time.perf_counter()
                t.queued.start()
                self.say(f'restart/{size}', seconds=f'{time.perf_counter() - began:.2f}')
                left = self.visible(t, url)
                assert left >= size - 16, (left, size)
        self.say('cycle-ratio', of_largest=f'{self.rates["cycle", sizes[0]] / self.rates["cycle", sizes[-1]]:.2f}')
        if not self.quick:
            self.load(t.queue_ports[0], 'receive', 'receive10-delete-backlog/10000000', connections=16,
                      queue=url, take=10, size=100, runs=1)
        self.turns(t, 'backlog')
        t.kill()

    def neighbours(self):
        Neighbours(self.build, self.quick).run()

    def turns(self, t, where):
        """The longest turn of the loop, as the daemon tells."""
        status, health = t.page('GET', '/health', door='queued')
        assert status == 200
        self.say(f'turn/{where}', **{k: health[k] for k in ('turns', 'turn_longest_us', 'commits',
                                                            'commit_longest_us', 'wal_bytes')})


    def filterctl(self):
        """Corpora through filterctl: started on nothing, and counting at the matcher's speed."""
        program, count = str(self.build / 'filterctl'), 200000 if self.quick else 2000000
        policies = {'attributes': [ROOT / 'config/topology.json'],
                    'body': ['{"type":[{"anything-but":["refund","test"]}],"total":[{"numeric":[">",10]}]}',
                             '-s', 'MessageBody', '--body']}
        with tempfile.TemporaryDirectory(dir=self.build, prefix='bench-') as folder:
            for kind, options in policies.items():
                path = pathlib.Path(folder) / f'{kind}.jsonl'
                with path.open('w') as f:
                    for i in range(count):
                        body = f'{{"type":"{("purchase", "refund", "test")[i % 3]}","total":{i % 100}}}'
                        f.write(body + '\n' if kind == 'body' else json.dumps({
                            'MessageAttributes': {'receipt_type': {'DataType': 'String',
                                                                   'StringValue': ('purchase', 'refund')[i % 2]}},
                            'Message': body}) + '\n')
                seconds = []
                for corpus in (os.devnull, path, path, path):
                    began = time.perf_counter()
                    done = subprocess.run([program, 'match', '-c', '-p', *map(str, options), str(corpus)],
                                          capture_output=True, text=True)
                    seconds.append(time.perf_counter() - began)
                    assert done.returncode in (0, 1), done.stderr
                assert done.returncode == 0
                self.say(f'filterctl-match-c/{kind}', messages_per_s=int(count / statistics.median(seconds[1:])),
                         start_ms=f'{seconds[0] * 1e3:.1f}')


ALL = ['sync', 'start', 'limit', 'send', 'signed', 'receive', 'latency', 'fanout', 'filtered', 'filterctl', 'backlog',
       'neighbours']


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--build', default='build')
    options.add_argument('--quick', action='store_true')
    options.add_argument('--only', action='append', choices=ALL)
    options.add_argument('--seconds', type=float, help='of each measurement')
    options = options.parse_args()
    bench = Bench(pathlib.Path(options.build).resolve(), options.quick)
    bench.seconds = options.seconds or bench.seconds
    for name in options.only or ALL:
        getattr(bench, name)()


signal.signal(signal.SIGINT, signal.SIG_DFL)
main()
