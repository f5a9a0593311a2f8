--- Chat completions: verb, path, shape.
return {
  name = "chat",
  method = "POST",
  path = "/chat/completions",
  expect = "chat",
  fallback = true,
  dialect = "chat",
}
