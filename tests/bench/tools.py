"""What the benchmarks share: daemons in a fresh folder, the load generator, calls of one request."""
import http.client, json, os, pathlib, re, subprocess, sys, tempfile
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / 'tests/e2e'))
ACCOUNT, REGION = '000000000000', 'us-east-1'
ATTRIBUTE = ('MessageAttributes.entry.1.Name={}&MessageAttributes.entry.1.Value.DataType=String&'
             'MessageAttributes.entry.1.Value.StringValue={}')


class Tools:
    def __init__(self, build, quick, daemons_build=None):
        """`build` holds the load generator, and the daemons unless they are taken from elsewhere."""
        os.environ['TOQUE_BUILD'] = str(daemons_build or build)
        import daemons
        self.daemons, self.build, self.quick = daemons, build, quick
        self.seconds = 1.5 if quick else 4
        self.rates, self.folder, self.place = {}, None, build

    def say(self, name, **figures):
        print(f'bench={name} ' + ' '.join(f'{k}={v}' for k, v in figures.items()), flush=True)

    def fresh(self, **how):
        self.folder = tempfile.TemporaryDirectory(dir=self.place, prefix='bench-')
        return self.daemons.Toque(self.folder.name, reserve=None, **how).start()

    def load(self, port, scenario, label, runs=None, show=True, **options):
        """Runs the generator; prints the run with the median rate and returns its figures."""
        command = [str(self.build / 'bench/load'), f'--port={port}', f'--scenario={scenario}',
                   f'--label={label}']
        options = {'seconds': self.seconds, 'warmup': 0.5, **options}
        command += [f'--{k.replace("_", "-")}={v}' for k, v in options.items()]
        lines = []
        for _ in range(runs or (1 if self.quick else 3)):
            done = subprocess.run(command, capture_output=True, text=True)
            if done.returncode:
                raise SystemExit(f'{label}: {done.stderr}{done.stdout}')
            lines.append(dict(f.split('=', 1) for f in done.stdout.split()))
        lines.sort(key=lambda r: float(r['messages_per_s']))
        median = lines[len(lines) // 2]
        if show:
            print(' '.join(f'{k}={v}' for k, v in median.items()), flush=True)
        return {k: float(v) for k, v in median.items() if k != 'bench'}

    @staticmethod
    def sqs(port, action, **body):
        c = http.client.HTTPConnection('127.0.0.1', port, timeout=120)
        c.request('POST', '/', json.dumps(body), {'X-Amz-Target': f'AmazonSQS.{action}',
                                                  'Content-Type': 'application/x-amz-json-1.0'})
        answer = c.getresponse()
        text = answer.read()
        assert answer.status == 200, text
        return json.loads(text or b'{}')

    @staticmethod
    def sns(port, action, **form):
        c = http.client.HTTPConnection('127.0.0.1', port, timeout=120)
        c.request('POST', '/', urllib.parse.urlencode({'Action': action, 'Version': '2010-03-31',
                                                       **form}),
                  {'Content-Type': 'application/x-www-form-urlencoded'})
        answer = c.getresponse()
        text = answer.read().decode()
        assert answer.status == 200, text
        return text

    def queue(self, t, name):
        return self.sqs(t.queue_ports[0], 'CreateQueue', QueueName=name)['QueueUrl']

    def visible(self, t, url):
        got = self.sqs(t.queue_ports[0], 'GetQueueAttributes', QueueUrl=url,
                       AttributeNames=['ApproximateNumberOfMessages'])
        return int(got['Attributes']['ApproximateNumberOfMessages'])

    @staticmethod
    def memory(daemon):
        """KiB of a daemon: resident, proportional, its own anonymous."""
        rollup = pathlib.Path(f'/proc/{daemon.process.pid}/smaps_rollup').read_text()
        status = pathlib.Path(f'/proc/{daemon.process.pid}/status').read_text()
        field = lambda text, name: int(re.search(rf'^{name}:\s+(\d+) kB', text, re.M).group(1))
        return {'rss_kib': field(rollup, 'Rss'), 'pss_kib': field(rollup, 'Pss'),
                'anon_kib': field(status, 'RssAnon')}

    def topic(self, t, name):
        self.sns(t.topic_port, 'CreateTopic', Name=name)
        return f'arn:aws:sns:{REGION}:{ACCOUNT}:{name}'

    def subscribe(self, t, topic, queue, **attributes):
        form = {}
        for n, (k, v) in enumerate(attributes.items(), 1):
            form.update({f'Attributes.entry.{n}.key': k, f'Attributes.entry.{n}.value': v})
        self.sns(t.topic_port, 'Subscribe', TopicArn=topic, Protocol='sqs',
                 Endpoint=f'arn:aws:sqs:{REGION}:{ACCOUNT}:{queue}', **form)
