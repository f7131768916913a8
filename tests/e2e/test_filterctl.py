"""filterctl as people and programs run it: what each verb prints, its exit status, and that nothing that
it may be fed makes it crash."""
import json, os, pty, random, re, subprocess
import xml.etree.ElementTree as xml

import pytest

from daemons import BUILD, ROOT

VERBS = ['match', 'explain', 'lint', 'test', 'coverage', 'diff', 'convert']
RECEIPT = '{"receipt_type":[{"anything-but":["refund","test"]}]}'
TOPOLOGY = {
    'topics': [{'Name': 'receipts'}],
    'queues': [{'QueueName': 'point-deduction'}, {'QueueName': 'notification'}, {'QueueName': 'all'}],
    'subscriptions': [
        {'Topic': 'receipts', 'Protocol': 'sqs', 'Endpoint': 'point-deduction',
         'Attributes': {'FilterPolicy': json.loads(RECEIPT)}},
        {'Topic': 'receipts', 'Protocol': 'sqs', 'Endpoint': 'arn:aws:sqs:us-east-1:000000000000:notification',
         'Attributes': {'FilterPolicy': '{"total":[{"numeric":[">",10]}]}', 'FilterPolicyScope': 'MessageBody'}},
        {'Topic': 'receipts', 'Protocol': 'sqs', 'Endpoint': 'all'}]}


def run(*args, stdin='', status=None):
    if isinstance(stdin, str):
        stdin = stdin.encode()
    done = subprocess.run([str(BUILD / 'filterctl'), *map(str, args)], input=stdin, capture_output=True, timeout=60)
    out, err = done.stdout.decode(), done.stderr.decode(errors='replace')
    assert done.returncode in (0, 1, 2), (args, done.returncode, err)
    if status is not None:
        assert done.returncode == status, (args, done.returncode, out, err)
    return out


def lines(text):
    return [json.loads(line) for line in text.splitlines()]


def text(value):
    return {'DataType': 'String', 'StringValue': value}


def publish(kind, body='{}', **more):
    return json.dumps({'MessageAttributes': {'receipt_type': text(kind), **more}, 'Message': body})


@pytest.fixture
def topology(tmp_path):
    path = tmp_path / 'topology.json'
    path.write_text(json.dumps(TOPOLOGY, indent=2))
    return path


# --- match ----------------------------------------------------------------------------------------------

def test_match_is_grep():
    purchase, refund = publish('purchase'), publish('refund')
    corpus = f'{purchase}\n{refund}\n'
    assert run('match', '-p', RECEIPT, stdin=corpus, status=0) == purchase + '\n'
    assert run('match', '-v', '-p', RECEIPT, stdin=corpus, status=0) == refund + '\n'
    assert run('match', '-c', '-p', RECEIPT, stdin=corpus, status=0) == '1\n'
    assert run('match', '-p', '{"none":["x"]}', stdin=corpus, status=1) == ''
    assert run('match', '-q', '-p', RECEIPT, stdin=corpus, status=0) == ''
    run('match', '-q', '-p', RECEIPT, stdin=f'{purchase}\n{{broken', status=0)
    run('match', '-q', '-p', RECEIPT, stdin=f'{refund}\n{{broken', status=2)
    assert run('match', '--quiet', '-p', '{"none":["x"]}', stdin=corpus, status=1) == ''
    assert run('match', '-c', '-v', '-p', '{"none":["x"]}', stdin=corpus, status=0) == '2\n'


def test_match_reads_files_and_inline_messages(tmp_path):
    (tmp_path / 'p.json').write_text(RECEIPT)
    (tmp_path / 'm.jsonl').write_text(publish('purchase') + '\n\n' + publish('test'))
    assert run('match', '-c', '-p', tmp_path / 'p.json', tmp_path / 'm.jsonl', '-', publish('x'),
               stdin=publish('y')) == '3\n'


SHAPES = [
    publish('purchase'),
    json.dumps({'Type': 'Notification', 'MessageId': '1', 'Message': 'm',
                'MessageAttributes': {'receipt_type': {'Type': 'String', 'Value': 'purchase'}}}),
    json.dumps({'Messages': [{'Body': 'm', 'MessageAttributes': {'receipt_type': text('purchase')}}]}),
    json.dumps({'Messages': [{'Body': json.dumps(
        {'Type': 'Notification', 'Message': 'm',
         'MessageAttributes': {'receipt_type': {'Type': 'String', 'Value': 'purchase'}}})}]}),
    json.dumps({'Records': [{'EventSource': 'aws:sns', 'Sns': {
        'Message': 'm', 'MessageAttributes': {'receipt_type': {'Type': 'String', 'Value': 'purchase'}}}}]}),
    json.dumps({'Records': [{'body': 'm', 'messageAttributes': {
        'receipt_type': {'dataType': 'String', 'stringValue': 'purchase'}}}]}),
    json.dumps({'PublishBatchRequestEntries': [{'Id': '1', **json.loads(publish('purchase'))}]}),
    json.dumps({'events': [{'message': 'START RequestId: 1'}, {'message': publish('purchase') + '\n'}]}),
    json.dumps({'results': [[{'field': '@timestamp', 'value': 't'}, {'field': '@message', 'value': publish('purchase')}]]}),
    '2026-01-02T03:04:05.678Z ' + publish('purchase'),
    json.dumps(json.loads(publish('purchase')), indent=4),
    '\ufeff' + publish('purchase'),
    '[INFO]\t2026-01-02T03:04:05.678Z\tid\t' + json.dumps(json.loads(publish('purchase')), indent=2),
    repr({'Messages': [{'Body': 'm', 'MessageAttributes': {'receipt_type': text('purchase')}}], 'ResponseMetadata': {}}),
    publish('purchase') + publish('more'),
    json.dumps({'Messages': [{'Body': 'm', 'MessageAttributes': {'receipt_type': text('purchase')}}]}, indent=2),
]


