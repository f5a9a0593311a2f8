-- Texts by chance: the core's decoder, lua-cjson and the strict check agree, but
-- for what lua-cjson takes and is no JSON.
local cjson = require "cjson"
local chance = require "support.chance"
local json_texts = require "support.json_texts"

describe("json.decode and lua-cjson agree", function()
  local own = cjson.new()
  own.decode_max_depth(1000)
  own.decode_invalid_numbers(false)
  local other = { decode = own.decode, is_null = function(value) return value == cjson.null end }

  it("on texts by chance, and on what becomes of them", function()
    for seed = 1, 8 do
      assert.is_nil(json_texts.run(chance.ROUNDS, seed * 7919, other))
    end
  end)

  it("on numbers of all forms", function()
    local texts = json_texts.new(4711)
    for _ = 1, chance.ROUNDS * 50 do
      local text = texts:number()
      assert.is_nil(json_texts.problem(text, text, other))
    end
  end)
end)
