// A first day with the AWS SDK for JavaScript v3 and with sqs-consumer; test_clients.py says what is wanted.
import {
    SQSClient, CreateQueueCommand, SendMessageCommand, SendMessageBatchCommand, ReceiveMessageCommand,
    DeleteMessageCommand, DeleteMessageBatchCommand, GetQueueAttributesCommand, GetQueueUrlCommand,
    SetQueueAttributesCommand, QueueDoesNotExist,
} from '@aws-sdk/client-sqs';
import { Consumer } from 'sqs-consumer';
import assert from 'node:assert/strict';

const sqs = new SQSClient({
    endpoint: process.env.ENDPOINT, region: 'us-east-1',
    credentials: { accessKeyId: 'test', secretAccessKey: 'test' },
});
const did = what => console.log(`did ${what}`);

const { QueueUrl } = await sqs.send(new CreateQueueCommand({ QueueName: 'js' }));

async function receive(more = {}) {
    return (await sqs.send(new ReceiveMessageCommand({
        QueueUrl, MaxNumberOfMessages: 10, MessageAttributeNames: ['All'], ...more }))).Messages;
}

const body = 'Grüße 😀 <&>"\r\n';
await sqs.send(new SendMessageCommand({
    QueueUrl, MessageBody: body, MessageAttributes: {
        color: { DataType: 'String', StringValue: 'blue' },
        blob: { DataType: 'Binary', BinaryValue: new Uint8Array([1, 2, 3]) } } }));
did('send');

let [message] = await receive();
assert.equal(message.Body, body);
assert.equal(message.MessageAttributes.color.StringValue, 'blue');
assert.deepEqual([...message.MessageAttributes.blob.BinaryValue], [1, 2, 3]);
did('attributes');
await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
assert.equal(await receive(), undefined);
did('receive');
did('delete');

const sent = await sqs.send(new SendMessageBatchCommand({
    QueueUrl, Entries: ['a', 'b', 'c'].map(Id => ({ Id, MessageBody: Id })) }));
assert.equal(sent.Successful.length, 3);
assert.equal(sent.Failed, undefined);
const three = await receive();
const gone = await sqs.send(new DeleteMessageBatchCommand({
    QueueUrl, Entries: three.map((m, n) => ({ Id: `${n}`, ReceiptHandle: m.ReceiptHandle })) }));
assert.equal(gone.Successful.length, 3);
did('batch');

await sqs.send(new SetQueueAttributesCommand({ QueueUrl, Attributes: { VisibilityTimeout: '5' } }));
const { Attributes } = await sqs.send(new GetQueueAttributesCommand({ QueueUrl, AttributeNames: ['All'] }));
assert.equal(Attributes.VisibilityTimeout, '5');
assert.equal(Attributes.ApproximateNumberOfMessages, '0');
did('queue attributes');

const waiting = receive({ WaitTimeSeconds: 20 });
await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'awaited' }));
[message] = await waiting;
assert.equal(message.Body, 'awaited');
await sqs.send(new DeleteMessageCommand({ QueueUrl, ReceiptHandle: message.ReceiptHandle }));
did('long poll');

const fifo = (await sqs.send(new CreateQueueCommand({
    QueueName: 'js.fifo', Attributes: { FifoQueue: 'true', ContentBasedDeduplication: 'true' } }))).QueueUrl;
for (const text of ['1', '2', '2', '3'])
    await sqs.send(new SendMessageCommand({ QueueUrl: fifo, MessageBody: text, MessageGroupId: 'g' }));
const ordered = (await sqs.send(new ReceiveMessageCommand({
    QueueUrl: fifo, MaxNumberOfMessages: 10, AttributeNames: ['All'] }))).Messages;
assert.deepEqual(ordered.map(m => m.Body), ['1', '2', '3']);
assert.equal(ordered[0].Attributes.MessageGroupId, 'g');
did('fifo');

await assert.rejects(sqs.send(new GetQueueUrlCommand({ QueueName: 'nowhere' })), e => {
    assert.ok(e instanceof QueueDoesNotExist);
    return true;
});
did('error class');

// sqs-consumer: a handler that fails once, and then succeeds.
await sqs.send(new SendMessageCommand({ QueueUrl, MessageBody: 'work' }));
let calls = 0;
await new Promise((resolve, reject) => {
    const consumer = Consumer.create({
        queueUrl: QueueUrl, sqs, waitTimeSeconds: 1, terminateVisibilityTimeout: true,
        handleMessage: async m => {
            assert.equal(m.Body, 'work');
            if (++calls === 1)
                throw new Error('not yet');
            return m;
        },
    });
    consumer.on('error', reject);
    consumer.on('processing_error', () => {});
    consumer.on('message_processed', () => {
        consumer.stop();
        resolve();
    });
    consumer.start();
});
assert.equal(calls, 2);
did('sqs-consumer');
process.exit(0);
