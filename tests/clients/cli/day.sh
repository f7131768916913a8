#!/bin/sh
# A first day with the AWS CLI, given as the first argument; test_clients.py says what is wanted.
set -eu
sqs() {
    "$aws" --endpoint-url "$ENDPOINT" --output text sqs "$@"
}
want() {
    [ "$1" = "$2" ] || {
        echo "wanted '$2', got '$1'" >&2
        exit 1
    }
}
aws=$1
url=$(sqs create-queue --queue-name cli)
sqs send-message --queue-url "$url" --message-body 'Grüße <&>"' \
    --message-attributes '{"color":{"DataType":"String","StringValue":"blue"}}' >/dev/null
echo 'did send'
got=$(sqs receive-message --queue-url "$url" --message-attribute-names All --query \
    'Messages[0].[Body,MessageAttributes.color.StringValue,ReceiptHandle]')
want "$(echo "$got" | cut -f 1)" 'Grüße <&>"'
want "$(echo "$got" | cut -f 2)" blue
echo 'did attributes'
sqs delete-message --queue-url "$url" --receipt-handle "$(echo "$got" | cut -f 3)"
want "$(sqs receive-message --queue-url "$url" --query 'Messages[0].Body')" None
echo 'did receive'
echo 'did delete'

want "$(sqs send-message-batch --queue-url "$url" --entries Id=a,MessageBody=a Id=b,MessageBody=b \
    --query 'length(Successful)')" 2
entries=$(sqs receive-message --queue-url "$url" --max-number-of-messages 10 --query \
    'Messages[].join(``,[`Id=`,Body,`,ReceiptHandle=`,ReceiptHandle])')
# shellcheck disable=SC2086 # one argument for each entry
want "$(sqs delete-message-batch --queue-url "$url" --entries $entries --query 'length(Successful)')" 2
echo 'did batch'

sqs set-queue-attributes --queue-url "$url" --attributes VisibilityTimeout=5
want "$(sqs get-queue-attributes --queue-url "$url" --attribute-names All --query \
    'Attributes.[VisibilityTimeout,ApproximateNumberOfMessages]')" "5	0"
echo 'did queue attributes'

sqs send-message --queue-url "$url" --message-body awaited --delay-seconds 2 >/dev/null
want "$(sqs receive-message --queue-url "$url" --wait-time-seconds 20 --query 'Messages[0].Body')" awaited
echo 'did long poll'

fifo=$(sqs create-queue --queue-name cli.fifo --attributes FifoQueue=true,ContentBasedDeduplication=true)
for text in 1 2 2 3; do
    sqs send-message --queue-url "$fifo" --message-body "$text" --message-group-id g >/dev/null
done
want "$(sqs receive-message --queue-url "$fifo" --max-number-of-messages 10 --query 'Messages[].Body')" "1	2	3"
echo 'did fifo'

if said=$(sqs get-queue-url --queue-name nowhere 2>&1); then
    exit 1
fi
case $said in
*'(AWS.SimpleQueueService.NonExistentQueue)'*) echo 'did error class' ;;
*)
    echo "$said" >&2
    exit 1
    ;;
esac
