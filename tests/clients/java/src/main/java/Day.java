// A first day with the AWS SDK for Java v2 and its SqsAsyncBatchManager; test_clients.py says what is wanted.
import java.net.URI;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;

import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.core.SdkBytes;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sqs.SqsAsyncClient;
import software.amazon.awssdk.services.sqs.batchmanager.SqsAsyncBatchManager;
import software.amazon.awssdk.services.sqs.model.*;

public class Day {
    static SqsAsyncClient sqs;

    static void did(String what) {
        System.out.println("did " + what);
    }

    static void want(boolean fine, Object what) {
        if (!fine)
            throw new AssertionError(String.valueOf(what));
    }

    static List<Message> receive(String url, int wait) {
        return sqs.receiveMessage(r -> r.queueUrl(url).maxNumberOfMessages(10).waitTimeSeconds(wait)
                .messageAttributeNames("All").messageSystemAttributeNames(MessageSystemAttributeName.ALL))
                .join().messages();
    }

    static void send(String url, String body, String group) {
        sqs.sendMessage(r -> r.queueUrl(url).messageBody(body).messageGroupId(group)).join();
    }

    static MessageAttributeValue text(String value) {
        return MessageAttributeValue.builder().dataType("String").stringValue(value).build();
    }

    static MessageAttributeValue bytes(byte... value) {
        return MessageAttributeValue.builder().dataType("Binary").binaryValue(SdkBytes.fromByteArray(value)).build();
    }

    public static void main(String[] args) throws Exception {
        sqs = SqsAsyncClient.builder().region(Region.US_EAST_1).endpointOverride(URI.create(System.getenv("ENDPOINT")))
                .credentialsProvider(StaticCredentialsProvider.create(AwsBasicCredentials.create("test", "test"))).build();
        String url = sqs.createQueue(r -> r.queueName("java")).join().queueUrl();

        String body = "Grüße 😀 <&>\"\r\n";
        sqs.sendMessage(r -> r.queueUrl(url).messageBody(body).messageAttributes(
                Map.of("color", text("blue"), "blob", bytes((byte) 1, (byte) 2)))).join();
        did("send");
        Message m = receive(url, 0).get(0);
        want(m.body().equals(body), m);
        want(m.messageAttributes().get("color").stringValue().equals("blue"), m);
        want(m.messageAttributes().get("blob").binaryValue().asByteArray().length == 2, m);
        did("attributes");
        sqs.deleteMessage(r -> r.queueUrl(url).receiptHandle(m.receiptHandle())).join();
        want(!sqs.receiveMessage(r -> r.queueUrl(url)).join().hasMessages(), "no messages");
        did("receive");
        did("delete");

        SendMessageBatchResponse sent = sqs.sendMessageBatch(r -> r.queueUrl(url).entries(List.of("a", "b", "c").stream()
                .map(id -> SendMessageBatchRequestEntry.builder().id(id).messageBody(id).build()).toList())).join();
        want(sent.successful().size() == 3 && !sent.hasFailed(), sent);
        List<Message> three = receive(url, 0);
        DeleteMessageBatchResponse gone = sqs.deleteMessageBatch(r -> r.queueUrl(url).entries(IntStream.range(0, 3)
                .mapToObj(n -> DeleteMessageBatchRequestEntry.builder().id("" + n)
                        .receiptHandle(three.get(n).receiptHandle()).build()).toList())).join();
        want(gone.successful().size() == 3, gone);
        did("batch");

        sqs.setQueueAttributes(r -> r.queueUrl(url).attributes(Map.of(QueueAttributeName.VISIBILITY_TIMEOUT, "5"))).join();
        Map<QueueAttributeName, String> all = sqs.getQueueAttributes(
                r -> r.queueUrl(url).attributeNames(QueueAttributeName.ALL)).join().attributes();
        want(all.get(QueueAttributeName.VISIBILITY_TIMEOUT).equals("5"), all);
        did("queue attributes");

        CompletableFuture<List<Message>> waiting = CompletableFuture.supplyAsync(() -> receive(url, 20));
        send(url, "awaited", null);
        Message awaited = waiting.get(30, TimeUnit.SECONDS).get(0);
        want(awaited.body().equals("awaited"), awaited);
        sqs.deleteMessage(r -> r.queueUrl(url).receiptHandle(awaited.receiptHandle())).join();
        did("long poll");

        String fifo = sqs.createQueue(r -> r.queueName("java.fifo").attributes(Map.of(
                QueueAttributeName.FIFO_QUEUE, "true", QueueAttributeName.CONTENT_BASED_DEDUPLICATION, "true")))
                .join().queueUrl();
        for (String text : List.of("1", "2", "2", "3"))
            send(fifo, text, "g");
        want(receive(fifo, 0).stream().map(Message::body).toList().equals(List.of("1", "2", "3")), "order");
        did("fifo");

        try {
            sqs.getQueueUrl(r -> r.queueName("nowhere")).join();
            want(false, "it is nowhere");
        } catch (Exception e) {
            want(e.getCause() instanceof QueueDoesNotExistException, e);
        }
        did("error class");

        try (SqsAsyncBatchManager batches = sqs.batchManager()) {
            CompletableFuture.allOf(IntStream.range(0, 25).mapToObj(n -> batches.sendMessage(
                    r -> r.queueUrl(url).messageBody("batched " + n))).toArray(CompletableFuture[]::new)).join();
            int count = 0;
            while (count < 25)
                for (Message b : batches.receiveMessage(r -> r.queueUrl(url)).join().messages()) {
                    batches.deleteMessage(r -> r.queueUrl(url).receiptHandle(b.receiptHandle())).join();
                    count++;
                }
        }
        did("batch manager");
        sqs.close();
    }
}
