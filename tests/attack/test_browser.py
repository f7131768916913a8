"""Web pages: those of this machine may call, others may not, by no method and in neither protocol; what
programs send is not affected."""
import http.client, json, urllib.parse

import pytest

EVIL = [{'Origin': 'https://evil.example'}, {'Origin': 'null'}, {'Referer': 'https://evil.example/page'},
        {'Sec-Fetch-Site': 'cross-site'}, {'Sec-Fetch-Site': 'same-site'},
        # DNS rebinding: a name of the page's own that resolves to this machine
        {'Host': 'evil.example:4566', 'Sec-Fetch-Site': 'same-origin'},
        {'Host': 'evil.example:4566', 'Referer': 'http://evil.example:4566/'},
        {'Host': 'evil.example:4566', 'Origin': 'http://evil.example:4566'}]
FORM = 'application/x-www-form-urlencoded'


def request(port, method, path='/', body=None, **headers):
    c = http.client.HTTPConnection('127.0.0.1', port, timeout=30)
    c.request(method, path, body, {k.replace('_', '-'): v for k, v in headers.items()})
    answer = c.getresponse()
    return answer, answer.read()


@pytest.fixture
def ports(toque):
    toque.sqs().create_queue(QueueName='q')
    toque.sqs().send_message(QueueUrl='q', MessageBody='secret')
    return toque.queue_ports[0], toque.topic_port


@pytest.mark.parametrize('evidence', EVIL, ids=range(len(EVIL)))
def test_pages_of_others(toque, ports, evidence):
    delete = urllib.parse.urlencode({'Action': 'DeleteQueue', 'QueueUrl': 'q'})
    for port in ports:
        for method in 'GET', 'HEAD', 'POST':
            assert request(port, method, f'/?{delete}', **evidence)[0].status == 403
        assert request(port, 'POST', body=delete, Content_Type=FORM, **evidence)[0].status == 403
        answer, text = request(port, 'POST', body='{"QueueUrl":"q"}',
                               X_Amz_Target='AmazonSQS.ReceiveMessage', **evidence)
        assert answer.status == 403 and b'secret' not in text
        assert request(port, 'GET', '/health', **evidence)[0].status == 403
        answer, _ = request(port, 'OPTIONS', Access_Control_Request_Method='POST', **evidence)
        assert answer.status != 204 and not answer.getheader('Access-Control-Allow-Origin')
    assert len(toque.sqs().receive_message(QueueUrl='q')['Messages']) == 1


def test_pages_of_this_machine(ports):
    page = {'Origin': 'http://localhost:3000', 'Sec-Fetch-Site': 'same-site',
            'Referer': 'http://localhost:3000/app'}
    for port in ports:
        answer, _ = request(port, 'OPTIONS', Access_Control_Request_Method='POST',
                            Access_Control_Request_Headers='x-amz-target,authorization', **page)
        assert answer.status == 204
        assert answer.getheader('Access-Control-Allow-Origin') == page['Origin']
        assert 'x-amz-target' in answer.getheader('Access-Control-Allow-Headers')
        answer, text = request(port, 'POST', body='{}', X_Amz_Target='AmazonSQS.ListQueues', **page)
        assert answer.status == 200 and b'/q"' in text
        assert answer.getheader('Access-Control-Allow-Origin') == page['Origin']
    assert request(ports[0], 'GET', '/health', Sec_Fetch_Site='none')[0].status == 200


def test_listed_pages(make_toque):
    t = make_toque(queue_options={'browser_origins': 'https://app.example', 'browser_hosts': 'queue.lan'})
    port = t.start().queue_ports[0]
    for host in '127.0.0.1', '[::1]:1', 'localhost:7', 'queue.lan':
        assert request(port, 'GET', '/health', Host=host, Origin='https://app.example')[0].status == 200
    assert request(port, 'GET', '/health', Host='other.lan', Origin='https://app.example')[0].status == 403
    assert request(port, 'GET', '/health', Origin='http://localhost:3000')[0].status == 403


def test_programs(ports):
    """SDKs and curl send none of these fields, whatever the host they use."""
    for port in ports:
        for host in 'localhost:4566', 'toque', 'host.docker.internal:4566', 'evil.example':
            answer, text = request(port, 'POST', body='{}', Host=host, X_Amz_Target='AmazonSQS.ListQueues',
                                   User_Agent='Boto3/1.34', Content_Type='application/x-amz-json-1.0')
            assert answer.status == 200 and not answer.getheader('Access-Control-Allow-Origin')
            assert json.loads(text)['QueueUrls'][0].startswith(f'http://{host}/')


def test_head_changes_nothing(toque, ports):
    for port in ports:
        for query in ('Action=DeleteQueue&QueueUrl=q', 'Action=PurgeQueue&QueueUrl=q',
                      'Action=ReceiveMessage&QueueUrl=q', 'Action=SendMessage&QueueUrl=q&MessageBody=x'):
            assert request(port, 'HEAD', f'/?{query}')[0].status == 404
    assert toque.sqs().receive_message(QueueUrl='q')['Messages'][0]['Body'] == 'secret'
