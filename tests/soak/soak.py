#!/usr/bin/env python3
"""Mixed load for MINUTES with everything on: TLS, verified signatures, two queued instances, standard and
FIFO queues, filters, raw and wrapped deliveries, delays, long polls, purges, queues and subscriptions that
come and go, connections that break, keys and certificates that are read again. Every call must succeed,
every message that was acknowledged must arrive, and memory, files, descriptors and the 99th percentile
must be flat: the last third of the time is held against the second.

    tests/soak/soak.py --build build --minutes 30
"""
import argparse, collections, json, os, pathlib, random, signal, socket, statistics, sys, tempfile
import threading, time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
KEY = {'access_key_id': 'AKIASOAK', 'secret_access_key': 'soak/secret', 'account': '000000000000'}
SAMPLE_S = 2.0
# What may be more at the end than in the middle: a part, and a little beside it.
BARS = {'rss_kib': (1.10, 6144), 'file_kib': (1.15, 8192), 'fds': (1.0, 12), 'p99_ms': (1.5, 15)}


class Soak:
    def __init__(self, toque, seed):
        self.t, self.seed = toque, seed
        self.over = threading.Event()
        self.errors, self.threads = [], []
        self.calls = collections.Counter()
        self.latencies, self.samples = [], []
        self.lock = threading.Lock()
        self.sent, self.got = collections.Counter(), collections.Counter()
        self.open = collections.defaultdict(set)  # queue → marks that are to arrive

    # --- clients -----------------------------------------------------------------------------

    def client(self, service, at='topicd'):
        port, bundle = self.t.secure[at]
        import boto3
        from botocore.config import Config
        return boto3.client(service, endpoint_url=f'https://localhost:{port}', verify=bundle,
                            region_name='us-east-1', aws_access_key_id=KEY['access_key_id'],
                            aws_secret_access_key=KEY['secret_access_key'],
                            config=Config(retries={'max_attempts': 0}, read_timeout=60))

    def work(self, name, step, pause_s):
        """Calls step(random) until it is over, at most once in pause_s."""
        def run():
            chance = random.Random(f'{self.seed}/{name}')
            try:
                while not self.over.wait(pause_s):
                    step(chance)
                    self.calls[name] += 1
            except BaseException as e:  # noqa: B036
                self.errors.append(f'{name}: {type(e).__name__}: {e}')
                self.over.set()
        thread = threading.Thread(target=run, name=name)
        self.threads.append(thread)
        thread.start()

    def mark(self, queues, chance):
        text = f'{chance.getrandbits(64):016x}'
        with self.lock:
            for queue in queues:
                self.open[queue].add(text)
                self.sent[queue] += 1
        return text

    def arrived(self, queue, body):
        mark = json.loads(body)['mark'] if body.startswith('{') else body[:16]
        with self.lock:
            self.open[queue].discard(mark)
            self.got[queue] += 1

    # --- the load ----------------------------------------------------------------------------

    def producer(self, sqs, queue, url, **more):
        def step(chance):
            entries = []
            for i in range(chance.randint(1, 10)):
                size = chance.choice([16, 100, 2000, 20000])
                entries.append({'Id': str(i), 'MessageBody': self.mark([queue], chance).ljust(size, 'x'),
                                **{k: v(chance, i) for k, v in more.items()}})
            assert not sqs.send_message_batch(QueueUrl=url, Entries=entries).get('Failed')
        return step

    def consumer(self, sqs, queue, url, returns=0.0):
        def step(chance):
            messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1,
                                           VisibilityTimeout=600).get('Messages', [])
            done = []
            for m in messages:
                if chance.random() < returns:
                    sqs.change_message_visibility(QueueUrl=url, ReceiptHandle=m['ReceiptHandle'],
                                                  VisibilityTimeout=0)
                else:
                    self.arrived(queue, m['Body'])
                    done.append({'Id': str(len(done)), 'ReceiptHandle': m['ReceiptHandle']})
            if done:
                assert not sqs.delete_message_batch(QueueUrl=url, Entries=done).get('Failed')
        return step

    def publisher(self, sns, arn):
        def step(chance):
            kind = chance.choice(['sale', 'refund', 'test'])
            mark = self.mark({'sale': ['sales', 'all'], 'refund': ['all'], 'test': []}[kind], chance)
            sns.publish(TopicArn=arn, Message=json.dumps({'mark': mark, 'pad': 'x' * chance.choice([10, 3000])}),
                        MessageAttributes={'kind': {'DataType': 'String', 'StringValue': kind}})
        return step

    def churn(self, sqs, sns, arn):
        def step(chance):
            name = f'churn{chance.randrange(1000)}'
            url = sqs.create_queue(QueueName=name)['QueueUrl']
            sub = sns.subscribe(TopicArn=arn, Protocol='sqs', ReturnSubscriptionArn=True,
                                Endpoint=f'arn:aws:sqs:us-east-1:000000000000:{name}',
                                Attributes={'FilterPolicy': json.dumps({'kind': [f'k{chance.randrange(9)}']})})
            sqs.send_message(QueueUrl=url, MessageBody='x' * 1000, DelaySeconds=chance.choice([0, 5]))
            sqs.purge_queue(QueueUrl=url)
            sns.unsubscribe(SubscriptionArn=sub['SubscriptionArn'])
            sqs.delete_queue(QueueUrl=url)
        return step

    def break_connections(self, chance):
        for _ in range(5):
            with socket.create_connection(('127.0.0.1', self.t.topic_port)) as s:
                s.sendall(b'POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\nhalf'
                          [:chance.randrange(1, 70)])

    def reread(self, chance):
        for d in [self.t.topicd, *self.t.queueds]:
            d.process.send_signal(signal.SIGHUP)

    def probe(self, sqs, url):
        def step(chance):
            for call, more in (('send_message', {'MessageBody': 'probe'}),
                               ('receive_message', {'MaxNumberOfMessages': 1})):
                began = time.monotonic()
                answer = getattr(sqs, call)(QueueUrl=url, **more)
                self.latencies.append((time.monotonic() - began) * 1000)
            for m in answer.get('Messages', []):
                sqs.delete_message(QueueUrl=url, ReceiptHandle=m['ReceiptHandle'])
        return step

    def begin(self):
        sqs, sns = self.client('sqs'), self.client('sns')
        urls = {name: sqs.create_queue(QueueName=name)['QueueUrl']
                for name in ('work', 'late', 'sales', 'all', 'empty', 'probe')}
        urls['line'] = sqs.create_queue(QueueName='line.fifo', Attributes={
            'FifoQueue': 'true', 'ContentBasedDeduplication': 'true'})['QueueUrl']
        arn = sns.create_topic(Name='topic')['TopicArn']
        for name, attributes in (('sales', {'FilterPolicy': '{"kind":["sale"]}', 'RawMessageDelivery': 'true'}),
                                 ('all', {'FilterPolicy': '{"kind":[{"anything-but":"test"}]}',
                                          'RawMessageDelivery': 'true'})):
            sns.subscribe(TopicArn=arn, Protocol='sqs', Attributes=attributes,
                          Endpoint=f'arn:aws:sqs:us-east-1:000000000000:{name}')
        group = {'MessageGroupId': lambda chance, i: f'g{chance.randrange(20)}'}
        late = {'DelaySeconds': lambda chance, i: chance.choice([0, 1, 3])}
        self.work('work-send', self.producer(self.client('sqs'), 'work', urls['work']), 0.02)
        self.work('late-send', self.producer(self.client('sqs'), 'late', urls['late'], **late), 0.1)
        self.work('line-send', self.producer(self.client('sqs'), 'line', urls['line'], **group), 0.1)
        for n in range(2):
            self.work(f'publish-{n}', self.publisher(self.client('sns'), arn), 0.02)
        for name in 'work', 'late', 'line', 'sales', 'all':
            for n in range(2 if name == 'work' else 1):
                self.work(f'{name}-receive-{n}', self.consumer(self.client('sqs'), name, urls[name],
                                                               0.05 if name == 'work' else 0), 0.01)
        for n in range(10):
            client = self.client('sqs')
            self.work(f'poll-{n}', lambda chance, c=client: c.receive_message(
                QueueUrl=urls['empty'], WaitTimeSeconds=chance.randint(1, 5)), 0)
        self.work('churn', self.churn(self.client('sqs'), self.client('sns'), arn), 0.2)
        self.work('break', self.break_connections, 0.5)
        self.work('reread', self.reread, 10)
        self.work('probe', self.probe(self.client('sqs'), urls['probe']), 0.01)
        self.drains = {name: self.consumer(self.client('sqs'), name, urls[name])
                       for name in ('work', 'late', 'line', 'sales', 'all')}

    # --- what is looked at -------------------------------------------------------------------

    def look(self):
        latencies, self.latencies = self.latencies, []
        sample = {'p99_ms': sorted(latencies)[int(len(latencies) * 0.99)] if latencies else 0.0}
        for d in [self.t.topicd, *self.t.queueds]:
            proc = pathlib.Path(f'/proc/{d.process.pid}')
            status = dict(line.split(':', 1) for line in (proc / 'status').read_text().splitlines())
            sample[f'rss_kib {d.options["pid_file"]}'] = int(status['VmRSS'].split()[0])
            sample[f'fds {d.options["pid_file"]}'] = len(os.listdir(proc / 'fd'))
            sample[f'file_kib {d.options["pid_file"]}'] = sum(
                f.stat().st_size for f in pathlib.Path(d.options['data_dir']).iterdir() if f.is_file()) // 1024
        self.samples.append(sample)

    def drain(self, seconds):
        """Everything acknowledged arrives."""
        end, chance = time.monotonic() + seconds, random.Random(0)
        while any(self.open.values()) and time.monotonic() < end:
            for name in [n for n, marks in self.open.items() if marks]:
                self.drains[name](chance)
        return {name: len(marks) for name, marks in self.open.items() if marks}

    def run(self, seconds):
        self.begin()
        end = time.monotonic() + seconds
        while time.monotonic() < end and not self.over.wait(SAMPLE_S):
            self.look()
        self.over.set()
        for thread in self.threads:
            thread.join(60)

    def flat(self):
        """Lines of the report, and whether each bar is met."""
        n = len(self.samples) // 3
        middle, last = self.samples[n:2 * n], self.samples[2 * n:]
        good = True
        for name in sorted(self.samples[-1]):
            was, now = (statistics.median(s[name] for s in part) for part in (middle, last))
            factor, more = BARS[name.split()[0]]
            met = now <= was * factor + more
            good &= met
            print(f'soak={name.replace(str(self.t.folder) + "/", "")} middle={was:.1f} last={now:.1f} '
                  f'bar={was * factor + more:.1f} {"met" if met else "MISSED"}')
        return good


