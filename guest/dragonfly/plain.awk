# SPDX-License-Identifier: BSD-2-Clause
# plain.awk -- a C file as it is; a numbered cross-reference text (first line
# "xref: ...", then NUMBER, U+00A0, text) without its numbers.  LC_ALL=C.
NR == 1 && /^xref: / { numbered = 1; next }
numbered && !sub(/^[0-9]+\302\240/, "") && !sub(/^[0-9]+$/, "") {
    printf "line %d of the numbered text has no number\n", NR > "/dev/stderr"
    exit 1
}
{ print }
