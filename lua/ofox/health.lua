--- :checkhealth ofox in Neovim: are the C modules built for its Lua, and what
-- does ofox.doctor say?
require "ofox.base.uncompiled" ()
local lua = require "ofox.base.lua"
local try = require "ofox.base.try"

local health = {}

local NAMES = { start = "report_start", ok = "report_ok", info = "report_info", warn = "report_warn",
  error = "report_error" }

-- Neovim's functions under their current names. From 0.10 on they are those of
-- vim.health, before that they had a prefix, and up to 0.7 a module of their own.
local function reporter()
  local vim = rawget(_G, "vim")
  local given = type(vim) == "table" and vim.health or require "health"
  local report = {}
  for name, old in pairs(NAMES) do report[name] = given[name] or given[old] end
  return report
end

local HOW_TO_BUILD = {
  ("Build it in the directory of the plugin: make LUA=%s"):format(lua.ABI),
  "A plugin manager does so after an update if it is told to (its option build, run or do).",
}

local function is_built(report)
  for _, name in ipairs { "core", "engine" } do
    local ok, why = try(function() return require "ofox.base.native" (name) end)
    if not ok then
      report.error(tostring(why), HOW_TO_BUILD)
      return false
    end
  end
  report.ok(("ofox.core and ofox.engine are built for this Lua, which is %s"):format(lua.NAME))
  return true
end

local LEVELS = { ok = "ok", warn = "warn", error = "error", skipped = "info" }

local function tell(report, finding)
  local say, message = report[LEVELS[finding.level]], finding.check .. ": " .. finding.message
  if finding.advice and finding.level ~= "ok" and finding.level ~= "skipped" then
    say(message, { finding.advice })
  else
    say(message)
  end
end

--- Reports to Neovim; :checkhealth calls it.
function health.check()
  local report = reporter()
  report.start("ofox: the C modules")
  if not is_built(report) then return end
  report.start("ofox: the connection to the gateway")
  for _, finding in ipairs(require "ofox.doctor".examine()) do tell(report, finding) end
end

return health
