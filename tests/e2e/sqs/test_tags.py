"""Tags of queues through boto3, in both protocols (see test_messages.py)."""
import json

import pytest

from test_messages import refused


@pytest.fixture
def sqs(toque):
    return toque.sqs()


def tags(sqs, queue):
    return sqs.list_queue_tags(QueueUrl=queue).get('Tags')


def test_set_overwritten_dropped(sqs):
    url = sqs.create_queue(QueueName='q')['QueueUrl']
    assert 'Tags' not in sqs.list_queue_tags(QueueUrl=url)
    three = {'tag1': 'value1', 'tag2': 'Wert ü=2', 'tag3': ''}
    sqs.tag_queue(QueueUrl=url, Tags=three)
    assert tags(sqs, url) == three
    sqs.tag_queue(QueueUrl=url, Tags={'tag1': 'other', 'Tag1': 'case counts'})
    assert tags(sqs, url) == {**three, 'tag1': 'other', 'Tag1': 'case counts'}
    sqs.untag_queue(QueueUrl=url, TagKeys=['tag1', 'Tag1', 'never there'])
    assert tags(sqs, url) == {'tag2': 'Wert ü=2', 'tag3': ''}
    sqs.untag_queue(QueueUrl=url, TagKeys=['tag2', 'tag3'])
    assert 'Tags' not in sqs.list_queue_tags(QueueUrl=url)


def test_given_at_creation(sqs):
    given = {'team': 'billing', 'empty': ''}
    url = sqs.create_queue(QueueName='q', tags=given)['QueueUrl']
    assert tags(sqs, url) == given
    for same in (given, {'team': 'billing'}, {}):
        assert sqs.create_queue(QueueName='q', tags=same)['QueueUrl'] == url
    assert sqs.create_queue(QueueName='q')['QueueUrl'] == url
    for other in ({'team': 'sales'}, {'team': 'billing', 'new': '1'}):
        refused('QueueAlreadyExists', 'A queue already exists with the same name and a different '
                'value for tags', sqs.create_queue, QueueName='q', tags=other)
    assert tags(sqs, url) == given


def test_refused(sqs):
    url = sqs.create_queue(QueueName='q')['QueueUrl']
    for bad, text in (({'k' * 129: ''}, 'Tag keys must be between 1 and 128 characters in length.'),
                      ({'a#': ''}, 'Tag keys may only contain unicode letters, digits, whitespace, or '
                       'one of these symbols: _ . : / = + - @'),
                      ({f'k{n}': '' for n in range(51)}, 'Too many tags added for queue q.')):
        refused('InvalidParameterValue', text, sqs.tag_queue, QueueUrl=url, Tags={'good': '1', **bad})
    assert 'Tags' not in sqs.list_queue_tags(QueueUrl=url)
    sqs.tag_queue(QueueUrl=url, Tags={f'k{n}': 'v' * 256 for n in range(50)})
    refused('InvalidParameterValue', 'Too many tags added for queue q.', sqs.tag_queue, QueueUrl=url,
            Tags={'one more': ''})
    assert len(tags(sqs, url)) == 50


def test_of_a_topology_file_and_kept(make_toque, tmp_path):
    path = tmp_path / 'topology.json'
    path.write_text(json.dumps({'queues': [{'QueueName': 'q', 'tags': {'team': 'billing', 'n': 5}}]}))
    toque = make_toque(topology=path).start()
    assert tags(toque.sqs(), 'q') == {'team': 'billing', 'n': '5'}
    toque.sqs().untag_queue(QueueUrl='q', TagKeys=['n'])
    toque.kill()
    toque.start()
    assert tags(toque.sqs(), 'q') == {'team': 'billing'}


def test_through_topicd(toque):
    sqs = toque.sqs(url=toque.topic_url)
    url = sqs.create_queue(QueueName='q', tags={'a': '1'})['QueueUrl']
    sqs.tag_queue(QueueUrl=url, Tags={'b': '2'})
    assert tags(sqs, url) == {'a': '1', 'b': '2'}
