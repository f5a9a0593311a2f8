-- Pictures: makes one from words, or changes those that are given.
-- lua5.4 examples/pictures.lua OUT WORDS [PICTURE …]
local here = arg[0]:match "^.*/" or "" -- in a clone ofox is beside; where it is installed these two lines may go
package.path = here .. "../lua/?.lua;" .. here .. "../lua/?/init.lua;" .. package.path
local ofox = require "ofox"

local DIGITS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

local function from_base64(text)
  local bytes, bits, count = {}, 0, 0
  for digit in text:gmatch "[%w+/]" do
    bits, count = bits * 64 + DIGITS:find(digit, 1, true) - 1, count + 6
    if count >= 8 then
      count = count - 8
      bytes[#bytes + 1] = string.char(math.floor(bits / 2 ^ count))
      bits = bits % 2 ^ count
    end
  end
  return table.concat(bytes)
end

local out, words = arg[1], arg[2]
if not words then
  print "Which picture? lua5.4 examples/pictures.lua OUT WORDS [PICTURE …]"
  os.exit(2)
end

local probe, why = io.open(out, "ab") -- a picture that cannot be kept is not paid for
if not probe then
  print(why)
  os.exit(1)
end
probe:close()

local client = ofox.new { errors = "return" }
local params, pictures = { model = "openai/gpt-image-1", prompt = words }, {}
for i = 3, #arg do pictures[#pictures + 1] = ofox.file(arg[i]) end
local res, err
if pictures[1] then
  params.image = pictures
  res, err = client:edit_images(params)
else
  res, err = client:images(params)
end
if not res then
  print(err, err:hint())
  os.exit(1)
end
local picture = res.data[1]
if not picture.b64_json then return print(picture.url) end
local file = assert(io.open(out, "wb"))
file:write(from_base64(picture.b64_json))
file:close()
print(out)
