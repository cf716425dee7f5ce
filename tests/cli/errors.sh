#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# Bad input of every kind: exit 2, and a message that says what to do.
# shellcheck source=tests/cli/tap.sh
. "$(dirname "$0")/tap.sh"

# wrong NAME PATTERN: the scenario on standard input is refused with a message
# that matches, and has its file name in it.
wrong() {
    cat >"$tmp/s.lua"
    expect 2 heddle run "$tmp/s.lua"
    ok "$1: the message" grep -Eq "$2" "$err"
    ok "$1: the file and the line" grep -Eq "s\.lua(:[0-9]+)?:" "$err"
}

head='scenario "s" system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }'

wrong "a syntax error" "near" <<EOT
$head
function cpu0( end
EOT
wrong "an endless loop at load" "endless|too long|instructions" <<EOT
$head
while true do end
EOT
wrong "an endless loop in a story" "endless|too long|instructions" <<EOT
$head
function cpu0() while true do end end
case "a" reach (marked "x")
case "b" never (stuck)
EOT
for loop in 'n[0] = 1' 'hold(0)' 'free_run(1)'; do
    wrong "an endless loop of $loop" "endless" <<EOT
$head
local n = object "int"
function cpu0() nop(nil, 0, nil) end
case "a" reach (marked "x")
function schedule() hold(0) hold(1) while true do $loop end end
EOT
done
wrong "an assertion when all is at rest" "assertion failed" <<EOT
$head
local n = object "int"
function cpu0() increment(n) end
case "a" possible (function() return n[0] == 1 end)
function schedule() run(1) run(0) assert(n[0] == 2) end
EOT
wrong "too much memory" "memory|too long|instructions" <<EOT
$head
local t = {}
for i = 1, 1e9 do t[i] = { i } end
EOT
wrong "a misspelt word" "scenaro|sytem|did you mean" <<EOT
scenario "s"
sytem "dragonfly" { cpus = 2 }
EOT
wrong "a misspelt guest function" "did you mean .lwkt_send_ipiq" <<EOT
$head
local r = region(lwkt_send_ipi3, "cpu_enable_intr();", "DEBUG_POP_INFO();")
EOT
wrong "a misspelt guest function in a story" "lwkt_send_ipiq3" <<EOT
$head
function cpu0() lwkt_send_ipq3(gd(1), nop, 0, 0) end
case "a" reach (marked "x")
case "b" never (stuck)
EOT
wrong "an unknown quotation" "no such line|not|nearest|did you mean" <<EOT
$head
local r = region(lwkt_send_ipiq3, "cpu_enable_intrs();", "DEBUG_POP_INFO();")
case "a" reach (r(0))
case "b" never (stuck)
EOT
wrong "an ambiguous quotation" "ambiguous|lines" <<EOT
$head
local r = region(lwkt_send_ipiq3, "gd", "DEBUG_POP_INFO();")
case "a" reach (r(0))
case "b" never (stuck)
EOT
wrong "a global that is no story" "local" <<EOT
$head
count = 1
EOT
wrong "no case" "case" <<EOT
$head
function cpu0() end
EOT
wrong "a never without a control" "control" <<EOT
$head
function cpu0() end
case "only one" never (stuck)
EOT
wrong "a cpu too many" "cpu" <<EOT
$head
function cpu7() end
case "a" reach (marked "x")
EOT
wrong "an unknown mutant" "no_drain" <<EOT
$head
case "a" mutant "no_drian" possible (stuck)
EOT
wrong "an unknown system" "dragonfly" <<EOT
scenario "s" system "dragonfry" { cpus = 2 }
EOT
wrong "an unknown parameter" "MAXCPUFIFO" <<EOT
scenario "s" system "dragonfly" { cpus = 2, MAXCPUFIF = 8 }
case "a" reach (marked "x")
EOT
wrong "an unknown rule" "no IPI operation with a spin lock held" <<EOT
$head
local r = breach "no IPI operation"
EOT
wrong "host time" "os" <<EOT
$head
local t = os.time()
EOT

wrong "two predicates where one is wanted" "braces" <<EOT
$head
case "a" reach (marked "x", marked "y")
EOT
wrong "a condition that fails" "foo" <<EOT
$head
local n = object "int"
case "a" possible (function() return n.foo == 1 end)
case "b" reach (marked "x")
EOT
ok "a condition that fails is told once" [ "$(wc -l <"$err")" -le 3 ]

echo 'int main(void) { return 0; }' >"$tmp/no.c"
expect 2 heddle run --ipiq "$tmp/no.c" scenarios/dragonfly/fifo_full_mutual.lua
echo 'this is not C' >"$tmp/no.c"
expect 2 heddle run --ipiq "$tmp/no.c" scenarios/dragonfly/fifo_full_mutual.lua
ok "an import that does not compile: the compiler is heard" \
    grep -q 'does not compile' "$err"
expect 2 heddle run --ipiq "$tmp/none.c" \
    scenarios/dragonfly/fifo_full_mutual.lua
ok "an import that is not there: the message names it" grep -q none.c "$err"

bare='scenario "s" system "bare" { cpus = 1 }'
wrong "bare, and nothing to run" "elf" <<EOT
$bare
case "a" possible (rax(0) :is(0))
EOT
for part in 'function cpu0() end' 'function schedule() end'; do
    wrong "columns of code with $part" "columns of code" <<EOT
$bare
code [[
 P0
 movq \$1, x
]]
case "a" possible (rax(0) :is(0))
$part
EOT
done
expect 2 heddle run --weaken x scenarios/bare/store_buffering.lua
ok "columns of code are not weakened: says so" grep -q 'weakened' "$err"

# guest IMAGE PATTERN: an image of the user's own is refused.
guest() {
    cat >"$tmp/g.lua" <<EOT
scenario "g" system "bare" { cpus = 1, elf = "$1" }
case "a" reach (enter(0, main))
EOT
    expect 2 heddle run "$tmp/g.lua"
    ok "$1: the message" grep -Eq "$2" "$err"
}
echo 'not an ELF' >"$tmp/text"
guest text "ELF"
head -c 100 /bin/sh >"$tmp/cut"
guest cut "ELF|truncated|cut"
guest missing "missing"
printf '' >"$tmp/empty"
guest empty "empty|ELF"

expect 2 heddle run --seed x scenarios/canary.lua
expect 2 heddle run --case 9 scenarios/canary.lua
expect 2 heddle run --strategy best scenarios/canary.lua
ok "an unknown strategy: the others are named" grep -q random "$err"
expect 2 heddle run --memory strong scenarios/canary.lua
expect 2 heddle replay scenarios/canary.lua
ok "replay without a seed: says what is missing" grep -q -- --seed "$err"

# What was said has arrived, or the exit status says that it has not.
full() {
    heddle "$@" >/dev/full
}
if [ -c /dev/full ]; then
    expect 2 full --help
    expect 2 full run scenarios/dragonfly/fifo_full_mutual.lua --case 1
    ok "no room for the output: says so" grep -q 'standard output' "$err"
fi

# A wrong file does not keep the others from running.
expect 2 heddle run -q "$tmp/s.lua" scenarios/dragonfly/fifo_full_mutual.lua
ok "the other scenario ran" grep -q 'possible (stuck)' "$out"

tap_end
