-- A plugin: :Ofox {prompt} writes the answer at the cursor as it comes, :OfoxStop ends it.
-- ofox has to be in 'runtimepath', built with make LUA=jit; doc/neovim.md says how.
local ofox = require "ofox"

local api = vim.api
local namespace = api.nvim_create_namespace "ofox_example"
local tasks = {} -- those that run

local function status(text) api.nvim_echo({ { text } }, false, {}) end

-- The place behind the cursor, held by a mark, which moves with the text around it.
local function place_here()
  local cursor = api.nvim_win_get_cursor(0)
  local behind = math.max(0, vim.fn.matchend(api.nvim_get_current_line(), ".", cursor[2]))
  local mark = api.nvim_buf_set_extmark(0, namespace, math.max(0, cursor[1] - 1), behind, {})
  return { buffer = api.nvim_get_current_buf(), mark = mark }
end

local function put(place, text)
  local buffer = place.buffer
  local at = api.nvim_buf_is_loaded(buffer) and api.nvim_buf_get_extmark_by_id(buffer, namespace, place.mark, {})
  if not (at and at[1]) then error("the buffer is gone, or was loaded anew", 0) end
  local untouched = api.nvim_buf_get_changedtick(buffer) == place.tick
  if untouched then api.nvim_buf_call(buffer, function() vim.cmd "undojoin" end) end
  api.nvim_buf_set_text(buffer, at[1], at[2], at[1], at[2], vim.split(text, "\n", { plain = true }))
  -- in insert mode it is undone with what is typed there
  place.tick = api.nvim_get_mode().mode == "n" and api.nvim_buf_get_changedtick(buffer)
end

-- Straight code: Neovim continues during every wait in it. An error ends the task, and with it the stream.
local function answer(prompt, place)
  local client = ofox.new { -- key and address come from the environment
    errors = "raise",
    on_wait = function(left, err) status(("ofox: %s, again in %.0f s"):format(err.type, math.ceil(left))) end,
  }
  status "ofox: …"
  local messages = { { role = "user", content = prompt } }
  local stream = client:stream { model = vim.g.ofox_model or "openai/gpt-4o", messages = messages }
  status ""
  for text in stream:text() do put(place, text) end
end

api.nvim_create_user_command("Ofox", function(command)
  local place = place_here()
  local task = ofox.go(answer, command.args, place)
  tasks[task] = true
  task:on_done(function(ok, err)
    tasks[task] = nil
    if api.nvim_buf_is_loaded(place.buffer) then api.nvim_buf_del_extmark(place.buffer, namespace, place.mark) end
    if ok then return end
    if ofox.errors.is(err, "cancelled_error") then return vim.notify "ofox: stopped; what had come is kept" end
    local hint = ofox.errors.is(err) and "\n" .. err:hint(vim.v.lang:match "^zh" or "en") or ""
    vim.notify("ofox: " .. tostring(err):gsub("^ofox: ", "") .. hint, vim.log.levels.ERROR)
  end)
end, { nargs = "+", desc = "Write the answer to a prompt at the cursor" })

api.nvim_create_user_command("OfoxStop", function()
  for task in pairs(tasks) do task:cancel() end
end, { desc = "End the answers that are on their way" })