@pytest.mark.parametrize('shape', SHAPES)
def test_match_reads_every_shape(shape):
    assert run('match', '-c', '-p', '{"receipt_type":["purchase"]}', stdin=shape + '\n' + publish('other'), status=0) == '1\n'
    assert run('match', '-c', '-p', '{"receipt_type":["other"]}', stdin=shape + '\n' + publish('other'), status=0) == '1\n'


def test_match_bodies():
    corpus = '{"Message":"x","n":5}\n{"n":6}\nnot json\n'
    policy = ('-s', 'MessageBody', '-p', '{"n":[5]}')
    assert run('match', '--body', *policy, stdin=corpus, status=0) == '{"Message":"x","n":5}\n'
    assert run('match', '--body', '-v', '-c', *policy, stdin=corpus, status=0) == '2\n'
    assert run('match', *policy, stdin=json.dumps({'Message': '{"n":5}'}), status=0)
    both = json.dumps({'MessageStructure': 'json', 'Message': json.dumps({'default': '{"n":1}', 'sqs': '{"n":5}'})})
    assert run('match', *policy, stdin=both, status=0)


def test_match_names_subscriptions(topology):
    corpus = '\n'.join([publish('purchase', '{"total":12}'), publish('refund', '{"total":1}')])
    out = run('match', '-p', topology, stdin=corpus, status=0).splitlines()
    assert [set(line.split('\t')[0].split(',')) for line in out] == [{'all', 'notification', 'point-deduction'}, {'all'}]
    assert [line.split('\t')[1] for line in out] == corpus.splitlines()
    rows = lines(run('match', '-o', 'json', '-p', topology, stdin=corpus))
    assert [row['match'] for row in rows] == [True, True]
    assert [set(row['names']) for row in rows] == [{'point-deduction', 'notification', 'all'}, {'all'}]
    counted = lines(run('match', '-c', '-o', 'json', '-p', topology, stdin=corpus))[0]
    assert counted['names'] == {'point-deduction': 1, 'notification': 1, 'all': 2} and counted['messages'] == 2
    many = lines(run('match', '-o', 'json', '-p', '{"receipt_type":["refund"]}', '-p', '{"receipt_type":["x"]}', stdin=corpus))
    assert [(row['match'], row['names']) for row in many] == [(False, []), (True, ['policy-1'])]


def test_match_policies_of_many_kinds(tmp_path):
    def counts(content):
        path = tmp_path / 'policies.json'
        path.write_text(content)
        return lines(run('match', '-c', '-o', 'json', '-p', path, stdin=publish('a')))[0]['names']
    assert counts('{"one":{"receipt_type":["a"]},"two":{"receipt_type":["b"]}}') == {'one': 1, 'two': 0}
    assert counts('[{"name":"one","policy":{"receipt_type":["a"]}},{"name":"two","scope":"MessageBody","policy":{"d":{"e":[1]}}}]') \
        == {'one': 1, 'two': 0}
    assert counts('{"name":"one","policy":{"receipt_type":["a"]}}\n{"name":"two","policy":{"receipt_type":["b"]}}\n') \
        == {'one': 1, 'two': 0}
    assert counts('{"policies":{"one":{"receipt_type":["a"]}}}') == {'one': 1}
    assert counts('receipt_type: [a]\n') == {'policies': 1}
    assert counts('one: {receipt_type: [a]}\ntwo:\n  receipt_type: [b]\n') == {'one': 1, 'two': 0}
    assert counts('{"receipt_type":["a"]}\n{"receipt_type":["b"]}\n') == {'policies:1': 1, 'policies:2': 0}
    # Keys that are called as parts of templates are.
    for key, entries in [('subscriptions', [{'prefix': 'x'}]), ('policies', [{'prefix': 'x'}]), ('functions', ['x']),
                         ('resources', ['x']), ('Resources', ['x'])]:
        assert counts(json.dumps({'receipt_type': ['a'], key: entries + [{'exists': False}]})) == {'policies': 1}


