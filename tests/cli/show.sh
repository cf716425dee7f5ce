#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# heddle show: text, a page for a browser, Chrome trace JSON, events.
# shellcheck source=tests/cli/tap.sh
. "$(dirname "$0")/tap.sh"

file=scenarios/dragonfly/claimed_mask_deadlock.lua
weak=scenarios/dragonfly/lost_knock.lua
XDG_STATE_HOME=$tmp/state
export XDG_STATE_HOME

expect 0 heddle replay $file --case 1 --seed 2
cp "$out" "$tmp/replayed"
expect 0 heddle show $file --case 1 --seed 2
ok "the text is that of replay" cmp -s "$out" "$tmp/replayed"

expect 0 heddle show $file --case 1 --seed 2 --html "$tmp/a.html" \
    --perfetto "$tmp/a.json"
ok "with files nothing is printed" [ ! -s "$out" ]
heddle show $file --case 1 --seed 2 --html "$tmp/b.html" \
    --perfetto "$tmp/b.json"
ok "the page is the same each time" cmp -s "$tmp/a.html" "$tmp/b.html"
ok "the trace is the same each time" cmp -s "$tmp/a.json" "$tmp/b.json"
ok "the page needs nothing else" \
    [ -z "$(grep -oE '(src|href)=|@import|url\(http|<script' "$tmp/a.html")" ]
ok "messages are arrows" grep -q 'class="arrow"' "$tmp/a.html"
ok "calls are boxes" grep -q 'class="box call' "$tmp/a.html"
ok "FIFOs are beside" grep -q 'messages from cpu1 to cpu2, of 8' "$tmp/a.html"
ok "a row has its source line" \
    grep -q 'ipiq.c:[0-9]*  ' "$tmp/a.html"
ok "the page says how to replay it" grep -q "heddle replay $file" "$tmp/a.html"

expect 0 heddle show $weak --case 4 --seed 11 --html "$tmp/weak.html"
ok "a store that was missed is a bar" grep -q 'class="missed"' "$tmp/weak.html"
ok "from where it goes into the buffer" grep -q 'buffers gd(1).gd_npoll = 0' \
    "$tmp/weak.html"
ok "and says what the run shows" grep -q '<h1>.*lost_message' "$tmp/weak.html"
ok "and says whose it is" grep -q "in cpu1.s buffer from step" "$tmp/weak.html"

expect 0 heddle show $file --case 1 --seed 2 --json
ok "events are objects" grep -q '"kind":"event","event":"sent"' "$out"
ok "a send is where the kernel sends" \
    grep -q '"event":"sent".*"file":"ipiq.c".*cpu_send_ipiq' "$out"
ok "the last line is the finding" \
    sh -c "tail -1 '$out' | grep -q '\"kind\":\"finding\"'"

heddle run -q $file >"$tmp/ran"
trace=$(find "$tmp/state" -name '*.trace' | head -1)
expect 0 heddle show "$trace"
ok "a trace is replayed by its name, since it may have no seed" \
    grep -qF "replay   heddle replay $trace" "$out"

expect 2 heddle show $file --seed 2 --html "$tmp/c.html"
ok "one page shows one run" grep -q 'one case with --case' "$err"
expect 2 heddle show $file --case 1 --seed 2 --html "$tmp/no/such/folder.html"
ok "a file that cannot be written is named" grep -q 'no/such/folder' "$err"
expect 2 heddle show "$tmp/no.trace"

# A real parser of JSON, and a real browser, where there are any.
if command -v python3 >"$tmp/which"; then
    cat >"$tmp/check.py" <<'PY'
import json, sys

