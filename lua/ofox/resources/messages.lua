--- Anthropic's Messages protocol: verb, path, shape.
return {
  name = "messages",
  method = "POST",
  base = "anthropic_url",
  path = "/v1/messages",
  expect = "messages",
  fallback = true,
  dialect = "messages",
  key = "x-api-key: ",
  defaults = { ["anthropic-version"] = "2023-06-01" },
}
