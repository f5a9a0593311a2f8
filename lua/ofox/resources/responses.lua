--- The Responses protocol: verb, path, shape.
return {
  name = "responses",
  method = "POST",
  path = "/responses",
  expect = "output",
  fallback = true,
  dialect = "responses",
}
