// A first day with the AWS SDK for Go v2; test_clients.py says what is wanted.
package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/sqs"
	"github.com/aws/aws-sdk-go-v2/service/sqs/types"
)

var client *sqs.Client
var ctx, cancel = context.WithTimeout(context.Background(), 60*time.Second)

func did(what string) { fmt.Println("did " + what) }

func want(fine bool, format string, more ...any) {
	if !fine {
		panic(fmt.Sprintf(format, more...))
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

func send(url, body, group string, attributes map[string]types.MessageAttributeValue) {
	in := &sqs.SendMessageInput{QueueUrl: &url, MessageBody: &body, MessageAttributes: attributes}
	if group != "" {
		in.MessageGroupId = &group
	}
	must(client.SendMessage(ctx, in))
}

func receive(url string, wait int32) []types.Message {
	return must(client.ReceiveMessage(ctx, &sqs.ReceiveMessageInput{
		QueueUrl: &url, MaxNumberOfMessages: 10, WaitTimeSeconds: wait,
		MessageAttributeNames:       []string{"All"},
		MessageSystemAttributeNames: []types.MessageSystemAttributeName{"All"}})).Messages
}

func remove(url string, m types.Message) {
	must(client.DeleteMessage(ctx, &sqs.DeleteMessageInput{QueueUrl: &url, ReceiptHandle: m.ReceiptHandle}))
}

func main() {
	defer cancel()
	client = sqs.New(sqs.Options{
		Region: "us-east-1", BaseEndpoint: aws.String(os.Getenv("ENDPOINT")),
		Credentials: credentials.NewStaticCredentialsProvider("test", "test", "")})
	url := *must(client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("go")})).QueueUrl

	body := "Grüße 😀 <&>\"\r\n"
	send(url, body, "", map[string]types.MessageAttributeValue{
		"color": {DataType: aws.String("String"), StringValue: aws.String("blue")},
		"blob":  {DataType: aws.String("Binary"), BinaryValue: []byte{1, 2, 3}}})
	did("send")
	got := receive(url, 0)
	want(len(got) == 1 && *got[0].Body == body, "received %v", got)
	want(*got[0].MessageAttributes["color"].StringValue == "blue" &&
		bytes.Equal(got[0].MessageAttributes["blob"].BinaryValue, []byte{1, 2, 3}), "attributes")
	want(got[0].Attributes["ApproximateReceiveCount"] == "1", "receive count")
	did("attributes")
	remove(url, got[0])
	want(len(receive(url, 0)) == 0, "deleted")
	did("receive")
	did("delete")

	var entries []types.SendMessageBatchRequestEntry
	for _, id := range []string{"a", "b", "c"} {
		entries = append(entries, types.SendMessageBatchRequestEntry{Id: aws.String(id), MessageBody: aws.String(id)})
	}
	sent := must(client.SendMessageBatch(ctx, &sqs.SendMessageBatchInput{QueueUrl: &url, Entries: entries}))
	want(len(sent.Successful) == 3 && len(sent.Failed) == 0, "batch %v", sent.Failed)
	var handles []types.DeleteMessageBatchRequestEntry
	for n, m := range receive(url, 0) {
		handles = append(handles, types.DeleteMessageBatchRequestEntry{
			Id: aws.String(fmt.Sprint(n)), ReceiptHandle: m.ReceiptHandle})
	}
	gone := must(client.DeleteMessageBatch(ctx, &sqs.DeleteMessageBatchInput{QueueUrl: &url, Entries: handles}))
	want(len(gone.Successful) == 3, "deleted %v", gone.Failed)
	did("batch")

	must(client.SetQueueAttributes(ctx, &sqs.SetQueueAttributesInput{
		QueueUrl: &url, Attributes: map[string]string{"VisibilityTimeout": "5"}}))
	all := must(client.GetQueueAttributes(ctx, &sqs.GetQueueAttributesInput{
		QueueUrl: &url, AttributeNames: []types.QueueAttributeName{"All"}})).Attributes
	want(all["VisibilityTimeout"] == "5" && all["ApproximateNumberOfMessages"] == "0", "%v", all)
	did("queue attributes")

	waiting := make(chan []types.Message)
	go func() { waiting <- receive(url, 20) }()
	send(url, "awaited", "", nil)
	got = <-waiting
	want(len(got) == 1 && *got[0].Body == "awaited", "awaited %v", got)
	did("long poll")

	fifo := *must(client.CreateQueue(ctx, &sqs.CreateQueueInput{QueueName: aws.String("go.fifo"),
		Attributes: map[string]string{"FifoQueue": "true", "ContentBasedDeduplication": "true"}})).QueueUrl
	for _, text := range []string{"1", "2", "2", "3"} {
		send(fifo, text, "g", nil)
	}
	order := ""
	for _, m := range receive(fifo, 0) {
		order += *m.Body
	}
	want(order == "123", "order %s", order)
	did("fifo")

	_, err := client.GetQueueUrl(ctx, &sqs.GetQueueUrlInput{QueueName: aws.String("nowhere")})
	var missing *types.QueueDoesNotExist
	want(errors.As(err, &missing), "error %v", err)
	did("error class")
}
