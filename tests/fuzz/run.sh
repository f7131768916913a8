#!/bin/sh
# Every fuzz target for FUZZ_SECONDS, over its corpus; what it finds stays in BUILD/fuzz/found. The
# corpus itself is not written to.
set -eu
bins=$1
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$bins/../found"
found=$(cd "$bins/../found" && pwd)
passed=0 failed=0
for bin in "$bins"/fuzz_*; do
    name=$(basename "$bin" | sed 's/^fuzz_//')
    grown=$(mktemp -d)
    printf '%s: ' "$name"
    if "$bin" -max_total_time="${FUZZ_SECONDS:-60}" -timeout=10 -rss_limit_mb=4096 \
        -artifact_prefix="$found/$name-" "$grown" "$here/corpus/$name" >"$grown.log" 2>&1; then
        tail -n 1 "$grown.log"
        passed=$((passed + 1))
    else
        tail -n 60 "$grown.log"
        echo "FAIL: fuzz_$name; input in $found"
        failed=$((failed + 1))
    fi
    rm -rf "$grown" "$grown.log"
done
echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
