# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=sh
#
# tap.sh -- tests of the command line, reported as TAP.
#
#   . "$(dirname "$0")/tap.sh"
#   expect 2 heddle run no_such_file.lua
#   ok "the message names the file" grep -q no_such_file "$err"
#   tap_end
#
# The test runs in the root of the checkout.  $HEDDLE is the program under
# test; `heddle` calls it.

cd "$(dirname "$0")/../.." || exit 2
: "${HEDDLE:=build/heddle}"
tap_count=0
tap_failed=0
tmp=$(mktemp -d) || exit 2
trap 'rm -rf "$tmp"' EXIT
out=$tmp/out # what the last `expect` wrote to standard output
err=$tmp/err # and to standard error

heddle() {
    "$HEDDLE" "$@"
}

# ok NAME COMMAND...: the command succeeds.
ok() {
    tap_name=$1
    shift
    tap_count=$((tap_count + 1))
    if "$@"; then
        echo "ok $tap_count - $tap_name"
    else
        tap_failed=$((tap_failed + 1))
        echo "not ok $tap_count - $tap_name"
        echo "# it was: $*"
    fi
}

# skip NAME REASON: say that a test was left out.
skip() {
    tap_count=$((tap_count + 1))
    echo "ok $tap_count - $1 # SKIP $2"
}

# expect STATUS COMMAND...: the command exits with this status; its input
# is empty, and its output is left in $out and $err.
expect() {
    tap_expected=$1
    shift
    "$@" </dev/null >"$out" 2>"$err"
    tap_status=$?
    ok "exit $tap_expected: $*" [ "$tap_status" -eq "$tap_expected" ]
    [ "$tap_status" -eq "$tap_expected" ] || sed 's/^/# /' "$err"
}

# value NAME: of that field in the line of JSON that is read.
value() {
    sed -n "s/.*\"$1\":\"\{0,1\}\([^,\"}]*\).*/\1/p"
}

# field KIND NAME: of that field in the first line of this kind in $out.
field() {
    grep "\"kind\":\"$1\"" "$out" | head -1 | value "$2"
}

# same A B: the two texts are the same, and there is one.
same() {
    [ -n "$1" ] && [ "$1" = "$2" ]
}

# tap_end: the last line of a test.
tap_end() {
    echo "1..$tap_count"
    exit $((tap_failed > 0))
}
