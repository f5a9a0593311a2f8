-- Speech to text: writes down what is said in recordings, several at a time.
-- lua5.4 examples/transcript.lua FILE …
local here = arg[0]:match "^.*/" or "" -- in a clone ofox is beside; where it is installed these two lines may go
package.path = here .. "../lua/?.lua;" .. here .. "../lua/?/init.lua;" .. package.path
local ofox = require "ofox"

if #arg == 0 then
  print "Which recordings? lua5.4 examples/transcript.lua FILE …"
  os.exit(2)
end

-- Sending counts, too: a long recording on a slow line needs more than the usual time.
local client = ofox.new { timeout = 600, errors = "return" }

local function transcribe(path)
  return client:transcribe { model = "openai/gpt-transcribe", file = ofox.file(path) }
end

local failed = 0
ofox.map(arg, transcribe, { limit = 3, on_result = function(i, _, res, err)
  if res then
    print(("%s: %s"):format(arg[i], res:output_text()))
  else
    failed = failed + 1
    print(("%s: %s\n  %s"):format(arg[i], err.message, err:hint()))
  end
end })
os.exit(failed == 0 and 0 or 1)
