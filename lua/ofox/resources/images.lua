--- Images from text: verb, path, shape. A high-quality image takes two minutes and
-- more.
return {
  name = "images",
  method = "POST",
  path = "/images/generations",
  expect = "data",
  timeout = 180,
}
