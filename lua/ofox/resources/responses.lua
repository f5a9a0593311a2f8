--- The Responses protocol: verb, path, shape.
return {
  name = "responses",
  method = "POST",
  path = "/responses",
  expect = "responses",
  fallback = true,
  dialect = "responses",
}