def test_match_refuses(tmp_path):
    assert run('match', '-p', '{"k":[]}', stdin='', status=2) == ''
    assert run('match', '-p', tmp_path / 'none', stdin='', status=2) == ''
    assert run('match', stdin='', status=2) == ''
    assert run('match', '-s', 'messagebody', '-p', RECEIPT, status=2) == ''
    assert run('match', '-p', RECEIPT, tmp_path / 'none', status=2) == ''
    row = lines(run('match', '-o', 'json', '-p', RECEIPT, stdin='{"MessageAttributes":{"k":5}}', status=2))[0]
    assert row['match'] is False and 'DataType' in row['error']
    # What is good is still printed.
    good = publish('a')
    assert run('match', '-p', RECEIPT, stdin=f'{{broken\n{good}\n', status=2) == good + '\n'


# --- explain --------------------------------------------------------------------------------------------

def cases():
    for line in (ROOT / 'tests/cases/filter/vectors.jsonl').read_text().splitlines():
        case = json.loads(line)
        kinds = {name: {'DataType': kind, 'BinaryValue' if kind.startswith('Binary') else 'StringValue': value}
                 for name, (kind, value) in case.pop('attributes', {}).items()}
        yield {**case, 'message_attributes': kinds, 'policy_text': case.pop('policy'),
               **({'error_contains': case.pop('error')} if 'error' in case else {})}


def test_explain_says_what_match_says():
    for n, case in enumerate(cases()):
        if case['expect'] == 'invalid' or n % 4:
            continue
        message = json.dumps({'MessageAttributes': case['message_attributes'], 'Message': case.get('body', '')})
        row = lines(run('explain', '-o', 'json', '-s', case.get('scope', 'MessageAttributes'),
                        '-p', case['policy_text'], stdin=message))[0]
        assert row['match'] == (case['expect'] == 'match'), case['id']
        assert row['policies'][0]['words']


def test_explain_names_the_nearest_miss():
    def miss(policy, message, scope='MessageAttributes'):
        row = lines(run('explain', '-o', 'json', '-s', scope, '-p', policy, stdin=message, status=1))[0]
        return row['policies'][0]['decided']['miss']
    assert miss('{"receipt_type":["Refund"]}', publish('refund')) == 'case'
    assert miss('{"receipt_type":["refund"]}', publish('refund ')) == 'blank'
    assert miss('{"receipt_type":[5]}', publish('5')) == 'number-as-string'
    assert miss('{"channel":["x"]}', publish('refund')) == 'absent'
    assert miss('{"a":["x"]}', json.dumps({'Message': '{"b":{"a":"x"}}'}), 'MessageBody') == 'deeper'
    shown = run('explain', '-p', RECEIPT, stdin=publish('refund'), status=1)
    assert 'no match' in shown and 'receipt_type' in shown and 'excludes' in shown


# --- lint -----------------------------------------------------------------------------------------------

LINT = [
    ('L001', '{"k":[]}'), ('L001', '{"k":"v"}'), ('L001', '{broken}'), ('L001', '{"k":[{"regex":"x"}]}'),
    ('L002', '{"a":{"b":["x"]}}'), ('L003', '{"k":[{"numeric":[">",5,"<",5]}]}'),
    ('L101', '{"k":[true]}'), ('L101', '{"k":[{"anything-but":{"wildcard":"*"}}]}'),
    ('L102', '{"k":["a","a"]}'), ('L102', '{"k":["abc",{"prefix":"ab"}]}'),
    ('L102', '{"k":[{"numeric":[">=",10]},{"numeric":[">",20]}]}'), ('L102', '{"k":[{"cidr":"10.0.0.0/8"},"10.1.2.3"]}'),
    ('L102', '{"k":[{"anything-but":["a","b","a"]}]}'), ('L102', '{"k":[{"anything-but":{"prefix":["ab","a"]}}]}'),
    ('L102', '{"$or":[{"k":["a"]},{"k":["a"]}]}'), ('L102', '{"$or":[{"k":[{"prefix":"a"}]},{"k":["ab"],"l":["x"]}]}'),
    ('L103', '{"k":["a",{"anything-but":["a","b"]}]}'), ('L103', '{"k":[{"prefix":"a"},{"anything-but":"ab"}]}'),
    ('L104', '{"k":[{"anything-but":"a"},{"anything-but":"b"}]}'),
    ('L105', '{"k":[{"exists":true},{"exists":false}]}'), ('L105', '{}'),
    ('L106', '{"k":["a\\"b"]}'), ('L107', '{"a.b":["x"]}'), ('L107', '{"$k":["x"]}'),
    ('L109', '{"k":[{"numeric":["=",1.1234567]}]}'), ('L109', '{"k":[5000000000]}'),
    ('L110', json.dumps({'k': list('abcdefghijkl'), 'l': list('abcdefghijkl')})),
    ('L111', '{"k":["a"],"k":["b"]}'), ('L112', '{"k":[{"exists":false}]}'), ('L113', '{"k":[{"prefix":""}]}'),
    ('L114', '{"k":[{"wildcard":"abc"}]}'), ('L115', '{"k":["a "]}'), ('L116', '{"k":["a\\\\b"]}'),
]


