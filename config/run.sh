#!/bin/sh
# Starts both daemons on an embedded store below $VAR, in the foreground of this terminal; Ctrl-C stops
# both. Started again on the same VAR, everything is still there. CLOCK=manual: time stands still until
# POST /_toque/clock moves it. STRICT=1: the service's waiting rules of 60 s hold.
set -eu
build=${BUILD:-build} var=${VAR:-var} topic_port=${TOPIC_PORT:-4566} queue_port=${QUEUE_PORT:-9324}
clock=${CLOCK:+--clock=$CLOCK}
strict=${STRICT:+--strict_waits=true}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$var/queued" "$var/topicd"
var=$(cd "$var" && pwd)

fail() {
    echo "toque: $1" >&2
    for log in "$var/queued.log" "$var/topicd.log"; do
        [ -s "$log" ] && tail -n 5 "$log" >&2
    done
    exit 1
}

# Waits until a daemon says that it is ready, or ends.
wait_ready() {
    pid=$1 log=$2
    until grep -q ' ready' "$log" 2>/dev/null; do
        kill -0 "$pid" 2>/dev/null || fail "$(basename "$log" .log) did not start:"
        sleep 0.05
    done
}

stop() {
    trap - INT TERM EXIT
    [ -z "${topicd:-}" ] || kill "$topicd" 2>/dev/null || true
    [ -z "${topicd:-}" ] || wait "$topicd" || true
    [ -z "${queued:-}" ] || kill "$queued" 2>/dev/null || true
    [ -z "${queued:-}" ] || wait "$queued" || true
}
trap 'stop; echo; echo "stopped; everything is kept in $var"; exit 0' INT TERM
trap stop EXIT

: >"$var/queued.log"
: >"$var/topicd.log"
"$build/queued" -c "$here/queued.json" --http_port="$queue_port" --data_dir="$var/queued" \
    --unix_socket="$var/queued.sock" --ipc_url="ipc://$var/queued.ipc" \
    --link_url="ipc://$var/queued.link" --pid_file="$var/queued.pid" \
    --topology="$here/topology.json" --test_aids=true $clock $strict 2>>"$var/queued.log" &
queued=$!
wait_ready "$queued" "$var/queued.log"
"$build/topicd" -c "$here/topicd.json" --http_port="$topic_port" --data_dir="$var/topicd" \
    --unix_socket="$var/topicd.sock" --ipc_url="ipc://$var/topicd.ipc" \
    --queued="ipc://$var/queued.link" --pid_file="$var/topicd.pid" \
    --topology="$here/topology.json" $clock 2>>"$var/topicd.log" &
topicd=$!
wait_ready "$topicd" "$var/topicd.log"

cat <<TEXT

toque is running.   SNS and SQS: http://127.0.0.1:$topic_port      SQS alone: http://127.0.0.1:$queue_port
Topic arn:aws:sns:us-east-1:000000000000:receipts, queues point-deduction and notification are there.
Any credentials will do. Try, in another terminal:

  export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_DEFAULT_REGION=us-east-1
  aws --endpoint-url http://127.0.0.1:$topic_port sns publish --topic-arn arn:aws:sns:us-east-1:000000000000:receipts --message '{"total":12}' --message-attributes '{"receipt_type":{"DataType":"String","StringValue":"purchase"}}'
  curl 'http://127.0.0.1:$topic_port/000000000000/point-deduction?Action=ReceiveMessage&WaitTimeSeconds=5'
  python3 -c "import boto3; print(boto3.client('sqs', endpoint_url='http://127.0.0.1:$topic_port', region_name='us-east-1', aws_access_key_id='test', aws_secret_access_key='test').list_queues()['QueueUrls'])"

Data, sockets and logs: $var      Ctrl-C stops both.
TEXT
# A daemon that ends by itself takes the other one with it, and says why.
while kill -0 "$queued" 2>/dev/null && kill -0 "$topicd" 2>/dev/null; do
    sleep 1 &
    wait $! || true
done
fail "a daemon ended:"
