# SPDX-License-Identifier: BSD-2-Clause
# mutate.awk -- applies the edits of mutant files to a kernel source.
#
#   awk -f mutate.awk MUTANT... SOURCE > MUTATED
#
# An edit names a function, a piece of a line inside it, and what stands there
# instead; where that piece is not the only one, also the line above.  It must
# match exactly once, or nothing is written: a mutant that hit another place
# than it says would be worse than none.  Line numbers stay.
function field() { value = $0; sub(/^[a-z]+: ?/, "", value); return value }

function body_name(line) {
    if (match(line, /^[A-Za-z_][A-Za-z_0-9]*\(/))
        return substr(line, 1, RLENGTH - 1)
    return inside
}

FILENAME != ARGV[ARGC - 1] {
    if (FILENAME != last) { name = last = FILENAME; sub(/.*\//, "", name) }
    if (/^function:/) { where = field(); above = "" }
    if (/^below:/) above = field()
    if (/^find:/) { ++edits; find[edits] = field(); replace[edits] = "" }
    if (/^find:/) { owner[edits] = name; place[edits] = where }
    if (/^find:/) { below[edits] = above; above = "" }
    if (/^replace:/) replace[edits] = field()
    next
}

{
    inside = body_name($0)
    before = line
    line = $0
    for (i = 1; i <= edits; ++i) {
        if (inside != place[i] || !(at = index($0, find[i])))
            continue
        if (below[i] != "" && !index(before, below[i]))
            continue
        ++hits[i]
        $0 = substr($0, 1, at - 1) replace[i] \
             substr($0, at + length(find[i]))
    }
    if (/^}/) inside = ""
    text[++lines] = $0
}

END {
    for (i = 1; i <= edits; ++i)
        if (hits[i] != 1) {
            printf "guest/build: mutant %s: \"%s\" matches %d times in " \
                   "%s(), not once\n", owner[i], find[i], hits[i], place[i] \
                   > "/dev/stderr"
            bad = 1
        }
    if (bad) exit 1
    for (i = 1; i <= lines; ++i) print text[i]
}
