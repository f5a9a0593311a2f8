--- Chat completions: verb, path, shape.
return {
  name = "chat",
  method = "POST",
  path = "/chat/completions",
  expect = "object",
  fallback = true,
  dialect = "chat",
  lists = { "messages", "tools", "stop", "modalities" },
}