def start(folder):
    from daemons import Toque
    keys = folder / 'keys.json'
    keys.write_text(json.dumps({'keys': [KEY]}))
    keys.chmod(0o600)
    options = {'tls': 'auto', 'tls_port': 0, 'keys': keys}
    t = Toque(folder, queueds=2, topic_options=options, queue_options=options)
    t.secure = {}
    for d in [*t.queueds, t.topicd]:
        d.start(ready=False)
        words = dict(w.split('=', 1) for w in d.wait_line('TLS is on').split() if '=' in w)
        t.secure[d.program] = (int(words['port']), words['AWS_CA_BUNDLE'])
    t.wait_linked()
    return t


def main():
    options = argparse.ArgumentParser()
    options.add_argument('--build', default='build')
    options.add_argument('--minutes', type=float, default=30)
    options.add_argument('--seed', default='1')
    options = options.parse_args()
    os.environ['TOQUE_BUILD'] = str(pathlib.Path(options.build).resolve())
    sys.path.insert(0, str(ROOT / 'tests/e2e'))
    with tempfile.TemporaryDirectory() as folder:
        t = start(pathlib.Path(folder))
        soak = Soak(t, options.seed)
        try:
            soak.run(options.minutes * 60)
            left = soak.drain(60) if not soak.errors else {}
            good = len(soak.samples) >= 3 and soak.flat()
            t.stop()
        finally:
            t.kill()
    print(f'soak=calls {" ".join(f"{k}={v}" for k, v in sorted(soak.calls.items()))}')
    print(f'soak=messages sent={sum(soak.sent.values())} received={sum(soak.got.values())} lost={left}')
    print('\n'.join(soak.errors))
    return 0 if good and not left and not soak.errors else 1


sys.exit(main())