@pytest.mark.parametrize('code,policy', LINT)
def test_lint_finds(code, policy):
    found = lines(run('lint', '-o', 'json', policy, status=1))
    assert code in {f['code'] for f in found}, found
    for f in found:
        assert f['advice'] and f['message'] and f['line'] >= 1 and f['column'] >= 1
    shown = run('lint', policy, status=1)
    assert code in shown and '^' in shown


@pytest.mark.parametrize('policy', [
    RECEIPT, '{"k":["a","b"]}', '{"k":[{"prefix":"a"},{"prefix":"b"}]}', '{"k":[{"anything-but":["x"]},{"exists":false}]}',
    '{"k":[{"numeric":[">",1,"<",5]},{"numeric":[">",4,"<",9]}]}', '{"k":["A",{"equals-ignore-case":"b"}]}',
    '{"$or":[{"a":["x"]},{"b":["y"]}]}', '{"$or":[{"a":["x"],"b":["y"]},{"a":["x"],"b":["z"]}]}',
    '{"k":[{"anything-but":["a","A","5"]}]}', '{"k":[{"prefix":"10."},"10.0.0.1"]}', '{"k":[{"cidr":"10.0.0.0/8"},"11.0.0.1"]}'])
def test_lint_says_nothing_of_what_is_well(policy):
    assert run('lint', '-o', 'json', policy, status=0) == ''


def test_lint_places(tmp_path):
    path = tmp_path / 'p.json'
    path.write_text('{\n  "good": ["a"],\n  "bad": [\n    {"suffix": 5}\n  ]\n}\n')
    found = lines(run('lint', '-o', 'json', path, status=1))[0]
    assert (found['line'], found['column']) == (4, 16)
    assert found['message'].startswith('Invalid parameter: Attributes Reason: FilterPolicy: suffix match pattern must be a string')
    shown = run('lint', path, status=1).splitlines()
    caret = next(i for i, line in enumerate(shown) if line.strip() == '^')
    assert shown[caret - 1][shown[caret].index('^')] == '5'
    # In a topology the place is the file's.
    whole = json.dumps({'subscriptions': [{'Endpoint': 'q', 'Attributes': {'FilterPolicy': {'k': []}}}]}, indent=1)
    path.write_text(whole)
    found = lines(run('lint', '-o', 'json', path, status=1))[0]
    assert whole.splitlines()[found['line'] - 1][found['column'] - 1:].startswith('[]') and found['name'] == 'q'


def test_lint_places_in_templates(tmp_path):
    (tmp_path / 't.yaml').write_text(CLOUDFORMATION.replace('[push]', '[]'))
    found = lines(run('lint', '-o', 'json', tmp_path / 't.yaml', status=1))
    at = [n for n, line in enumerate(CLOUDFORMATION.splitlines(), 1) if 'channel' in line]
    assert [(f['code'], f['name'], f['line']) for f in found] == [('L001', 'Function.Receipts', at[0])]
    # Inside it, too, and in JSON that says less than what is tried.
    (tmp_path / 't.yaml').write_text(CLOUDFORMATION.replace("'>=', 10.50", "'>=', 10.50, '<', 3"))
    shown = run('lint', tmp_path / 't.yaml', status=1).splitlines()
    caret = next(i for i, line in enumerate(shown) if line.strip() == '^')
    assert 'numeric' in shown[caret - 1] and shown[caret - 1][shown[caret].index('^')] == '3'
    whole = json.dumps({'Parameters': {'E': {'Default': 'x '}}, 'Resources': {'S': {'Type': 'AWS::SNS::Subscription', 'Properties': {
        'FilterPolicy': {'k': ['a', {'Ref': 'E'}]}}}}}, indent=1)
    (tmp_path / 't.json').write_text(whole)
    found = lines(run('lint', '-o', 'json', tmp_path / 't.json', status=1))
    assert [(f['code'], whole.splitlines()[f['line'] - 1].strip()) for f in found] == [('L115', '{')]
    (tmp_path / 'a.json').write_text('{"Attributes":{\n "FilterPolicy":"{\\"k\\":[]}"}}')
    found = lines(run('lint', '-o', 'json', tmp_path / 'a.json', status=1))
    assert [(f['line'], f['column']) for f in found] == [(2, 17)]


def test_lint_says_what_it_can(tmp_path):
    path = tmp_path / 't.json'
    path.write_text(json.dumps({'subscriptions': [
        {'Topic': 't', 'Endpoint': 'a', 'Attributes': {'FilterPolicy': {'k': ['x ']}}},
        {'Topic': 't', 'Endpoint': 'b', 'Attributes': {'FilterPolicy': {'k': ['v']}, 'FilterPolicyScope': 'messageBody'}}]}))
    found = lines(run('lint', '-o', 'json', path, status=1))
    assert [(f['code'], f['name']) for f in found] == [('L115', 'a'), ('L001', 'b')]
    assert found[1]['message'] == 'Invalid parameter: Attributes Reason: FilterPolicyScope: Invalid value [messageBody]. ' \
        'Please use either MessageBody or MessageAttributes'
    run('match', '-p', path, stdin='', status=2)
    suite = json.dumps([{'expect': 'match', 'subscription': 'b', 'topology': str(path)}])
    assert 'FilterPolicyScope' in run('test', stdin=suite, status=2)
    # A file that is not there takes nothing from the others.
    assert 'L115' in run('lint', path, tmp_path / 'none', status=2)
    assert 'a' in run('convert', path, tmp_path / 'none', status=2)


