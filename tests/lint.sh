#!/bin/sh
# Format and lint: what clang-format would change, and what cppcheck says.
set -eu
cd "$(dirname "$0")/.."
files=$(git ls-files '*.c' '*.h')
bad=0
for f in $files; do
    clang-format --dry-run --Werror "$f" >/dev/null 2>&1 || { echo "format: $f (make format)"; bad=1; }
done
# shellcheck disable=SC2086
cppcheck --quiet --error-exitcode=1 --std=c11 --language=c -I. --inline-suppr \
    --enable=warning,portability --suppress=missingIncludeSystem \
    --suppress=nullPointerOutOfMemory -D_GNU_SOURCE $(git ls-files 'common/*.c' 'filter/*.c' 'queued/*.c' 'topicd/*.c') || bad=1
[ "$bad" = 0 ] && echo "lint: nothing to say"
exit $bad
