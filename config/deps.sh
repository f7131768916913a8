#!/bin/sh
# What the machine must have: `deps.sh build` and `deps.sh test` install what is missing where apt-get
# can, and say what to type where it can't. `deps.sh check` only says what is missing.
set -eu

BUILD_PKG="libmicrohttpd jansson sqlite3 gnutls libpcre2-8"
DEBIAN_BUILD="gcc make pkg-config libmicrohttpd-dev libnng-dev libjansson-dev libsqlite3-dev libgnutls28-dev libpcre2-dev libyaml-dev"
DEBIAN_TEST="libcmocka-dev python3 python3-venv clang libclang-rt-dev clang-format cppcheck strace"
FEDORA="gcc make pkgconf libmicrohttpd-devel nng-devel jansson-devel sqlite-devel gnutls-devel pcre2-devel libyaml-devel"
FEDORA_TEST="libcmocka-devel python3 clang compiler-rt clang-tools-extra cppcheck strace"
BREW="pkg-config libmicrohttpd nng jansson sqlite gnutls pcre2 libyaml"

missing_build() {
    for tool in "${CC:-cc}" make pkg-config; do
        command -v "$tool" >/dev/null 2>&1 || echo "$tool"
    done
    command -v pkg-config >/dev/null 2>&1 || return 0
    for pkg in $BUILD_PKG yaml-0.1; do
        pkg-config --exists "$pkg" || echo "$pkg"
    done
    echo '#include <nng/nng.h>' | "${CC:-cc}" -E - >/dev/null 2>&1 || echo nng
}

missing_test() {
    echo '#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>' | "${CC:-cc}" -E - >/dev/null 2>&1 || echo cmocka
    command -v python3 >/dev/null 2>&1 || echo python3
    python3 -c 'import venv, ensurepip' >/dev/null 2>&1 || echo python3-venv
    command -v clang >/dev/null 2>&1 || echo clang
    command -v clang-format >/dev/null 2>&1 || echo clang-format
    command -v cppcheck >/dev/null 2>&1 || echo cppcheck
    command -v strace >/dev/null 2>&1 || echo strace
    command -v clang >/dev/null 2>&1 &&
        { ls "$(clang -print-resource-dir)"/lib/linux/libclang_rt.fuzzer-*.a >/dev/null 2>&1 || echo libclang-rt; }
    return 0
}

say_how() {
    echo "toque needs: $(echo "$1" | tr '\n' ' ')" >&2
    echo "  Debian, Ubuntu:  sudo apt-get install $DEBIAN_BUILD $2" >&2
    echo "  Fedora:          sudo dnf install $FEDORA $3" >&2
    echo "  macOS (build):   brew install $BREW" >&2
}

install() {
    if command -v apt-get >/dev/null 2>&1; then
        as_root=""
        [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null 2>&1 && as_root="sudo"; }
        if [ "$(id -u)" = 0 ] || [ -n "$as_root" ]; then
            echo "installing: $2" >&2
            $as_root apt-get update -qq >&2 || true
            # shellcheck disable=SC2086
            if $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $2 >&2; then
                return 0
            fi
        fi
    fi
    return 1
}

case "${1:-check}" in
build)
    lack=$(missing_build)
    [ -z "$lack" ] && exit 0
    install build "$DEBIAN_BUILD" && lack=$(missing_build)
    [ -z "$lack" ] || { say_how "$lack" "" ""; exit 1; }
    ;;
test)
    lack="$(missing_build)$(missing_test)"
    [ -z "$lack" ] && exit 0
    # Older releases have the fuzzer's runtime only under the compiler's version.
    test_pkg=$DEBIAN_TEST
    if command -v apt-cache >/dev/null 2>&1 && ! apt-cache show libclang-rt-dev >/dev/null 2>&1; then
        test_pkg=$(echo "$DEBIAN_TEST" | sed 's/libclang-rt-dev/libclang-rt-14-dev/')
    fi
    install test "$DEBIAN_BUILD $test_pkg" && lack="$(missing_build)$(missing_test)"
    [ -z "$lack" ] || { say_how "$lack" "$DEBIAN_TEST" "$FEDORA_TEST"; exit 1; }
    ;;
check)
    lack=$(missing_build)
    [ -z "$lack" ] || { say_how "$lack" "" ""; echo "  or: make deps" >&2; exit 1; }
    ;;
*)
    echo "usage: deps.sh build|test|check" >&2
    exit 2
    ;;
esac