def test_lint_bodies_that_are_no_json(tmp_path):
    (tmp_path / 'm').write_text(json.dumps({'Message': 'hello'}) + '\n' + json.dumps({'Message': '{"a":1}'}))
    found = lines(run('lint', '-o', 'json', '-s', 'MessageBody', '-m', tmp_path / 'm', '{"a":[1]}', status=1))
    assert [f['code'] for f in found] == ['L108'] and '1 of 2' in found[0]['message']


# --- test -----------------------------------------------------------------------------------------------

def test_all_cases_as_a_suite(tmp_path):
    suite = list(cases())
    (tmp_path / 's.json').write_text(json.dumps(suite))
    rows = lines(run('test', '-o', 'json', tmp_path / 's.json', status=0))
    assert [row['id'] for row in rows] == [case['id'] for case in suite] and all(row['ok'] for row in rows)
    assert [row['got'] for row in rows] == [case['expect'] for case in suite]
    (tmp_path / 'l.jsonl').write_text('\n'.join(map(json.dumps, suite)))
    assert f'{len(suite)} passed, 0 failed' in run('test', tmp_path / 'l.jsonl', status=0)


@pytest.fixture
def suite(tmp_path, topology):
    (tmp_path / 'policies').mkdir()
    (tmp_path / 'policies/p.json').write_text(RECEIPT)
    path = tmp_path / 'suite.json'
    path.write_text(json.dumps([
        {'id': 'by name', 'subscription': 'point-deduction', 'topology': 'topology.json',
         'message_attributes': {'receipt_type': text('refund')}, 'expect': 'no-match'},
        {'id': 'by file <&> #', 'policy_file': 'policies/p.json', 'message_attributes': {'receipt_type': text('refund')}, 'expect': 'match'},
        {'id': 'its scope', 'subscription': 'receipts/notification', 'topology': 'topology.json', 'body': '{"total":11}', 'expect': 'match'},
        {'id': 'refused', 'policy': {'k': []}, 'expect': 'invalid', 'error_contains': 'Empty arrays'},
        {'id': 'refused otherwise', 'policy': {'k': []}, 'expect': 'invalid', 'error_contains': 'too complex'}]))
    return path


def test_suite_reports(suite):
    rows = lines(run('test', '-o', 'json', suite, status=1))
    assert [row['ok'] for row in rows] == [True, False, True, True, False]
    assert [row['got'] for row in rows] == ['no-match', 'no-match', 'match', 'invalid', 'invalid']
    assert 'excludes' in rows[1]['explanation'] and rows[0]['error'] is None and 'Empty arrays' in rows[3]['error']
    tap = run('test', '-o', 'tap', suite, status=1).splitlines()
    assert tap[0] == 'TAP version 13' and tap[-1] == '1..5'
    assert [line.split(' - ')[0] for line in tap if re.match('(not )?ok', line)] == ['ok 1', 'not ok 2', 'ok 3', 'ok 4', 'not ok 5']
    report = xml.fromstring(run('test', '-o', 'junit', suite, status=1))
    one = report.find('testsuite')
    assert (one.get('tests'), one.get('failures'), one.get('errors')) == ('5', '2', '0')
    assert [c.get('name') for c in one if c.find('failure') is not None] == ['by file <&> #', 'refused otherwise']
    assert 'excludes' in one[1].find('failure').text
    shown = run('test', suite, status=1)
    assert 'by file' in shown and 'excludes' in shown and '3 passed, 2 failed' in shown


def test_suite_trouble(tmp_path, topology):
    path = tmp_path / 's.json'
    for bad in ['', '5', '[', '[{"id":"x"}]', '[{"expect":"match"}]', '[{"expect":"match","subscription":"none"}]',
                '[{"expect":"match","policy":{},"message_attributes":{"k":1}}]', '[{"expect":"maybe","policy":{}}]']:
        path.write_text(bad)
        run('test', path, status=2)
        row = lines(run('test', '-o', 'json', path, status=2))[0]
        assert list(row)[:5] == ['id', 'expect', 'got', 'error', 'ok'] and row['got'] is None and row['error'] and not row['ok']
        assert xml.fromstring(run('test', '-o', 'junit', path, status=2)).find('.//error') is not None
        assert 'not ok 1' in run('test', '-o', 'tap', path, status=2)
    assert 'No such file' in run('test', tmp_path / 'none', status=2)
    assert '1 passed' in run('test', stdin='[{"expect":"match","policy":{"a":[1]},"scope":"MessageBody","Message":"{\\"a\\":1}"}]', status=0)
    path.write_text('[{"expect":"no-match","subscription":"point-deduction"}]')
    run('test', path, status=2)
    run('test', '-p', topology, path, status=0)


