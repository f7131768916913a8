"""A first day with boto3, by whatever version runs it; test_clients.py says what is wanted."""
import concurrent.futures, os

import boto3

sqs = boto3.client('sqs', endpoint_url=os.environ['ENDPOINT'], region_name='us-east-1',
                   aws_access_key_id='test', aws_secret_access_key='test')
url = sqs.create_queue(QueueName=os.environ['QUEUE'])['QueueUrl']


def did(what):
    print('did', what, flush=True)


def receive(queue=url, **more):
    return sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10, MessageAttributeNames=['All'],
                               AttributeNames=['All'], **more).get('Messages', [])


body = 'Grüße 😀 <&>"\r\n'
attributes = {'color': {'DataType': 'String', 'StringValue': 'blue'},
              'blob': {'DataType': 'Binary', 'BinaryValue': b'\1\2\3'}}
sqs.send_message(QueueUrl=url, MessageBody=body, MessageAttributes=attributes)
did('send')
message = receive()[0]
assert message['Body'] == body and message['MessageAttributes'] == attributes
did('attributes')
sqs.delete_message(QueueUrl=url, ReceiptHandle=message['ReceiptHandle'])
assert receive() == []
did('receive')
did('delete')

sent = sqs.send_message_batch(QueueUrl=url, Entries=[{'Id': c, 'MessageBody': c} for c in 'abc'])
assert len(sent['Successful']) == 3 and 'Failed' not in sent
gone = sqs.delete_message_batch(QueueUrl=url, Entries=[
    {'Id': str(n), 'ReceiptHandle': m['ReceiptHandle']} for n, m in enumerate(receive())])
assert len(gone['Successful']) == 3
did('batch')

sqs.set_queue_attributes(QueueUrl=url, Attributes={'VisibilityTimeout': '5'})
got = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=['All'])['Attributes']
assert got['VisibilityTimeout'] == '5' and got['ApproximateNumberOfMessages'] == '0'
did('queue attributes')

with concurrent.futures.ThreadPoolExecutor() as threads:
    waiting = threads.submit(receive, WaitTimeSeconds=20)
    sqs.send_message(QueueUrl=url, MessageBody='awaited')
    message = waiting.result(30)[0]
assert message['Body'] == 'awaited'
did('long poll')

fifo = sqs.create_queue(QueueName=os.environ['QUEUE'] + '.fifo', Attributes={
    'FifoQueue': 'true', 'ContentBasedDeduplication': 'true'})['QueueUrl']
for text in '1223':
    sqs.send_message(QueueUrl=fifo, MessageBody=text, MessageGroupId='g')
assert [m['Body'] for m in receive(fifo)] == ['1', '2', '3']
did('fifo')

try:
    sqs.get_queue_url(QueueName='nowhere')
    raise AssertionError('it is nowhere')
except sqs.exceptions.QueueDoesNotExist:
    did('error class')
