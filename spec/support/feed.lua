-- A call that is fed an answer by hand: what its reader sees of the bytes of a
-- stream, however they are cut.
local core = require "ofox.base.native" "core"

local feed = {}

local HEAD = { "HTTP/1.1 200", "content-type: text/event-stream", "" }

--- Feeds the pieces of a body and reads what comes, then ends the transfer.
-- opts: dialect ("chat"), events (read those, not texts), outcome ("ANSWERED"),
-- settings, head. Gives {texts | events, text, chunks, said, failure, state, open}.
function feed.read(pieces, opts)
  opts = opts or {}
  local call = core.call(core.template({ expect = "object", dialect = opts.dialect or "chat" }, opts.settings or {}), 0)
  local got = { texts = {}, events = {} }
  local next_text = call:texts()
  local function take()
    if opts.blind then return end
    if opts.events then
      local json, whole, name = call:event()
      while json do
        got.events[#got.events + 1] = { json, whole, name }
        json, whole, name = call:event()
      end
    else
      local text, whole = next_text()
      while text or whole do
        got.texts[#got.texts + 1] = text or { whole = whole }
        text, whole = next_text()
      end
    end
  end
  call:begin(0)
  for _, line in ipairs(opts.head or HEAD) do call:head(line, 0) end
  for _, piece in ipairs(pieces) do
    if not call:body(piece, 0) then break end
    take()
  end
  take()
  got.seen = call:state() == "events" or #got.texts > 0 or #got.events > 0
  if call:state() ~= "done" then call:finish(opts.outcome or "ANSWERED", true, 0, 0) end
  take()
  got.chunks, got.text, got.said = call:said()
  got.failure, got.state = call:failure(0), call:state()
  got.reason = got.failure and got.failure.reason
  return got
end

--- Every way of cutting a body: whole, byte by byte, in two at each point, with
-- empty pieces.
function feed.each_way(body, check, opts)
  local bytes = {}
  for i = 1, #body do bytes[i] = body:sub(i, i) end
  check(feed.read({ body }, opts))
  check(feed.read(bytes, opts))
  check(feed.read({ "", body, "" }, opts))
  for i = 1, #body - 1 do check(feed.read({ body:sub(1, i), body:sub(i + 1) }, opts)) end
end

--- Events as a server writes them; an element may be {name, data}.
function feed.body(list)
  local out = {}
  for i, item in ipairs(list) do
    local name, data = "", item
    if type(item) == "table" then name, data = "event: " .. item[1] .. "\n", item[2] end
    out[i] = name .. "data: " .. data:gsub("\n", "\ndata: ") .. "\n\n"
  end
  return table.concat(out)
end

--- The JSON of the events that were kept.
function feed.kept(got)
  local list = {}
  for i, event in ipairs(got.said) do list[i] = event[1] end
  return list
end

return feed
