--- What clients have counted, in Prometheus' text format: a pure function of
-- tables as client:stats() gives them.
-- Knows nothing of clients, or of how the text gets to Prometheus.
require "ofox.base.uncompiled" ()
local clean = require("ofox.base.native")("core").parts.utf8_clean
local describe = require "ofox.base.describe"

local HUGE = math.huge

-- Models over all entries that have series of their own, and the name of the
-- series for the rest.
local MODELS, OTHER = 100, "other"

---@class ofox.PrometheusEntry
---@field stats table  what client:stats() gave; its latency, first_byte and waits have buckets, a list of {le, count}:
--  how many took at most le seconds
---@field labels? table<string, string|number|boolean>  what tells these statistics from those of other entries

local prometheus = {
  --- The format, for a Content-Type header.
  CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8",
}

local function sorted(map)
  local keys = {}
  for key in pairs(map) do keys[#keys + 1] = key end
  table.sort(keys, function(a, b) return tostring(a) < tostring(b) end)
  return keys
end

-- The shortest text that is read as the same number, whatever the locale.
local function number_text(value)
  if value ~= value then return "NaN" end
  if value == HUGE or value == -HUGE then return value > 0 and "+Inf" or "-Inf" end
  if value % 1 == 0 and value < 2 ^ 53 and value > -2 ^ 53 then return ("%.0f"):format(value) end
  local text
  for digits = 15, 17 do
    text = ("%%.%dg"):format(digits):format(value)
    if tonumber(text) == value then break end
  end
  return (text:gsub("[^%d+e-]+", "."))
end

local ESCAPES = { ["\\"] = "\\\\", ['"'] = '\\"', ["\n"] = "\\n" }

-- A label's value between its quotes. Prometheus refuses a whole text for one
-- byte that is not UTF-8; control characters it would show as they are.
local function label_text(value)
  local text = type(value) == "number" and number_text(value) or tostring(value)
  return (clean((text:gsub("[%z\1-\9\11-\31\127]", "?"))):gsub('[\\"\n]', ESCAPES))
end

-- What is being written. The first problem is kept; what is read after it does
-- not matter.
local Text = {}
Text.__index = Text

function Text:fail(path, problem)
  self.problem = self.problem or describe.place(path, problem)
end

function Text:number(path, value)
  if type(value) == "number" then return value end
  self:fail(path, describe.expected("a number", value))
  return 0
end

function Text:table(path, value)
  if type(value) == "table" then return value end
  self:fail(path, describe.expected("a table", value))
  return {}
end

-- What is not there is an empty table.
function Text:any_table(path, value)
  return value == nil and {} or self:table(path, value)
end

-- A line of the family that is being written, for the entry of 'labels'. 'own'
-- are labels of the family, written out.
function Text:sample(entry, suffix, own, value)
  local family = self.family
  if not self.begun then
    self.begun = true
    self:line(("# HELP %s %s"):format(family.name, family.help))
    self:line(("# TYPE %s %s"):format(family.name, family.type))
  end
  local labels = entry.labels
  if own ~= "" then labels = labels == "" and own or labels .. "," .. own end
  self:line(("%s%s%s %s"):format(family.name, suffix, labels ~= "" and "{" .. labels .. "}" or "", number_text(value)))
end

function Text:line(text)
  self.lines[#self.lines + 1] = text .. "\n"
end

-- Ways in which a family reads an entry.

local function field(name)
  return function(text, entry)
    local value = entry.stats[name]
    if value ~= nil then text:sample(entry, "", "", text:number(entry.path .. name, value)) end
  end
end

local function field_of(map, name)
  return function(text, entry)
    local value = text:any_table(entry.path .. map, entry.stats[map])[name]
    if value ~= nil then text:sample(entry, "", "", text:number(entry.path .. map .. "." .. name, value)) end
  end
end

local function each_of(map, label)
  return function(text, entry)
    local all = text:any_table(entry.path .. map, entry.stats[map])
    for _, key in ipairs(sorted(all)) do
      local value = text:number(("%s%s.%s"):format(entry.path, map, tostring(key)), all[key])
      text:sample(entry, "", ('%s="%s"'):format(label, label_text(key)), value)
    end
  end
end

local function each_model(name)
  return function(text, entry)
    for _, model in ipairs(sorted(entry.models)) do
      text:sample(entry, "", ('model="%s"'):format(model), entry.models[model][name])
    end
  end
end

local KINDS = { "cached", "input", "output", "reasoning" }

local function tokens_of_models(text, entry)
  for _, model in ipairs(sorted(entry.models)) do
    for _, kind in ipairs(KINDS) do
      text:sample(entry, "", ('model="%s",kind="%s"'):format(model, kind), entry.models[model][kind])
    end
  end
end

local function histogram(name)
  return function(text, entry)
    if entry.stats[name] == nil then return end
    local path = entry.path .. name
    local all = text:table(path, entry.stats[name])
    local count = text:number(path .. ".count", all.count)
    for i, bucket in ipairs(text:any_table(path .. ".buckets", all.buckets)) do
      local where = ("%s.buckets[%d]"):format(path, i)
      bucket = text:table(where, bucket)
      local bound = number_text(text:number(where .. ".le", bucket.le))
      text:sample(entry, "_bucket", ('le="%s"'):format(bound), text:number(where .. ".count", bucket.count))
    end
    text:sample(entry, "_bucket", 'le="+Inf"', count)
    text:sample(entry, "_sum", "", text:number(path .. ".sum", all.sum))
    text:sample(entry, "_count", "", count)
  end
end

local function limit(read)
  return function(text, entry)
    local limits = text:any_table(entry.path .. "limits", entry.stats.limits)
    local value = read(limits)
    if value ~= nil then text:sample(entry, "", "", text:number(entry.path .. "limits", value)) end
  end
end

-- Of the models that have series of their own; 'read' returns nil where there is nothing to say.
local function model_limit(read)
  return function(text, entry)
    local path = entry.path .. "limits"
    local models = text:any_table(path .. ".models", text:any_table(path, entry.stats.limits).models)
    for _, name in ipairs(sorted(models)) do
      local where, label = path .. ".models." .. tostring(name), label_text(name)
      local value = read(text:table(where, models[name]))
      if value ~= nil and label ~= OTHER and entry.models[label] then
        text:sample(entry, "", ('model="%s"'):format(label), text:number(where, value))
      end
    end
  end
end

local function is_open(model)
  return model.breaker and (model.breaker == "closed" and 0 or 1)
end

local FAMILIES = {
  { "ofox_calls_total", "counter", "Calls that have begun.", field "calls" },
  { "ofox_calls_succeeded_total", "counter", "Calls that ended with an answer.", field "succeeded" },
  { "ofox_calls_failed_total", "counter", "Calls that ended with an error.", field "failed" },
  { "ofox_in_flight_calls", "gauge", "Calls that are under way and do not wait.", field "in_flight" },
  { "ofox_waiting_calls", "gauge", "Calls that are kept back, or wait for a retry.", field "waiting" },
  { "ofox_attempts_total", "counter", "Requests, those of retries included.", field "attempts" },
  { "ofox_retries_total", "counter", "Requests after the first of a call.", field "retries" },
  { "ofox_errors_total", "counter", "Calls that ended with an error, by its type.", each_of("errors", "type") },
  { "ofox_attempt_errors_total", "counter", "Requests that failed, by the type of the error.",
    each_of("attempt_errors", "type") },
  { "ofox_error_ratio", "gauge", "The part of the calls that failed, of those that ended in the window.",
    each_of("error_rate", "window") },
  { "ofox_model_calls_total", "counter", "Calls that asked a model, as their first or by fallback.",
    each_model "calls" },
  { "ofox_model_calls_failed_total", "counter", "Calls that got no answer from the model.", each_model "failed" },
  { "ofox_model_tokens_total", "counter",
    "Tokens of a model. Those cached are part of the input, those of reasoning of the output.", tokens_of_models },
  { "ofox_tokens_total", "counter",
    "Tokens of all answers. Those cached are part of the input, those of reasoning of the output.",
    each_of("tokens", "kind") },
  { "ofox_sent_bytes_total", "counter", "Bytes of the requests.", field_of("bytes", "sent") },
  { "ofox_received_bytes_total", "counter", "Bytes of the answers.", field_of("bytes", "received") },
  { "ofox_latency_seconds", "histogram", "How long calls took, waits included.", histogram "latency" },
  { "ofox_first_byte_seconds", "histogram", "How long calls took until the first byte of the answer.",
    histogram "first_byte" },
  { "ofox_wait_seconds", "histogram", "How long calls were kept back, or waited for a retry.", histogram "waits" },
  { "ofox_hold_seconds", "gauge", "How long a server has told all calls of the account to wait.",
    limit(function(limits) return limits.hold or limits.waiting and 0 end) },
  { "ofox_model_hold_seconds", "gauge", "How long a server has told calls to the model to wait.",
    model_limit(function(model) return model.hold end) },
  { "ofox_pace_wait_seconds", "gauge", "The time until the pace lets the next call start.",
    limit(function(limits) return type(limits.pace) == "table" and limits.pace.wait or nil end) },
  { "ofox_budget_tokens", "gauge", "What is left to pay for retries.",
    limit(function(limits) return limits.budget end) },
  { "ofox_breaker_open", "gauge", "1 if the breaker of the model lets no call through, or probes only.",
    model_limit(is_open) },
}

-- Labels that the families have.
local OURS = { kind = true, le = true, model = true, type = true, window = true }

local LABEL_TYPES = { boolean = true, number = true, string = true }

-- The labels of an entry, written out. An empty value is the same as none.
local function entry_labels(text, path, labels)
  local all = {}
  for _, name in ipairs(sorted(labels)) do
    local value = labels[name]
    if type(name) ~= "string" or not name:find("^[A-Za-z_][A-Za-z0-9_]*$") or name:find("^__") then
      text:fail(path, "a label's name has letters, digits and underscores, and does not begin with a digit or two "
        .. "underscores; got " .. describe.value(name))
    elseif OURS[name] then
      text:fail(path, ("a label %s is already there"):format(name))
    elseif not LABEL_TYPES[type(value)] then
      text:fail(("%s.%s"):format(path, name), describe.expected("a string", value))
    elseif value ~= "" then
      all[#all + 1] = ('%s="%s"'):format(name, label_text(value))
    end
  end
  return table.concat(all, ",")
end

-- Adds a model of an entry to the row that it is shown in.
local function add_model(text, path, row, model)
  row.calls = row.calls + text:number(path .. ".calls", model.calls)
  row.failed = row.failed + text:number(path .. ".failed", model.failed)
  local tokens = text:any_table(path .. ".tokens", model.tokens)
  for _, kind in ipairs(KINDS) do
    if tokens[kind] ~= nil then row[kind] = row[kind] + text:number(path .. ".tokens." .. kind, tokens[kind]) end
  end
end

-- The rows of an entry's models, by the text of their label. 'shown' are the
-- labels that have series of their own, over all entries so far: where there
-- are more than MODELS, those of the first entries do, by name.
local function entry_models(text, path, models, shown)
  local rows = {}
  for _, name in ipairs(sorted(models)) do
    local label = label_text(name)
    if label ~= OTHER and not shown.labels[label] and shown.count < MODELS then
      shown.labels[label], shown.count = true, shown.count + 1
    end
    if not shown.labels[label] then label = OTHER end
    rows[label] = rows[label] or { calls = 0, failed = 0, input = 0, output = 0, cached = 0, reasoning = 0 }
    local where = ("%s[%s]"):format(path, describe.value(name))
    add_model(text, where, rows[label], text:table(where, models[name]))
  end
  return rows
end

local function entries_of(text, list)
  local entries, places, shown = {}, {}, { labels = {}, count = 0 }
  for i, given in ipairs(list) do
    local path = ("[%d]"):format(i)
    given = text:table(path, given)
    local stats = text:table(path .. ".stats", given.stats)
    local labels = entry_labels(text, path .. ".labels", text:any_table(path .. ".labels", given.labels))
    if places[labels] then text:fail(path .. ".labels", ("the same as those of [%d]"):format(places[labels])) end
    places[labels] = i
    path = path .. ".stats."
    entries[i] = { path = path, stats = stats, labels = labels,
      models = entry_models(text, path .. "models", text:any_table(path .. "models", stats.models), shown) }
  end
  return entries
end

--- The statistics of clients as Prometheus reads them. Each entry has labels of
-- its own; misuse raises at the caller's line.
---@param list ofox.PrometheusEntry[]
---@return string  "" where there is none
function prometheus.text(list)
  local text = setmetatable({ lines = {} }, Text)
  local entries = entries_of(text, text:table("list", list))
  for _, row in ipairs(FAMILIES) do
    local read = row[4]
    text.family, text.begun = { name = row[1], type = row[2], help = row[3] }, false
    for _, entry in ipairs(entries) do read(text, entry) end
  end
  if text.problem then error("ofox.prometheus: " .. text.problem, 2) end
  return table.concat(text.lines)
end

return prometheus
