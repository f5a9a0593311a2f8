-- Embeddings: ranks sentences by how near they are in meaning to a question.
-- lua5.4 examples/embeddings.lua [question]
local here = arg[0]:match "^.*/" or "" -- in a clone ofox is beside; where it is installed these two lines may go
package.path = here .. "../lua/?.lua;" .. here .. "../lua/?/init.lua;" .. package.path
local ofox = require "ofox"

local QUESTION = arg[1] or "How do I keep my houseplants alive?"
local SENTENCES = {
  "Water them once a week and keep them out of the draught.",
  "The train to Lyon leaves at half past nine.",
  "Most ferns like shade and a damp soil.",
  "Interest is paid at the end of the quarter.",
}

local function cosine(a, b)
  local dot, aa, bb = 0, 0, 0
  for i = 1, #a do
    dot, aa, bb = dot + a[i] * b[i], aa + a[i] * a[i], bb + b[i] * b[i]
  end
  return dot / math.sqrt(aa * bb)
end

local input = { QUESTION }
for i, sentence in ipairs(SENTENCES) do input[i + 1] = sentence end

-- One request for all; each vector arrives as a table of numbers.
local res, err = ofox.new():embeddings { model = "openai/text-embedding-3-small", input = input }
if not res then
  print(err, err:hint())
  os.exit(1)
end

local ranked = {}
for i, sentence in ipairs(SENTENCES) do
  ranked[i] = { text = sentence, score = cosine(res.data[1].embedding, res.data[i + 1].embedding) }
end
table.sort(ranked, function(a, b) return a.score > b.score end)

print(QUESTION)
for _, one in ipairs(ranked) do print(("%6.3f  %s"):format(one.score, one.text)) end
print(("%d tokens, %d numbers a vector"):format(res.usage.total_tokens, #res.data[1].embedding))
