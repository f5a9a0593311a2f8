--- A terminal without a screen: what a program writes to it becomes lines of
-- cells. It knows what the demo uses, and refuses all else.
local screen = {}
screen.__index = screen

---@param width integer  columns
---@param height integer  rows; what is above them can no longer be reached
function screen.new(width, height)
  return setmetatable({ width = width, height = height, lines = { {} }, row = 1, column = 1, style = "",
    cursor = true, widest = 0, rest = "" }, screen)
end

local function line_at(self, row)
  while #self.lines < row do self.lines[#self.lines + 1] = {} end
  return self.lines[row]
end

-- The first row that the cursor can reach.
local function top(self)
  return math.max(1, #self.lines - self.height + 1)
end

local function put(self, character)
  if self.column > self.width then self.row, self.column = self.row + 1, 1 end
  local line = line_at(self, self.row)
  for i = #line + 1, self.column - 1 do line[i] = { " ", "" } end
  line[self.column] = { character, self.style }
  self.widest = math.max(self.widest, self.column)
  self.column = self.column + 1
end

local CONTROLS = {
  ["\r"] = function(self) self.column = 1 end,
  ["\n"] = function(self)
    self.row = self.row + 1
    line_at(self, self.row)
  end,
}

local function cut(line, column)
  for i = #line, column, -1 do line[i] = nil end
end

local SEQUENCES = {
  A = function(self, n) self.row = math.max(top(self), self.row - (tonumber(n) or 1)) end,
  K = function(self) cut(line_at(self, self.row), self.column) end,
  J = function(self)
    cut(line_at(self, self.row), self.column)
    for row = self.row + 1, #self.lines do self.lines[row] = {} end
  end,
  m = function(self, code) self.style = code == "0" and "" or code end,
  h = function(self, code) self.cursor = assert(code == "?25", code) and true end,
  l = function(self, code) self.cursor = not assert(code == "?25", code) end,
}

-- One piece of the output: a character, a control, a sequence; and what follows.
-- Nil if it is not whole yet.
local function take(self, bytes, at)
  local first = bytes:byte(at)
  if first == 27 then
    local code, kind, after = bytes:match("^\27%[([%d;?]*)(%a)()", at)
    if not code then
      assert(#bytes - at < 16, "no sequence that is known")
      return nil
    end
    local play = SEQUENCES[kind] or error("unknown sequence: " .. code .. kind)
    play(self, code)
    return after
  end
  local size = first < 0x80 and 1 or first < 0xE0 and 2 or first < 0xF0 and 3 or 4
  if at + size - 1 > #bytes then return nil end
  local character = bytes:sub(at, at + size - 1)
  if CONTROLS[character] then
    CONTROLS[character](self)
  else
    assert(first >= 32 and first ~= 127, "a control character")
    put(self, character)
  end
  return at + size
end

--- Takes output of the program, cut anywhere.
function screen:feed(bytes)
  bytes = self.rest .. bytes
  local at = 1
  while at <= #bytes do
    local after = take(self, bytes, at)
    if not after then break end
    at = after
  end
  self.rest = bytes:sub(at)
end

--- A line as plain text, without blanks at its end.
function screen:text(row)
  local out = {}
  for i, cell in ipairs(self.lines[row] or {}) do out[i] = cell[1] end
  return (table.concat(out):gsub("%s+$", ""))
end

--- All lines as plain text.
function screen:texts()
  local list = {}
  for row = 1, #self.lines do list[row] = self:text(row) end
  return list
end

return screen
