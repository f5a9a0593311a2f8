-- The smallest call: one question, one answer. The key is in $OFOXAI_API_KEY.
-- lua5.4 examples/hello.lua [question]
local here = arg[0]:match "^.*/" or "" -- in a clone ofox is beside; where it is installed these two lines may go
package.path = here .. "../lua/?.lua;" .. here .. "../lua/?/init.lua;" .. package.path
local ofox = require "ofox"

local res, err = ofox.new({ errors = "return" }):chat {
  model = "openai/gpt-4o-mini",
  messages = { { role = "user", content = arg[1] or "Say hello in five languages." } },
}
if res then
  print(res:output_text())
else
  print(err, err:hint())
  os.exit(1)
end
