-- SPDX-License-Identifier: BSD-2-Clause
--
-- collection -- the rooms of the museum, the two sources that they are run on,
-- and what heddle says of them.
--
-- To be loaded with dofile, from the root.

local collection = { HEDDLE = os.getenv("HEDDLE") or "build/heddle" }

-- All of a file, or nil if it cannot be read.
function collection.text_of(path)
  local file = io.open(path)
  return file and file:read("a"), file and file:close()
end

-- The path of the kernel's own lwkt_ipiq.c, or nil if there is none.
function collection.kernel()
  for _, path in ipairs { "../shared/dragonfly/lwkt_ipiq.c",
                          "guest/dragonfly/upstream/lwkt_ipiq.c" } do
    if collection.text_of(path) then return path end
  end
end

-- The paths of the museum's scenarios, in order.
function collection.rooms()
  local rooms, listing = {}, io.popen("ls scenarios/dragonfly/*.lua")
  for path in listing:lines() do rooms[#rooms + 1] = path end
  listing:close()
  return rooms
end

-- A line of --json: flat, and \1 stands for the quotes within a string.
local function object_of(line)
  local object = {}
  line = line:gsub('\\"', "\1"):gsub("\\\\", "\\")
  for k, v in line:gmatch('"([%w_]+)":(%w+)') do
    if v ~= "null" then object[k] = v end
  end
  for k, v in line:gmatch('"([%w_]+)":"([^"]*)"') do
    object[k] = v:gsub("\1", '"')
  end
  return object
end

-- What a command prints with --json, and its exit status.
function collection.objects_of(command)
  local objects, run = {}, assert(io.popen(command))
  for line in run:lines() do objects[#objects + 1] = object_of(line) end
  local _, _, status = run:close()
  return objects, status
end

return collection
