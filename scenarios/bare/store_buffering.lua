scenario "SB: store buffering"
origin   "Owens, Sarkar, Sewell, 'A Better x86 Memory Model: x86-TSO', 2009"

system "bare" { cpus = 2 }

code [[
  P0              | P1
  movq $1, x      | movq $1, y
  movq y, %rax    | movq x, %rax
]]

local both_zero = rax(0) :is(0) & rax(1) :is(0)

case "one store after the other"
memory "sc"   never (both_zero)

case "both stores wait in their buffers"
memory "tso"  possible (both_zero)
