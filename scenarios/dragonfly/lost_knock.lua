-- SPDX-License-Identifier: BSD-2-Clause
scenario "a receiver re-opens its door and misses the knock"
origin   "lwkt_ipiq.c 1f2824e8: 'Interlock to allow more IPI interrupts.'; \z
          4c9f5a7fe0, 2005-04-13: the release became LOCKed"

--   cpu1   releases gd_npoll   mfence   looks at gd_ipimask: anything new?
--   cpu0   sets gd_ipimask     tries gd_npoll: must I knock?
-- One of the two must see the other.  On cpu1 a LOCKed release is enough for
-- that, and so is the mfence behind it.

system "dragonfly" { cpus = 2 }

local neither = { "plain_release", "no_mfence" }
local function send() lwkt_send_ipiq3(gd(1), nop, 0, 0) end
function cpu0() send()  send() end

case "as written"
memory "tso"                            never (lost_message)
case "without the mfence: the LOCKed release already is one"
memory "tso"  mutant "no_mfence"        never (lost_message)
case "with a plain store for the release: the mfence drains it"
memory "tso"  mutant "plain_release"    never (lost_message)
case "with neither"
memory "tso"  mutant (neither)          possible (lost_message)

case "as written, on a machine without store buffers"
memory "sc"                             never (lost_message)
case "without the mfence"
memory "sc"   mutant "no_mfence"        never (lost_message)
case "with a plain store for the release"
memory "sc"   mutant "plain_release"    never (lost_message)
case "not even with neither"
memory "sc"   mutant (neither)          never (lost_message)

case "with neither, in the other loop: lwkt_process_ipiq()"
function cpu0() send()  mark "one is there"  send() end
function cpu1() crit_enter()  await "one is there"  crit_exit() end
memory "tso"  mutant (neither)
possible (lost_message :after (leave(1, lwkt_process_ipiq)))
