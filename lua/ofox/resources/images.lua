--- Images from text: verb, path, shape. An image in high quality takes two
-- minutes and more.
return {
  name = "images",
  method = "POST",
  path = "/images/generations",
  expect = "data",
  timeout = 180,
}
