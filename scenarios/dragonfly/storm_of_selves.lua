-- SPDX-License-Identifier: BSD-2-Clause
scenario "a storm: some of the targets are the sender itself"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_send_ipiq3(): 'Need not be called from \z
          a critical section.'"

-- On another cpu a callback is in a critical section.  On this one it is a
-- plain call: in whatever state the caller is.

system "dragonfly" { cpus = 3, MAXCPUFIFO = 8 }

local done, sent = 0, 0

local function storm(self, obeys)
  for _ = 1, 8 do
    local mask = choose(7)                -- of one cpu, of two, or of all
    for n = 0, 2 do sent = sent + (mask >> n & 1) end
    if obeys then crit_enter() end
    lwkt_send_ipiq3_mask(mask, needs_crit, 0, 0)
    if obeys then crit_exit() end
  end
  done = done + 1
end

case "as the comment allows: the callback finds no critical section"
function cpu0() storm(0) end
function cpu1() storm(1) end
function cpu2() storm(2) end
possible (panic)

case "control: the sender is in one"
function cpu0() storm(0, true) end
function cpu1() storm(1, true) end
function cpu2() storm(2, true) end
never { stuck, panic, lost_message, function()
  return done == 3 and received[0] + received[1] + received[2] ~= sent
end }