open_at, begun, now = {}, {}, {}
starts, ends, stores, counted, named, sorted_ = {}, {}, {}, set(), {}, {}
for event in json.load(open(sys.argv[1]))["traceEvents"]:
    phase, thread, at = event["ph"], event["tid"], event["ts"]
    assert event["pid"] == 1 and thread >= 1 and at >= 0
    track = event["name"] if phase == "C" else "store" if phase in "be" \
        else thread
    if track != "store":
        assert at >= now.get(track, 0), event
        now[track] = at
    stack = open_at.setdefault(thread, [])
    if phase == "B":
        stack.append(at)
    elif phase == "E":
        assert at >= stack.pop()
    elif phase in "sf":
        assert stack, "no slice to bind to: %s" % event
        assert phase == "s" or event["bp"] == "e"
        flows = starts if phase == "s" else ends
        key = event["cat"], event["name"], event["id"]
        assert key not in flows
        flows[key] = at
    elif phase == "C":
        assert all(isinstance(n, int) for n in event["args"].values())
        counted.add(track)
    elif phase in "be":
        key = event["cat"], event["name"], event["id"]
        assert (key in stores) == (phase == "e")
        stores[key] = at if phase == "b" else max(at, stores[key])
    elif phase == "i":
        assert event["s"] == "t"
    else:
        assert phase == "M"
        if event["name"] == "thread_name":
            named[thread] = event["args"]["name"]
        elif event["name"] == "thread_sort_index":
            sorted_[thread] = event["args"]["sort_index"]
assert not any(open_at.values()) and counted
assert ends and starts.keys() == ends.keys()
assert all(starts[key] <= ends[key] for key in starts)
assert set(open_at) <= set(named) == set(sorted_)
assert [named[t] for t in sorted(sorted_, key=sorted_.get)] == \
    ["cpu%d" % i for i in range(len(named))]
PY
    heddle show $weak --case 4 --seed 11 --perfetto "$tmp/weak.json"
    for trace in a weak; do
        ok "slices nest, arrows have two ends, time goes on: $trace" \
            python3 "$tmp/check.py" "$tmp/$trace.json"
    done
else
    skip "slices nest, arrows have two ends, time goes on" "no python3"
fi

# A shrunk finding in a browser: what of the page is on a screen, and is there
# a line whose texts overlap or leave their column?
measure='<script>
let wrong = 0
for (const row of document.querySelectorAll(".drawing g")) {
  const room = row.querySelector(".hit").getBBox()
  let left = room.x
  for (const text of row.querySelectorAll("text")) {
    const box = text.getBBox()
    wrong += box.x < left || box.x + box.width > room.x + room.width + 4
    left = box.x + box.width
  }
}
const seen = document.querySelector(".drawing svg").getBoundingClientRect()
document.title = "measured " + Math.round(seen.bottom) + " " +
    Math.round(seen.right) + " " + wrong
</script>'
# measured WHAT CASE SEED SCENARIO
measured() {
    heddle shrink "$4" --case "$2" --seed "$3" >"$tmp/shrunk"
    heddle show "$(sed -n 's/^trace *//p' "$tmp/shrunk")" --html "$tmp/s.html"
    { cat "$tmp/s.html"; echo "$measure"; } >"$tmp/measured.html"
    timeout 60 "$browser" --headless --no-sandbox --disable-gpu \
        --user-data-dir="$tmp/profile" --window-size=1440,900 --dump-dom \
        "file://$tmp/measured.html" >"$tmp/dom" 2>"$tmp/browser"
    # shellcheck disable=SC2046 # three numbers
    set -- "$1" $(sed -n 's/.*<title>measured \(.*\)<.title>.*/\1/p' "$tmp/dom")
    ok "$1: somebody else can run it" \
        grep -q '^function schedule' "$tmp/s.html"
    ok "$1: the drawing is on one screen" [ "${2:-9999}" -le 900 ]
    ok "$1: and not wider" [ "${3:-9999}" -le 1440 ]
    ok "$1: no texts overlap" [ "${4:-9999}" -eq 0 ]
}
browser=$(command -v chromium || command -v chromium-browser)
if [ -n "$browser" ]; then
    timeout 60 "$browser" --headless --no-sandbox --disable-gpu \
        --user-data-dir="$tmp/profile" --dump-dom \
        "file://$tmp/weak.html" >"$tmp/dom" 2>"$tmp/browser"
    shapes() { grep -oE '<(rect|text|path)' "$1" | wc -l; }
    ok "a browser reads every shape" \
        [ "$(shapes "$tmp/dom")" -eq "$(shapes "$tmp/weak.html")" ]
    measured "a livelock of three cpus" 1 2 $file
    measured "a store that is late" 4 11 $weak
    measured "a storm" 1 25 scenarios/dragonfly/storm_of_sends.lua
else
    skip "a browser reads every shape" "no chromium"
    skip "the drawing is on one screen, and no texts overlap" "no chromium"
fi

tap_end