# --- coverage, diff, convert ----------------------------------------------------------------------------

def test_coverage(topology):
    corpus = '\n'.join([publish('purchase', '{"total":12,"shop":"a"}', colour=text('red')), publish('refund', '{"total":1,"shop":"b"}'),
                        publish('purchase', 'x', colour=text('red'))])
    rows = lines(run('coverage', '-o', 'json', '-p', topology, stdin=corpus, status=0))
    assert rows[0] == {'type': 'corpus', 'messages': 3, 'matched': 3, 'unmatched': 0}
    assert {r['name']: r['matched'] for r in rows if r['type'] == 'policy'} == {'point-deduction': 2, 'notification': 1, 'all': 3}
    assert [(r['rule'], r['hits']) for r in rows if r['type'] == 'rule'] == \
        [({'anything-but': ['refund', 'test']}, 2), ({'numeric': ['>', 10]}, 1)]
    assert [(r['rule'], r['hits']) for r in rows if r['type'] == 'excluded-value'] == [('refund', 1), ('test', 0)]
    assert [(r['scope'], r['key'], r['count'], r['values']) for r in rows if r['type'] == 'unread-key'] == \
        [('MessageAttributes', 'colour', 2, [{'value': 'red', 'count': 2}]),
         ('MessageBody', 'shop', 2, [{'value': '"a"', 'count': 1}, {'value': '"b"', 'count': 1}])]
    escaped = json.dumps({'Message': json.dumps({'caf\u00e9': 1, 'th\u00e9': 2})})
    rows = lines(run('coverage', '-o', 'json', '-s', 'MessageBody', '-p', '{"caf\u00e9":[1]}', stdin=escaped, status=0))
    assert [r['key'] for r in rows if r['type'] == 'unread-key'] == ['th\u00e9']
    shown = run('coverage', '-p', RECEIPT, stdin=corpus, status=0)
    assert 'never' in shown and 'messages that no policy accepts' in shown and 'colour' in shown


def test_diff(tmp_path, topology):
    corpus = '\n'.join([publish('purchase'), publish('refund'), publish('test')])
    new = '{"receipt_type":[{"anything-but":["purchase","test"]}]}'
    row = lines(run('diff', '-o', 'json', '-p', RECEIPT, '-p', new, stdin=corpus, status=1))[0]
    assert (row['before'], row['after'], row['gained'], row['lost']) == (1, 1, 1, 1)
    assert row['gains'][0]['line'] == 2 and row['losses'][0]['line'] == 1
    assert row['gains'][0]['met']['rule'] == {'anything-but': ['purchase', 'test']} and 'refund' in row['gains'][0]['met']['words']
    shown = run('diff', '-p', RECEIPT, '-p', new, stdin=corpus, status=1).splitlines()
    assert [line.split()[0] for line in shown if line.startswith('      ')] == ['before:', 'now:', 'before:', 'now:']
    assert row['losses'][0]['key'] == 'receipt_type' and row['losses'][0]['rule'] == {'anything-but': ['purchase', 'test']}
    changed = dict(TOPOLOGY, subscriptions=TOPOLOGY['subscriptions'][1:] + [dict(TOPOLOGY['subscriptions'][2], Endpoint='more')])
    (tmp_path / 'new.json').write_text(json.dumps(changed))
    rows = {r['name']: r for r in lines(run('diff', '-o', 'json', '-p', topology, '-p', tmp_path / 'new.json', stdin=corpus, status=1))}
    assert {n: (r['gained'], r['lost']) for n, r in rows.items()} == \
        {'point-deduction': (0, 1), 'notification': (0, 0), 'all': (0, 0), 'more': (3, 0)}
    assert 'gains 3' in run('diff', '-p', topology, '-p', tmp_path / 'new.json', stdin=corpus, status=1)
    run('diff', '-p', topology, '-p', topology, stdin=corpus, status=0)
    run('diff', '-p', topology, stdin=corpus, status=2)


