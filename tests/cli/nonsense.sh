#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Files that are not what a command wants: each gives a message and exit 2.
# shellcheck source=tests/cli/tap.sh
. "$(dirname "$0")/tap.sh"

XDG_STATE_HOME=$tmp/state
export XDG_STATE_HOME
file=scenarios/dragonfly/claimed_mask_deadlock.lua

expect 0 heddle run -q --case 1 $file
good=$(find "$tmp/state" -name '*.trace' | head -1)
proof=${good%.trace}.proof

# change NAME SED: the trace, changed, is $tmp/NAME.trace.
change() {
    sed "$2" "$good" >"$tmp/$1.trace"
}
change case 's/^case .*/case 99/'
change seed 's/^seed .*/seed 99999999999999999999999/'
change image 's/^image .*/image 0123456789abcdef/'
change other 's/claimed_mask_deadlock/lost_knock/'
change none 's,^scenario .*,scenario /no/such/scenario.lua,'
change memory 's/^memory .*/memory strong/'
change strategy 's/^strategy .*/strategy best/'
change tape 's/^tape .*/tape !!!/'
change mutant '$a mutant nope'
change weaken '$a weaken spin_lock+0xfff'
change twice '2p'
change short '4q'
head -c 300 "$good" >"$tmp/cut.trace"
{ head -1 "$good"; head -c 100000 /dev/zero | tr '\0' A; } >"$tmp/long.trace"
: >"$tmp/empty.trace"
head -c 100000 /dev/urandom >"$tmp/noise.trace"
head -c 400 "$proof" >"$tmp/cut.proof"
mkdir "$tmp/folder"

# refused COMMAND...: it says why, in a line that a terminal can show.
refused() {
    expect 2 timeout 60 "$HEDDLE" "$@"
    ok "says why: $*" [ "$(head -c 1000 "$err" | wc -c)" -gt 20 ]
    ok "and shortly: $*" [ "$(wc -c <"$err")" -lt 1500 ]
}
for trace in case seed image other none memory strategy tape mutant weaken \
    twice short cut long empty noise no-such; do
    for command in show replay shrink; do
        refused $command "$tmp/$trace.trace"
    done
done
for command in show replay shrink audit merge explore; do
    refused $command "$tmp/folder"
    refused $command /dev/null
    refused $command ""
done
for proof in cut.proof noise.trace empty.trace cut.trace folder no-such; do
    refused replay --verify "$tmp/$proof"
done
refused replay --verify /dev/zero
expect 2 heddle show "$tmp/no-such"
ok "a file that is not there is not there" grep -q 'that is there' "$err"
refused merge "$tmp/no-such"
refused merge "$tmp/noise.trace"
for place in '' x spin_lock spin_lock+ spin_lock+0xzz +0x4 barrier: \
    spin_lock+0xffffffffffffffffff; do
    refused run -q --case 1 --runs 1 --weaken "$place" $file
done

# What is asked for is written where it is.
for output in html perfetto; do
    refused show "$good" --$output "$tmp/folder"
    refused show "$good" --$output "$tmp/no/such/folder"
    refused show "$good" --$output ""
    : >"$tmp/target"
    ln -sf target "$tmp/link"
    expect 0 heddle show "$good" --$output "$tmp/link"
    ok "--$output: a link stays a link" [ -L "$tmp/link" ]
    ok "--$output: it is where the link leads" [ -s "$tmp/target" ]
done
cp "$good" "$tmp/renamed"
expect 0 heddle show "$tmp/renamed" --html "$tmp/target"

refused run -q --case 1 --runs 1 --junit "$tmp/folder" $file

tap_end
