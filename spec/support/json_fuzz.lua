-- Runs texts by chance for OFOX_SECONDS, from OFOX_SEED on: see .ci/fuzz_json.
local json_texts = require "support.json_texts"

local vim = rawget(_G, "vim")
local other, name
if vim then
  -- which takes NaN, hexadecimal numbers and the like
  other = { decode = vim.json.decode, is_null = function(value) return value == vim.NIL end, lenient = true }
  name = "vim.json"
else
  local cjson = require "cjson"
  local own = cjson.new()
  own.decode_max_depth(1000)
  own.decode_invalid_numbers(false)
  other = { decode = own.decode, is_null = function(value) return value == cjson.null end }
  name = _VERSION
end

local seed, finish, count = tonumber(os.getenv "OFOX_SEED"), os.time() + tonumber(os.getenv "OFOX_SECONDS"), 0
repeat
  seed, count = seed + 1, count + 7
  local problem = json_texts.run(1, seed * 7919 % 2147483646 + 1, other)
  if problem then
    io.stderr:write(("seed %d, %s: %s\n"):format(seed, name, problem))
    os.exit(1)
  end
until os.time() >= finish
io.write(("%s: %d texts, no difference\n"):format(name, count))
