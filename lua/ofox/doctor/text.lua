--- What the doctor says, in English and Chinese: a message for each finding
-- and, where something has to be fixed, the advice. Data, and how its blanks
-- are filled.
local plain = require "ofox.base.log".plain

local text = {}

--- By id. {name} is a placeholder. 'advice' is below the message it belongs to.
text.rows = {
  -- versions
  versions = { en = "ofox {ofox}, {lua}, {curl}", zh = "ofox {ofox}，{lua}，{curl}" },
  own_transport = { en = "a transport of the program's own", zh = "由程序自带的 transport 传输" },
  no_engine = {
    en = "ofox {ofox}, {lua}: {why}", zh = "ofox {ofox}，{lua}：{why}",
    advice = {
      en = "Build the C modules for this Lua (make LUA=…) and check that libcurl is installed.",
      zh = "请为当前 Lua 编译 C 模块（make LUA=…），并确认已安装 libcurl。",
    },
  },
  old_curl = {
    en = "{versions}: this libcurl is too old", zh = "{versions}：libcurl 版本过旧",
    advice = { en = "Install libcurl 7.87 or newer.", zh = "请安装 libcurl 7.87 或更高版本。" },
  },
  no_http2 = {
    en = "{versions}: this libcurl has no HTTP/2", zh = "{versions}：该 libcurl 不支持 HTTP/2",
    advice = {
      en = "It works over HTTP/1.1, with one connection per concurrent call; a libcurl with nghttp2 shares one.",
      zh = "可以使用 HTTP/1.1，但每个并发调用各占一个连接；换用带 nghttp2 的 libcurl 可共用一个连接。",
    },
  },

  -- key
  no_key = { en = "no API key is set", zh = "没有设置 API 密钥" },
  key_off = { en = "api_key = false: no key is sent", zh = "api_key = false：不发送密钥" },
  key_in_headers = {
    en = "the option headers has its own {header}; no key is added", zh = "选项 headers 自带 {header}，不再添加密钥",
  },
  key_no_bearer = {
    en = "the option headers has an authorization that does not begin with Bearer",
    zh = "选项 headers 中的 authorization 不是以 Bearer 开头",
    advice = {
      en = "Pass the bare key as api_key instead; ofox adds Bearer.",
      zh = "请改为用 api_key 传入密钥本身，ofox 会自动加上 Bearer。",
    },
  },
  key_raised = {
    en = "the api_key function failed: {why}", zh = "api_key 函数出错：{why}",
    advice = {
      en = "Let the function return the key as a string, or false for none.",
      zh = "请让该函数以字符串返回密钥，或返回 false 表示不发送。",
    },
  },
  key = { en = "{from}, {length} characters", zh = "{from}，{length} 个字符" },
  key_other = {
    en = "{other} is set to another key and not used", zh = "{other} 设置了另一个密钥，但未使用",
    advice = {
      en = "If that is the right one, unset the other variable.", zh = "如果那才是正确的密钥，请取消另一个变量。",
    },
  },
  quotes = {
    en = "it is in quotes", zh = "带有引号",
    advice = { en = "Remove the quotes.", zh = "请去掉引号。" },
  },
  bearer = {
    en = "it starts with the word Bearer", zh = "以单词 Bearer 开头",
    advice = { en = "Give the bare key; ofox adds Bearer.", zh = "请只填写密钥本身，ofox 会自动加上 Bearer。" },
  },
  assignment = {
    en = "it is a whole NAME=value line", zh = "填入了整行“变量名=值”",
    advice = { en = "Give only what follows the equals sign.", zh = "请只填写等号后面的内容。" },
  },
  line_end = {
    en = "it contains a line break at character {place}", zh = "第 {place} 个字符处有换行",
    advice = { en = "Copy the key again, on one line.", zh = "请重新复制密钥，保持在一行内。" },
  },
  blanks = {
    en = "it contains a space at character {place}", zh = "第 {place} 个字符是空格",
    advice = { en = "Copy the key again, without spaces.", zh = "请重新复制密钥，不要带空格。" },
  },
  odd_bytes = {
    en = "it contains a character that no key has: {character} at character {place}",
    zh = "第 {place} 个字符 {character} 不会出现在密钥中",
    advice = {
      en = "Copy the key again from the console; a word processor may have changed it.",
      zh = "请从控制台重新复制密钥，文字处理软件可能改动了它。",
    },
  },
  empty = {
    en = "it is empty", zh = "内容为空",
    advice = { en = "Set the key.", zh = "请填入密钥。" },
  },
  stand_in = {
    en = "it looks like a placeholder from an example", zh = "看起来是示例中的占位符",
    advice = { en = "Replace it with your own key from the console.", zh = "请换成您在控制台创建的密钥。" },
  },
  token = {
    en = "it looks like a login token, which is not an API key", zh = "看起来是登录令牌，而不是 API 密钥",
    advice = { en = "Create an API key in the console.", zh = "请在控制台创建 API 密钥。" },
  },
  foreign = {
    en = "it looks like a key of another provider", zh = "看起来是其他供应商的密钥",
    advice = { en = "Create a key in the OfoxAI console.", zh = "请在 OfoxAI 控制台创建密钥。" },
  },
  prefix = {
    en = "it does not begin with sk-", zh = "不是以 sk- 开头",
    advice = {
      en = "OfoxAI keys do: check that it was copied completely.", zh = "OfoxAI 的密钥以 sk- 开头：请确认复制完整。",
    },
  },
  short = {
    en = "it is short", zh = "长度偏短",
    advice = { en = "Check that the key was copied completely.", zh = "请确认密钥复制完整。" },
  },
  around = {
    en = "white space around it is ignored", zh = "首尾的空白已忽略",
    advice = {
      en = "Remove the white space anyway: other programs may send it.",
      zh = "仍建议去掉空白：其他程序可能会原样发送。",
    },
  },

  -- base_url
  base_url = { en = "{url}, {from}", zh = "{url}，{from}" },
  base_url_other = {
    en = "{other} is set to another URL and not used", zh = "{other} 设置了另一个地址，但未使用",
    advice = {
      en = "If that is the right one, unset the other variable.", zh = "如果那才是正确的地址，请取消另一个变量。",
    },
  },
  base_url_refused = {
    en = "{from}: {why}", zh = "{from}：{why}",
    advice = {
      en = "Write it like https://api.ofox.ai/v1, without quotes, spaces, query or anything after it.",
      zh = "请写成 https://api.ofox.ai/v1 的形式，不带引号、空格、查询参数或其他内容。",
    },
  },
  no_version = { en = "its /v1 seems to be missing", zh = "似乎缺少 /v1" },
  endpoint = { en = "it names an endpoint, which ofox appends itself", zh = "包含了接口路径，而 ofox 会自行添加" },
  website = { en = "it is the website, not the API", zh = "这是网站地址，不是 API 地址" },
  protocol = { en = "it is the address of another protocol", zh = "这是另一种协议的地址" },
  doubled = { en = "it contains /v1 twice", zh = "/v1 出现了两次" },
  trailing = { en = "it ends with punctuation", zh = "末尾有多余的标点" },
  plain_http = {
    en = "http:// sends the key and all texts unencrypted", zh = "http:// 会以明文发送密钥和全部内容",
    advice = {
      en = "Use https:// unless you control the whole network.", zh = "除非网络完全由您掌控，否则请使用 https://。",
    },
  },
  port = {
    en = "scheme and port do not match: http:// is 80, https:// is 443",
    zh = "协议与端口不符：http:// 对应 80，https:// 对应 443",
    advice = { en = "Remove the port.", zh = "请去掉端口号。" },
  },
  write_url = { en = "Set {from} to {better}.", zh = "请把 {from} 设为 {better}。" },

  -- proxy
  no_proxy = { en = "none", zh = "无" },
  proxy_off = { en = "none, because of proxy = false", zh = "无（proxy = false）" },
  proxy = { en = "{proxy}, from {from}", zh = "{proxy}，来自 {from}" },
  proxy_loopback = {
    en = "{proxy}, from {from}, is also used for {host}, which is this machine",
    zh = "{proxy}（来自 {from}）也会用于发往本机 {host} 的请求",
    advice = {
      en = "Add {host} to no_proxy, or set the option proxy to false.",
      zh = "请把 {host} 加入 no_proxy，或将 proxy 选项设为 false。",
    },
  },
  proxy_around = { en = "not used for {host}, because of {exception}", zh = "{exception} 规定 {host} 不使用代理" },
  proxy_unused = {
    en = "none: libcurl does not read HTTP_PROXY", zh = "无：libcurl 不读取 HTTP_PROXY",
    advice = {
      en = "If a proxy is wanted for http://, set http_proxy, in lower case.",
      zh = "如果 http:// 需要代理，请设置小写的 http_proxy。",
    },
  },

  -- name, connection, tls
  name = { en = "{host} was resolved", zh = "已解析 {host}" },
  name_numeric = { en = "{host} is an address: there is no name to look up", zh = "{host} 是 IP 地址，无需解析" },
  name_of_proxy = { en = "the proxy resolves {host}", zh = "由代理解析 {host}" },
  name_socket = { en = "the option unix_socket is used", zh = "使用选项 unix_socket" },
  connection = { en = "{host} answers on port {port}", zh = "{host} 的 {port} 端口可以连接" },
  connection_proxy = { en = "the proxy connects to {host}", zh = "可以通过代理连接 {host}" },
  connection_socket = { en = "the socket answers", zh = "socket 可以连接" },
  tls = { en = "the certificate of {host} is accepted", zh = "{host} 的证书有效" },
  tls_unverified = {
    en = "verify = false: any server can impersonate {host}", zh = "verify = false：任何服务器都可以冒充 {host}",
    advice = {
      en = "Leave verify on; set ca_file to trust a company's own certificate authority.",
      zh = "请保持 verify 开启；如需信任公司自有的 CA，请用 ca_file 指定。",
    },
  },
  tls_none = { en = "http:// has no TLS", zh = "http:// 不使用 TLS" },
  tls_clock = { en = "{why} (this machine's clock says {now})", zh = "{why}（本机时间为 {now}）" },
  failed = { en = "{why}", zh = "{why}" },
  unknown = { en = "not known: no connection was established", zh = "未知：未能建立连接" },
  not_reached = { en = "the server was not reached", zh = "未能连接服务器" },
  not_tried = { en = "not tried: {what} has to be fixed first", zh = "未检查：请先解决 {what} 的问题" },

  -- models
  models = { en = "{count} at {url}", zh = "{url} 共有 {count} 个模型" },
  models_none = {
    en = "the list at {url} is empty", zh = "{url} 的模型列表为空",
    advice = { en = "Check in the console which models this key may use.", zh = "请在控制台查看该密钥可用的模型。" },
  },
  models_odd = { en = "{url} answers, but not with a list of models", zh = "{url} 有应答，但不是模型列表" },
  models_failed = { en = "{url}: {why}", zh = "{url}：{why}" },
  https_port = {
    en = "{url}: the port requires https", zh = "{url}：该端口要求使用 https",
    advice = { en = "Use https:// in base_url.", zh = "请在 base_url 中使用 https://。" },
  },
  url_works = {
    en = "Set base_url to {better} ({from}): it serves the list of models.",
    zh = "请把 base_url 设为 {better}（{from}）：该地址提供模型列表。",
  },
  odd_answer = {
    en = "Check that base_url is the address of the API, https://api.ofox.ai/v1.",
    zh = "请确认 base_url 是 API 地址 https://api.ofox.ai/v1。",
  },

  -- key_accepted
  accepted = {
    en = "the server accepts the key (an empty request was rejected as incomplete, and cost nothing)",
    zh = "服务器接受该密钥（空请求因缺少内容被拒绝，不产生费用）",
  },
  accepted_at = {
    en = "the server accepts the key at {url} (an empty request was rejected as incomplete, and cost nothing)",
    zh = "服务器在 {url} 接受该密钥（空请求因缺少内容被拒绝，不产生费用）",
  },
  answered = {
    en = "the server accepts the key (it answered even an empty request)",
    zh = "服务器接受该密钥（连空请求也得到了应答）",
  },
  not_told = {
    en = "not known: an empty request is rejected the same way with and without a key ({why})",
    zh = "未知：无论是否带密钥，空请求都同样被拒绝（{why}）",
  },
  not_asked = { en = "there is no key to try", zh = "没有可供检查的密钥" },
  untold = {
    en = "not known: {why}", zh = "未知：{why}",
  },
  no_chat = {
    en = "{url}/chat/completions does not exist: {why}", zh = "{url}/chat/completions 不存在：{why}",
  },
  login_token = {
    en = "This is a login token: create an API key in the console.", zh = "这是登录令牌：请在控制台创建 API 密钥。",
  },

  -- clock
  clock = { en = "within {skew} of the server's", zh = "与服务器时间相差不超过 {skew}" },
  clock_ahead = { en = "{skew} ahead of the server's", zh = "比服务器时间快 {skew}" },
  clock_behind = { en = "{skew} behind the server's", zh = "比服务器时间慢 {skew}" },
  clock_unknown = { en = "no answer had a date to compare with", zh = "没有可供比较的应答日期" },
  set_clock = {
    en = "Set this machine's clock (NTP): certificates, log times and headers depend on it.",
    zh = "请校准本机时间（NTP）：证书、日志时间以及应答头中的日期都依赖于它。",
  },

  -- where a value is from
  from_option = { en = "the option {name}", zh = "选项 {name}" },
  from_function = { en = "the {name} function", zh = "{name} 函数" },
  from_default = { en = "the default", zh = "默认值" },
  colon = { en = ": ", zh = "：" },
  comma = { en = ", ", zh = "，" },
}

local function fill(sentence, values)
  return plain((sentence:gsub("{(%w+)}", function(name) return values[name] and tostring(values[name]) end)))
end

--- A message in a language, on one line.
---@param lang "en"|"zh"
---@param id string
---@param values? table<string, any>
---@return string
function text.message(lang, id, values)
  return fill(text.rows[id][lang], values or {})
end

--- The advice that belongs to a message.
---@param lang "en"|"zh"
---@param id string
---@param values? table<string, any>
---@return string|nil
function text.advice(lang, id, values)
  local advice = text.rows[id].advice
  return advice and fill(advice[lang], values or {}) or nil
end

return text