CLOUDFORMATION = '''
Parameters:
  Env: {Type: String, Default: prod}
Resources:
  Deduction:
    Type: AWS::SNS::Subscription
    Properties:
      TopicArn: !Ref Topic
      Endpoint: !GetAtt Queue.Arn
      FilterPolicyScope: MessageBody
      FilterPolicy:
        type: [{anything-but: [refund, test]}]
        env: [!Ref Env]
        total: [{numeric: ['>=', 10.50]}]
        flag: [true, "true", null]
  Everything:
    Type: AWS::SNS::Subscription
    Properties: {TopicArn: !Ref Topic, Endpoint: x}
  Function:
    Type: AWS::Serverless::Function
    Properties:
      Events:
        Receipts: {Type: SNS, Properties: {Topic: !Ref Topic, FilterPolicy: {channel: [push]}}}
'''
SERVERLESS = '''
service: shop
functions:
  deduct:
    events:
      - http: GET /
      - sns: {topicName: receipts, filterPolicy: {type: [refund]}}
resources:
  Resources:
    Sub: {Type: AWS::SNS::Subscription, Properties: {FilterPolicyScope: MessageBody, FilterPolicy: {a: {b: [1]}}}}
'''
FUNCTIONS = '''
Parameters:
  Env: {Type: String, Default: prod}
Resources:
  Sub:
    Type: AWS::SNS::Subscription
    Properties:
      FilterPolicyScope: !If [Deep, MessageBody, MessageAttributes]
      FilterPolicy:
        env: [!Sub '${Env}-x', !Join ['-', [y, !Ref Env]]]
        queue: [!GetAtt Queue.Arn]
  None:
    Type: AWS::SNS::Subscription
    Properties: {FilterPolicy: !Ref AWS::NoValue}
'''
STATE = json.dumps({'version': 4, 'terraform_version': '1.9.0', 'resources': [
    {'mode': 'managed', 'type': 'aws_sqs_queue', 'name': 'q', 'instances': [{'attributes': {}}]},
    {'mode': 'managed', 'module': 'module.m', 'type': 'aws_sns_topic_subscription', 'name': 'a', 'instances': [
        {'index_key': 'x', 'attributes': {'filter_policy': '{"k":["v"]}', 'filter_policy_scope': 'MessageBody'}},
        {'index_key': 1, 'attributes': {'filter_policy': ''}}]}]})
TERRAFORM = json.dumps({'format_version': '1.2', 'planned_values': {'root_module': {
    'resources': [{'address': 'aws_sns_topic_subscription.a', 'type': 'aws_sns_topic_subscription',
                   'values': {'filter_policy': '{"k":["v"]}', 'filter_policy_scope': 'MessageBody'}}],
    'child_modules': [{'resources': [{'address': 'module.m.aws_sns_topic_subscription.b[0]', 'type': 'aws_sns_topic_subscription',
                                      'values': {'filter_policy': '{"k":["w"]}'}}]}]}}})
ATTRIBUTES = json.dumps({'Attributes': {'SubscriptionArn': 'arn:aws:sns:us-east-1:1:t:uuid', 'Endpoint': 'arn:aws:sqs:us-east-1:1:q',
                                        'FilterPolicy': '{"k":["v"]}', 'FilterPolicyScope': 'MessageBody'}}, indent=2)


@pytest.mark.parametrize('name,content,expected', [
    ('t.yaml', CLOUDFORMATION, [
        ('Deduction', 'MessageBody', {'type': [{'anything-but': ['refund', 'test']}], 'env': ['prod'],
                                      'total': [{'numeric': ['>=', 10.5]}], 'flag': [True, 'true', None]}),
        ('Function.Receipts', 'MessageAttributes', {'channel': ['push']})]),
    ('serverless.yml', SERVERLESS, [('deduct', 'MessageAttributes', {'type': ['refund']}), ('Sub', 'MessageBody', {'a': {'b': [1]}})]),
    ('plan.json', TERRAFORM, [('aws_sns_topic_subscription.a', 'MessageBody', {'k': ['v']}),
                              ('module.m.aws_sns_topic_subscription.b[0]', 'MessageAttributes', {'k': ['w']})]),
    ('lists.yml', 'service: s\nfunctions:\n  - a: {events: [{sns: {arn: x, filterPolicy: {k: [v]}}}]}\n  - ${file(b.yml)}\n',
     [('a', 'MessageAttributes', {'k': ['v']})]),
    ('functions.yaml', FUNCTIONS, [('Sub', 'MessageBody', {'env': ['prod-x', 'y-prod'], 'queue': ['${Queue.Arn}']})]),
    ('state.json', STATE, [('module.m.aws_sns_topic_subscription.a["x"]', 'MessageBody', {'k': ['v']})]),
    ('attributes.json', ATTRIBUTES, [('q', 'MessageBody', {'k': ['v']})]),
    ('topology.json', json.dumps(TOPOLOGY), [('point-deduction', 'MessageAttributes', json.loads(RECEIPT)),
                                             ('notification', 'MessageBody', {'total': [{'numeric': ['>', 10]}]})])])
def test_convert(tmp_path, name, content, expected):
    (tmp_path / name).write_text(content)
    found = lines(run('convert', '-o', 'json', tmp_path / name, status=0))
    assert [(f['name'], f['scope'], f['policy']) for f in found] == expected
    whole = run('convert', tmp_path / name, status=0)
    assert json.loads(whole) == found
    # What it prints is what -p reads, as an array and by lines.
    assert json.loads(run('convert', stdin=whole, status=0)) == found
    assert lines(run('convert', '-o', 'json', stdin='\n'.join(map(json.dumps, found)), status=0)) == found
    assert run('lint', '-o', 'json', tmp_path / name, status=0) == ''
    assert f'{len(expected)} policies' in run('lint', stdin=whole, status=0) or len(expected) == 1


