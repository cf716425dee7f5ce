-- SPDX-License-Identifier: BSD-2-Clause
--
-- doc_examples.lua -- the examples of a page of documentation, as files.
--
--   lua5.4 doc_examples.lua PAGE FOLDER
--
-- Above each ```lua block stands what is to be done with it:
--
--   <!-- run: holds -->         a scenario whose claims hold: exit 0
--   <!-- run: fails -->         one of them does not: exit 1
--   <!-- run: error "text" -->  it is refused, and the message has this text
--   <!-- file: PATH -->         it is that file, without its licence line
--   <!-- part -->               it is not complete
--
-- Writes each scenario to FOLDER/LINE.lua, and a line "LINE STATUS TEXT" for
-- it to standard output.  Exits 1 if a block has no mark, or is not its file.

local page, folder = arg[1], arg[2]
local trouble = false

local function complain(line, what)
  io.stderr:write(page, ":", line, ": ", what, "\n")
  trouble = true
end

local function save(line, text)
  local file = assert(io.open(folder .. "/" .. line .. ".lua", "w"))
  file:write(text)
  file:close()
end

local function compare(line, path, text)
  local file = io.open(path)
  if not file then return complain(line, "there is no " .. path) end
  local whole = file:read("a"):gsub("^%-%- SPDX[^\n]*\n", "")
  file:close()
  if whole ~= text then complain(line, "is not " .. path .. " any more") end
end

local statuses = { holds = 0, fails = 1 }

local function finish(line, mark, text)
  local verdict = mark:match("^run: (%l+)$")
  local message = mark:match('^run: error "(.*)"$')
  local path = mark:match("^file: (%S+)$")
  if statuses[verdict] then
    save(line, text)
    print(line, statuses[verdict], "")
  elseif message then
    save(line, text)
    print(line, 2, (message:gsub('\\"', '"')))
  elseif path then
    compare(line, path, text)
  elseif mark ~= "part" then
    complain(line, "an example without a mark: say <!-- run: holds -->")
  end
end

local number, mark, start, block = 0, "", nil, {}
for line in io.lines(page) do
  number = number + 1
  if start and line == "```" then
    finish(start, mark, table.concat(block, "\n") .. "\n")
    start, mark, block = nil, "", {}
  elseif start then
    block[#block + 1] = line
  elseif line == "```lua" then
    start = number
  else
    mark = line:match("^<!%-%- (.*) %-%->$") or ""
  end
end
os.exit(not trouble)
