--- Chat completions: verb, path, shape.
return {
  name = "chat",
  method = "POST",
  path = "/chat/completions",
  expect = "choices",
  fallback = true,
  dialect = "chat",
}
