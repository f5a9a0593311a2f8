--- What all stores have in common: when a store is asked, what becomes of its answer,
-- and what is said when there is none. While it is silent, limits are this process's
-- own; the core decides for how long.
-- Knows nothing of how a store is reached.
local core = require "ofox.base.native" "core"
local log = require "ofox.base.log"

local shared = {}

local MINUTE = 60 -- seconds between two warnings

--- How a store is reached.
---@class ofox.StoreBackend
---@field prefix string  of its keys
---@field timeout number  seconds in which it answers
---@field name fun(): string  without secrets
--- Asks the ledger (ofox.store.ledger) of an account, and calls done(reply), or
--- done(nil, problem), at once or in a later step.
---@field ask fun(key: string, text: string, done: fun(reply?: string, problem?: string), transport: table)
--- Takes answers that are there already; absent: there never are any.
---@field catch_up? fun()

---@class ofox.Store
local Store = {}
Store.__index = Store
Store.__name = "ofox.store"

-- The key of a store's only field: a function that returns its state, so that a dump
-- of a store shows nothing.
local STATE = {}

--- Creates a store.
---@param backend ofox.StoreBackend
---@return ofox.Store
function shared.new(backend)
  local state = { backend = backend, told = -math.huge }
  return setmetatable({ [STATE] = function() return state end }, Store)
end

local function state_of(self)
  local get = type(self) == "table" and rawget(self, STATE)
  return get and get() or nil
end

--- Is it a store?
---@param value any
---@return boolean
function shared.is(value)
  return state_of(value) ~= nil
end

--- Makes an account one that is shared.
---@param account userdata
function Store:share(account)
  core.share(account, state_of(self).backend.timeout)
end

-- The program's logger may fail, which is nothing to the calls that wait.
local function warn(state, settings, problem)
  local now = core.now()
  if now < state.told + MINUTE then return end
  state.told = now
  pcall(log.write, settings, "warn", "the store fails: limits are this process's own",
    { store = state.backend.name(), problem = problem })
end

--- Asks the store what there is to ask, and tells it what there is to tell.
---@param run ofox.Run
---@param starts boolean  its call is about to begin an attempt, or to wait for that
function Store:sync(run, starts)
  local transport, template = run.transport, run.template
  local state, account = state_of(self), template.account
  local backend = state.backend
  if backend.catch_up then backend.catch_up() end
  local text = core.store_ask(run.call, transport:now(), starts)
  if not text then return end
  local function done(reply, problem)
    local now = transport:now()
    if type(reply) ~= "string" then
      core.store_failed(account, now)
    elseif core.store_answer(account, reply, now) then
      return
    end
    warn(state, template.settings, problem or "its answer is none of a ledger")
  end
  backend.ask(backend.prefix .. template.account_name, text, done, transport)
end

function Store:__tostring()
  return "ofox.store: " .. state_of(self).backend.name()
end

return shared
