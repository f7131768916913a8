#!/bin/sh
# What the machine must have: `deps.sh build` and `deps.sh test` install what is missing where apt-get
# can, and say what to type where it can't. `deps.sh check` only says what is missing.
set -eu

BUILD_PKG="jansson sqlite3 gnutls libpcre2-8"
DEBIAN_BUILD="gcc make pkg-config libnng-dev libjansson-dev libsqlite3-dev libgnutls28-dev libpcre2-dev libyaml-dev"
DEBIAN_TEST="libcmocka-dev python3 python3-venv clang clang-format cppcheck strace"
FEDORA="gcc make pkgconf nng-devel jansson-devel sqlite-devel gnutls-devel pcre2-devel libyaml-devel"
FEDORA_TEST="libcmocka-devel python3 clang compiler-rt clang-tools-extra cppcheck strace"
BREW="pkg-config nng jansson sqlite gnutls pcre2 libyaml"

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

# The fuzzer's runtime has a package of its own, named by the compiler's version in older releases; in
# still older ones it comes with clang. Ask when the lists are fresh.
debian_test() {
    for runtime in libclang-rt-dev libclang-rt-14-dev; do
        if apt-cache show "$runtime" >/dev/null 2>&1; then
            echo "$DEBIAN_TEST $runtime"
            return
        fi
    done
    echo "$DEBIAN_TEST"
}

# say_how WHAT-IS-MISSING [test]
say_how() {
    with_debian="" with_fedora=""
    if [ "${2:-}" = test ]; then
        with_debian=" $(debian_test)" with_fedora=" $FEDORA_TEST"
    fi
    echo "toque needs: $(echo "$1" | tr '\n' ' ')" >&2
    echo "  Debian, Ubuntu:  sudo apt-get install $DEBIAN_BUILD$with_debian" >&2
    echo "  Fedora:          sudo dnf install $FEDORA$with_fedora" >&2
    echo "  macOS (build):   brew install $BREW" >&2
}

# install [test]: non-zero when there is no apt-get, no right to use it, or it fails.
install() {
    command -v apt-get >/dev/null 2>&1 || return 1
    as_root=""
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null 2>&1 || return 1
        as_root="sudo"
    fi
    $as_root apt-get update -qq >&2 || true
    packages=$DEBIAN_BUILD
    [ "${1:-}" != test ] || packages="$packages $(debian_test)"
    echo "installing: $packages" >&2
    # shellcheck disable=SC2086
    $as_root env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends $packages >&2
}

case "${1:-check}" in
build)
    lack=$(missing_build)
    [ -z "$lack" ] && exit 0
    install && lack=$(missing_build)
    [ -z "$lack" ] || { say_how "$lack"; exit 1; }
    ;;
test)
    lack=$(missing_build; missing_test)
    [ -z "$lack" ] && exit 0
    install test && lack=$(missing_build; missing_test)
    [ -z "$lack" ] || { say_how "$lack" test; exit 1; }
    ;;
check)
    lack=$(missing_build)
    [ -z "$lack" ] || { say_how "$lack"; echo "  or: make deps" >&2; exit 1; }
    ;;
*)
    echo "usage: deps.sh build|test|check" >&2
    exit 2
    ;;
esac
