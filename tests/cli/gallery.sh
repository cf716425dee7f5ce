#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# The gallery: a room's page is there, and the index leads to it.
. "$(dirname "$0")/tap.sh"

expect 0 scripts/gallery "$tmp/gallery" lost_knock
page=$(sed -n 's/.*href="\([^"]*\)".*/\1/p' "$tmp/gallery/index.html" |
    head -n 1)
ok "the index has the room and leads to its run" [ -n "$page" ]
ok "and there it is drawn" grep -q '<svg' "$tmp/gallery/$page"
ok "what holds is beside it" grep -q '<code>never (' "$tmp/gallery/index.html"
ok "nothing failed" [ "$(grep -c FAILS "$tmp/gallery/index.html")" -eq 0 ]
expect 2 scripts/gallery "$tmp/gallery" no_such_room
ok "an unknown room is named" grep -q 'no room no_such_room' "$err"
expect 2 scripts/gallery "$tmp/none" lost_knock storm_of_sends
ok "before any other is run" [ ! -e "$tmp/none/lost_knock-1.html" ]

tap_end