def test_convert_says_no_and_trouble(tmp_path):
    run('convert', stdin='{"Resources":{}}', status=1)
    for nothing in ['{"version":1}', '{"k":', 'hello', '[1]']:
        assert run('convert', stdin=nothing, status=2) == '[]\n', nothing
    (tmp_path / 'bad.yaml').write_text('a: [\n')
    run('convert', tmp_path / 'bad.yaml', status=2)
    (tmp_path / 'laughs.yaml').write_text('a: &a [x,x,x,x,x,x,x,x,x,x]\n' + ''.join(
        f'{chr(98 + i)}: &{chr(98 + i)} [{",".join(["*" + chr(97 + i)] * 10)}]\n' for i in range(12)))
    run('convert', tmp_path / 'laughs.yaml', status=2)


# --- help, manual, bad input ----------------------------------------------------------------------------

def test_help_and_manual_know_every_verb():
    manual, completion = ((ROOT / 'filter/ctl' / f'filterctl.{end}').read_text() for end in ('1', 'bash'))
    overview = run('--help', status=0)
    for verb in VERBS:
        shown = run(verb, '--help', status=0)
        assert f'filterctl {verb}' in shown and 'Example:' in shown
        assert verb in overview and re.search(rf'^\.SS {verb}', manual, re.M) and verb in completion
    for option in re.findall(r'--[a-z-]+', run('match', '--help')):
        assert option.replace('-', '\\-') in manual and option in completion, option
    for code in {code for code, _ in LINT} | {'L108'}:
        assert code in manual
    run(status=2)
    run('nonsense', status=2)
    run('match', '--nonsense', status=2)


def test_options_that_a_verb_does_not_have():
    taken = {'match': 'vcq', 'explain': '', 'lint': 'm', 'test': '', 'coverage': 'n', 'diff': 'n', 'convert': ''}
    for verb, letters in taken.items():
        for letter in 'vcqmn':
            value = ['1'] if letter in 'mn' else []
            shown = run(verb, f'-{letter}', *value, '--help', status=0 if letter in letters else 2)
            assert bool(shown) == (letter in letters), (verb, letter)
    run('convert', '-p', RECEIPT, status=2)
    run('test', '--body', status=2)


@pytest.mark.parametrize('args', [['--help'], ['--version'], ['match', '--help'], ['match', '-p', RECEIPT, publish('a')],
                                  ['lint', '{"k":[]}'], ['test', str(ROOT / 'config/receipts.test.json')]])
def test_what_cannot_be_written_is_trouble(args):
    with open('/dev/full', 'wb') as full:
        done = subprocess.run([str(BUILD / 'filterctl'), *args], stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 2 and b'standard output' in done.stderr


def on_terminal(*args, **env):
    ours, theirs = pty.openpty()
    subprocess.run([str(BUILD / 'filterctl'), *args], stdin=subprocess.DEVNULL, stdout=theirs, stderr=subprocess.DEVNULL,
                   env={**os.environ, **env}, timeout=60)
    os.close(theirs)
    shown = b''
    try:
        while part := os.read(ours, 65536):
            shown += part
    except OSError:  # how a terminal says that the other end is closed
        pass
    os.close(ours)
    return shown


def test_colour_on_terminals_only():
    assert '\x1b' not in run('lint', '{"k":[]}', status=1)
    assert b'\x1b[' in on_terminal('lint', '{"k":[]}', TERM='xterm')
    assert b'\x1b[' not in on_terminal('lint', '{"k":[]}', TERM='dumb')
    assert b'\x1b[' not in on_terminal('lint', '{"k":[]}', TERM='xterm', NO_COLOR='1')
    assert b'\x1b[' in on_terminal('lint', '{"k":[]}', TERM='xterm', NO_COLOR='')


@pytest.mark.parametrize('form', ['json', 'tap', 'junit'])
def test_no_colour_for_programs(suite, form):
    assert b'\x1b[' in on_terminal('test', str(suite), TERM='xterm')
    shown = on_terminal('test', '-o', form, str(suite), TERM='xterm')
    assert shown and b'\x1b[' not in shown and b'x1b' not in shown and b'u001b' not in shown


def test_any_bytes_as_any_file(tmp_path):
    chance = random.Random(4)
    seeds = [RECEIPT, publish('a'), json.dumps(TOPOLOGY), CLOUDFORMATION, TERRAFORM, json.dumps([{'policy': {}, 'expect': 'match'}])]
    path = tmp_path / 'bytes'
    for n in range(60):
        data = bytearray(chance.choice(seeds).encode())
        for _ in range(chance.randrange(1, 8)):
            data[chance.randrange(len(data))] = chance.choice(b'{}[]",:\\\x00\xff\n&*!a1')
        path.write_bytes(data)
        run('match', '-p', path, path)
        run('lint', path)
        run('test', path)
        run('convert', path)
        run('coverage', '-p', RECEIPT, path)
        run('diff', '-p', RECEIPT, '-p', '{"k":["v"]}', path)
        run('explain', '-o', 'json', '-p', RECEIPT, path)
    for deep in ['[' * 100000, '{"a":' * 100000, '[{"a":' * 50000 + '1']:
        path.write_text(deep)
        run('match', '-p', path, stdin='', status=2)
        run('match', '-p', RECEIPT, path, status=2)
        run('lint', path, status=1)
        run('test', path, status=2)
