-- The smallest call: one question, one answer. The key is in $OFOXAI_API_KEY or $OFOX_API_KEY.
package.path = "lua/?.lua;lua/?/init.lua;" .. package.path -- as they stand in a clone
local ofox = require "ofox"

local res, err = ofox.new():chat {
  model = "openai/gpt-4o-mini",
  messages = { { role = "user", content = arg[1] or "Say hello in five languages." } },
}
if not res then return print(err, err:hint()) end
print(res:output_text())
