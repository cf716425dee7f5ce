-- SPDX-License-Identifier: BSD-2-Clause
scenario "who has knocked for passive messages must not keep the door shut"
origin   "lwkt_ipiq.c 1f2824e8, lwkt_send_ipiq3_passive(): the knock in its \z
          wait loop takes gd_npoll like any other"

--   cpu0   passive, full: tries gd_npoll in its loop
--   cpu1   releases gd_npoll, looks once more, leaves
-- If the try were a load and a store, the store could take a door that nobody
-- knocked at: the next active message would not be told.

system "dragonfly" { cpus = 2, MAXCPUFIFO = 8 }

function cpu0()
  for _ = 1, 3 do
    flood_passive(1, 8)
    lwkt_send_ipiq3(gd(1), receive, 0, 0)
  end
end

case "as written"
reach (region(lwkt_process_ipiq)(0))
never { lost_message, stuck }
certain (function() return received[1] == 3 end)

case "control: a passive sender takes the door and does not knock"
mutant "passive_takes_npoll"
possible (stuck { cpu = 0, inside = lwkt_send_ipiq3_passive })
