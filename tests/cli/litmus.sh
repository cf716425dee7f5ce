#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# heddle litmus, as a user meets it.
# shellcheck source=tests/cli/tap.sh
. "$(dirname "$0")/tap.sh"

sb=scenarios/litmus/SB.litmus

# litmus NAME [EXPECT]: a test of that name from the columns on standard
# input, with two locations; it asks for 0:rax=0 /\ 1:rax=0.
litmus() {
    {
        echo "X86_64 $1"
        [ $# -lt 2 ] || echo "Expect=$2"
        echo '{ uint64_t x; uint64_t y; }'
        cat
        echo 'exists (0:rax=0 /\ 1:rax=0)'
    } >"$tmp/$1.litmus"
}

# says TEXT...: these are lines of the output.
says() {
    for line; do
        ok "it says: $line" grep -qFx -e "$line" "$out"
    done
}

# has KEY VALUE: a JSON field of the line in $out.
has() {
    ok "JSON: $1 is $2" grep -qF -e "\"$1\":$2" "$out"
}

columns=' P0            | P1            ;
 movq $1,(x)   | movq $1,(y)   ;
 movq (y),%rax | movq (x),%rax ;'

# --- Outcomes ---------------------------------------------------------------

expect 0 heddle litmus --memory tso $sb
says 'Test SB Allowed' 'States 4' '0:rax=0; 1:rax=0;' '0:rax=0; 1:rax=1;' \
    '0:rax=1; 1:rax=0;' '0:rax=1; 1:rax=1;' 'Ok' 'Positive: 1 Negative: 3' \
    'Condition exists (0:rax=0 /\ 1:rax=0)' 'Observation SB Sometimes 1 3' \
    'Expected Sometimes: as seen'
ok "it says that this is all" grep -q '^Model tso, complete: ' "$out"
ok "nothing on standard error" [ ! -s "$err" ]
cp "$out" "$tmp/tso"
expect 0 heddle litmus --exhaustive $sb
ok "tso and --exhaustive are what is usual" cmp -s "$out" "$tmp/tso"

expect 0 heddle litmus --memory sc $sb
says 'States 3' 'No' 'Positive: 0 Negative: 3' 'Observation SB Never 0 3' \
    'Expected Never: as seen'
ok "both at 0 is not among them" \
    [ "$(grep -c '0:rax=0; 1:rax=0' "$out")" -eq 0 ]

expect 0 heddle litmus --memory all $sb
ok "all: four models" [ "$(grep -c '^Model .*, complete: ' "$out")" -eq 4 ]
expect 0 heddle litmus --memory sc --memory weak,depth=2 $sb
ok "two models: two of them" [ "$(grep -c '^Model ' "$out")" -eq 2 ]
ok "a model's parameters are shown" grep -q '^Model weak,depth=2, ' "$out"

expect 0 heddle litmus --states 5 $sb
ok "a search that gave up says so" grep -q '^Model tso, INCOMPLETE: 5' "$out"

# --- Samples ----------------------------------------------------------------

expect 0 heddle litmus --runs 5000 $sb
says 'Histogram (4 states)' 'Model tso, sampled: 5000 runs'
ok "a star marks what was asked for" \
    grep -Eq '^[0-9]+ +\*>0:rax=0; 1:rax=0;$' "$out"
ok "the counts add up" \
    [ "$(awk '$2 ~ />/ { sum += $1 } END { print sum }' "$out")" = 5000 ]
cp "$out" "$tmp/sampled"
expect 0 heddle litmus --runs 5000 $sb
ok "the same runs give the same counts" cmp -s "$out" "$tmp/sampled"
expect 0 heddle litmus --runs 5000 --seed 77 $sb
differs() { ! cmp -s "$1" "$2"; }
ok "others give others" differs "$out" "$tmp/sampled"

# --- JSON -------------------------------------------------------------------

expect 0 heddle litmus --json --memory sc $sb
ok "JSON: one line" [ "$(wc -l <"$out")" -eq 1 ]
has kind '"litmus"'
has test '"SB"'
has file "\"$sb\""
has model '"sc"'
has complete true
has states '[{"0:rax":0,"1:rax":1},{"0:rax":1,"1:rax":0},{"0:rax":1,"1:rax":1}]'
has observation '"Never"'
has validated false
has agrees true
expect 0 heddle litmus --json --observe-all $sb
has states '[{"0:rax":0,"1:rax":0,"x":1,"y":1},'
expect 0 heddle litmus --json --runs 1000 $sb
has complete false
has runs 1000
ok "JSON: a sample has counts" grep -q '"counts":\[[0-9]' "$out"
expect 0 heddle litmus --json --memory all $sb
ok "JSON: a line for each model" [ "$(wc -l <"$out")" -eq 4 ]

# --- Files, folders, lists --------------------------------------------------

echo "$columns" | litmus a_good
echo "$columns" | sed 's/movq (y)/mooq (y)/' | litmus b_bad
echo "$columns" | litmus c_good
mkdir "$tmp/d"
mv "$tmp"/?_*.litmus "$tmp/d"
printf '# a list\na_good.litmus\nb_bad.litmus\n\nc_good.litmus\n' >"$tmp/d/@all"

both_ran() { # NAME
    ok "$1: the good ones ran" \
        [ "$(grep -c '^Observation [ac]_good Sometimes 1 3$' "$out")" -eq 2 ]
    ok "$1: file, line, reason of the bad one" \
        grep -Eq 'b_bad\.litmus:5: .*mooq' "$err"
    ok "$1: one message" [ "$(wc -l <"$err")" -eq 1 ]
}

expect 2 heddle litmus "$tmp/d"
both_ran "a folder"
expect 2 heddle litmus "$tmp/d/@all"
both_ran "a list"
expect 2 heddle litmus "$tmp/d/a_good.litmus" "$tmp/d/b_bad.litmus" \
    "$tmp/d/c_good.litmus"
both_ran "three files"
expect 2 heddle litmus --json "$tmp/d/b_bad.litmus"
has kind '"error"'
expect 2 heddle litmus "$tmp/none.litmus" $sb
ok "a missing file: the message names it" grep -q 'none\.litmus' "$err"
ok "a missing file: the other one ran" grep -q '^Observation SB' "$out"
mkdir "$tmp/nothing"
expect 2 heddle litmus "$tmp/nothing"
ok "a folder without tests: says so" grep -q 'no \*\.litmus' "$err"
echo '@two' >"$tmp/@one"
echo '@one' >"$tmp/@two"
expect 2 heddle litmus "$tmp/@one"
ok "lists in a circle: says so" grep -q 'nested too deeply' "$err"

# --- Expect -----------------------------------------------------------------

echo "$columns" | litmus wrong tso:Never
expect 1 heddle litmus "$tmp/wrong.litmus"
says 'Expected Never: NOT as seen'
expect 1 heddle litmus --runs 1000 "$tmp/wrong.litmus"
says 'Expected Never: NOT as seen'
expect 1 heddle litmus --json "$tmp/wrong.litmus"
has agrees false
expect 0 heddle litmus --memory pso "$tmp/wrong.litmus"
ok "a model that Expect does not name is not checked" \
    [ "$(grep -c '^Expected' "$out")" -eq 0 ]
expect 2 heddle litmus "$tmp/wrong.litmus" "$tmp/none.litmus"
echo "$columns" | litmus misspelt tso:Newer
expect 2 heddle litmus "$tmp/misspelt.litmus"
ok "a word that Expect does not know" grep -q ':2: Expect: .*Newer' "$err"

# --- What is not a test -----------------------------------------------------

# refused NAME PATTERN: $tmp/NAME is refused, once, and its name is told.
refused() {
    expect 2 heddle litmus "$tmp/$1"
    ok "$1: the message" grep -Eq "/$1:.*$2" "$err"
    ok "$1: no outcome" [ "$(grep -c '^Test' "$out")" -eq 0 ]
}
head -c 100000 /dev/urandom >"$tmp/noise.litmus"
refused noise.litmus ''
head -c 3000000 /dev/zero >"$tmp/zeros.litmus"
refused zeros.litmus 'larger than 1048576 bytes'
: >"$tmp/empty.litmus"
refused empty.litmus 'empty'
echo 'int main(void) { return 0; }' >"$tmp/c.litmus"
refused c.litmus 'X86_64'
head -c 120 $sb >"$tmp/cut.litmus"
refused cut.litmus '[0-9]+: '
echo "$columns" | sed 's/;$//' | litmus rows
refused rows.litmus '[0-9]+: '
echo "$columns" | sed 's/movq \$1,(x)/.space 9/' | litmus directive
refused directive.litmus "4: '\.' has no place"

# --- Columns that do not end ------------------------------------------------

litmus fault <<'EOT'
 P0  | P1 ;
 ud2 |    ;
EOT
expect 2 heddle litmus "$tmp/fault.litmus"
ok "a fault: says which column" grep -q 'P0 cannot come to its end' "$err"
litmus loop <<'EOT'
 P0          | P1     ;
 movq $1,(x) | L0:    ;
             | jmp L0 ;
EOT
# Exhaustive: every state was looked at, and none of them is an end.
expect 2 timeout 60 "$HEDDLE" litmus "$tmp/loop.litmus"
ok "an endless loop, exhaustive: says that nothing comes to its end" \
    grep -q 'in no behaviour do all columns come to their ends' "$err"
expect 2 timeout 60 "$HEDDLE" litmus --runs 10 "$tmp/loop.litmus"
ok "an endless loop, sampled: says which column" \
    grep -q 'P1 cannot come to its end' "$err"
litmus count <<'EOT'
 P0           | P1             ;
 L0: incq (x) | movq (x),%rax  ;
 jmp L0       | movq $1,(y)    ;
EOT
expect 0 timeout 60 "$HEDDLE" litmus --states 30000 "$tmp/count.litmus"
ok "a loop that counts: the search gives up, and says so" \
    grep -q 'INCOMPLETE: 30000 states' "$out"
litmus wait <<'EOT'
 P0          | P1            ;
 movq $1,(x) | L0:           ;
             | cmpq $0,(x)   ;
             | je L0         ;
             | movq (x),%rax ;
EOT
expect 0 timeout 60 "$HEDDLE" litmus --memory all "$tmp/wait.litmus"
ok "a loop that waits has an end" \
    [ "$(grep -c '^Observation wait Never 0 1$' "$out")" -eq 4 ]

# --- The command line -------------------------------------------------------

expect 2 heddle litmus
ok "no file: says that one is wanted" grep -q FILE "$err"
expect 2 heddle litmus --memory strong $sb
ok "an unknown model: the others are named" grep -q 'sc, tso, pso, weak' "$err"
expect 2 heddle litmus --memory tso,depth=65 $sb
ok "a buffer too deep: how deep it may be" grep -q 'depth=64' "$err"
for number in 0 -1 x 99999999999999999999; do
    expect 2 heddle litmus --runs "$number" $sb
done
expect 2 heddle litmus --exhaustive --runs 5 $sb
mkdir "$tmp/bin"
expect 2 env PATH="$tmp/bin" "$HEDDLE" litmus $sb
ok "without as: says what to install" grep -q 'binutils' "$err"
expect 0 heddle litmus --help
ok "--help: the exit status" grep -q 'Exit status' "$out"

# --- Every test of ours -----------------------------------------------------

expect 0 heddle litmus --exhaustive --memory all scenarios/litmus/
ok "four models of every file" \
    [ "$(grep -c '^Expected .*: as seen$' "$out")" -eq \
    $((4 * $(find scenarios/litmus -name '*.litmus' | wc -l))) ]

tap_end
