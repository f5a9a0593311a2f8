--- Gemini's protocol: verb, path, shape. The model and whether events are wanted stand
-- in the path, not in the body.
return {
  name = "generate_content",
  method = "POST",
  base = "gemini_url",
  path = "/v1beta/models/",
  verb = ":generateContent",
  stream_verb = ":streamGenerateContent?alt=sse",
  expect = "gemini",
  dialect = "gemini",
  key = "x-goog-api-key: ",
  leaves = { "model", "stream" },
}
