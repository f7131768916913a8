"""A real browser opens a page of somebody else, which tries to reach the daemons in every way that pages
have; and a page of an origin that is listed, which may. Without a browser on this machine the test says so."""
import contextlib, http.server, json, queue, shutil, subprocess, threading

import pytest

from daemons import DEADLINE_S, free_port

BROWSER = next(filter(None, map(shutil.which, ['chromium', 'chromium-browser', 'google-chrome'])), None)
pytestmark = pytest.mark.skipif(not BROWSER, reason='no chromium on this machine')

PAGE = '''<!doctype html><title>page</title><body><script>
const QUEUES = "%(queues)s", TOPICS = "%(topics)s", found = {};
const form = { "Content-Type": "application/x-www-form-urlencoded" };
async function tried(name, url, how) {
    try {
        const answer = await fetch(url, how);
        found[name] = answer.type === "opaque" ? "opaque" : answer.status + " " + await answer.text();
    } catch (e) { found[name] = "failed"; }
}
function image(url) {
    return new Promise(done => { const i = new Image(); i.onload = i.onerror = done; i.src = url; });
}
function post(url, fields) {
    return new Promise(done => {
        const frame = document.createElement("iframe"), f = document.createElement("form");
        frame.name = "frame" + Math.random();
        document.body.append(frame, f);
        f.method = "POST"; f.action = url; f.target = frame.name;
        for (const [name, value] of Object.entries(fields)) {
            const input = document.createElement("input");
            input.name = name; input.value = value; f.append(input);
        }
        frame.onload = () => setTimeout(done, 0);
        f.submit();
    });
}
async function all() {
    %(steps)s
    await fetch("/report", { method: "POST", body: JSON.stringify(found) });
}
all();
</script>'''

ATTACK = '''
    const victim = QUEUES + "/000000000000/victim";
    await image(QUEUES + "/?Action=DeleteQueue&QueueUrl=" + encodeURIComponent(victim));
    await image(victim + "?Action=PurgeQueue");
    await image(QUEUES + "/?Action=CreateQueue&QueueName=planted");
    await post(victim, { Action: "SendMessage", MessageBody: "form" });
    await post(TOPICS, { Action: "Publish", Message: "form",
                         TopicArn: "arn:aws:sns:us-east-1:000000000000:topic" });
    await tried("simple", victim, { method: "POST", mode: "no-cors", headers: form,
                                    body: "Action=SendMessage&MessageBody=fetch" });
    await tried("cors", QUEUES + "/?Action=ListQueues");
    await tried("json", QUEUES + "/", { method: "POST", headers: {
        "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.ListQueues" }, body: "{}" });
    await tried("head", QUEUES + "/?Action=CreateQueue&QueueName=planted", { method: "HEAD", mode: "no-cors" });
    await tried("health", TOPICS + "/health");
    navigator.sendBeacon(victim + "?Action=SendMessage&MessageBody=beacon", "x");
    await tried("rebound", "http://rebound.example:" + new URL(QUEUES).port + "/?Action=ListQueues");
'''

USE = '''
    await tried("send", QUEUES + "/", { method: "POST", headers: {
        "Content-Type": "application/x-amz-json-1.0", "X-Amz-Target": "AmazonSQS.SendMessage" },
        body: JSON.stringify({ QueueUrl: QUEUES + "/000000000000/victim", MessageBody: "from a page" }) });
    await tried("list", QUEUES + "/?Action=ListQueues");
    await tried("publish", TOPICS + "/", { method: "POST", headers: form, body:
        "Action=Publish&Message=x&TopicArn=arn:aws:sns:us-east-1:000000000000:topic" });
'''


class Site(http.server.ThreadingHTTPServer):
    """Serves one page at each name of this machine, and keeps what that reports."""

    def __init__(self, page):
        self.page, self.reports = page, queue.Queue()
        super().__init__(('127.0.0.1', free_port()), Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(self.server.page.encode() if self.path == '/' else b'')

    def do_POST(self):
        self.server.reports.put(json.loads(self.rfile.read(int(self.headers['Content-Length']))))
        self.answer(b'')

    def answer(self, body):
        self.send_response(200)
        self.send_header('Content-Type', 'text/html')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *words):
        pass


def command(folder, *words):
    return [BROWSER, '--headless=new', '--no-sandbox', '--disable-gpu', '--no-first-run',
            '--disable-background-networking', '--disable-component-update', '--no-proxy-server',
            f'--user-data-dir={folder}', '--host-resolver-rules=MAP *.example 127.0.0.1', *words]


def opened(folder, host, page):
    """What the page reports when a browser opens it at this host."""
    site = Site(page)
    url = f'http://{host}:{site.server_port}/'
    browser = subprocess.Popen(command(folder, '--remote-debugging-port=0', url),
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        return site.reports.get(timeout=2 * DEADLINE_S)
    finally:
        browser.kill()
        browser.wait()
        with contextlib.suppress(OSError):
            site.shutdown()
        site.server_close()


def page(t, steps):
    return PAGE % {'queues': t.queue_url, 'topics': t.topic_url, 'steps': steps}


def set_up(t):
    sqs, sns = t.sqs(), t.sns()
    url = sqs.create_queue(QueueName='victim')['QueueUrl']
    sqs.send_message(QueueUrl=url, MessageBody='mine')
    arn = sns.create_topic(Name='topic')['TopicArn']
    return sqs, url, sns, arn


def calls(t):
    return t.page('GET', '/health')[1]['published']


def test_a_page_of_somebody_else(toque, tmp_path):
    sqs, url, _, _ = set_up(toque)
    before = calls(toque)
    found = opened(tmp_path / 'profile', 'evil.example', page(toque, ATTACK))
    assert len(found) == 6
    # Nothing was read: neither an answer, nor that there is one.
    for name in 'cors', 'json', 'health', 'rebound':
        assert found[name] == 'failed', (name, found[name])
    # And nothing has happened.
    assert [u.rsplit('/', 1)[1] for u in sqs.list_queues()['QueueUrls']] == ['victim']
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)['Messages']
    assert [m['Body'] for m in got] == ['mine']
    assert calls(toque) == before


def test_a_listed_origin(make_toque, tmp_path):
    """Pages of this machine are listed by default, whatever their port; others by name and port."""
    t = make_toque()
    for d in (t.topicd, t.queued):
        d.options['browser_origins'] = 'loopback,http://shop.example'
    t.start()
    sqs, url, _, _ = set_up(t)
    before = calls(t)
    found = opened(tmp_path / 'other', 'shop.example', page(t, USE))
    assert found == {'send': 'failed', 'list': 'failed', 'publish': 'failed'}
    found = opened(tmp_path / 'own', 'localhost', page(t, USE))
    assert found['send'].startswith('200 ') and 'MessageId' in found['send']
    assert found['list'].startswith('200 ') and 'victim' in found['list']
    assert found['publish'].startswith('200 ')
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)['Messages']
    assert sorted(m['Body'] for m in got) == ['from a page', 'mine']
    assert calls(t) == before + 1


@pytest.mark.parametrize('host, lets_in', [('localhost', True), ('rebound.example', False)])
def test_the_host_that_was_typed(toque, tmp_path, host, lets_in):
    """A name that anybody's DNS has pointed to this machine is none of ours."""
    url = f'http://{host}:{toque.queue_ports[0]}/health'
    done = subprocess.run(command(tmp_path / 'profile', '--dump-dom', url), capture_output=True, text=True,
                          timeout=2 * DEADLINE_S)
    assert ('"status":"ok"' in done.stdout) == lets_in
    assert ('browser_hosts' in done.stdout) != lets_in
