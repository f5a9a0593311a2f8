--- Hints: what to do about an error. One row per class, more specific
-- ones where a code or a status needs different advice. Data only, except
-- the lookup at the end.
local gateway = require "ofox.base.gateway"
local is_html = require("ofox.base.native")("core").is_html

local hints = {}

--- By type. A number under 'statuses' is an HTTP status, a name under 'codes'
-- a code of the error; 'timed' is for an error that says how long to wait,
-- inserted for its %s. With 'page', base_url is suspected if the error arrived
-- as an HTML page. 'elsewhere' is for servers that are not OfoxAI's.
hints.rows = {
  invalid_request_error = {
    page = true,
    en = "Read the message and fix the request: the parameter name, its value or the shape of the messages. "
      .. "The same request would fail again.",
    zh = "请根据错误信息修改请求：检查参数名、取值以及 messages 的结构。原样重发仍会失败。",
    statuses = {
      [405] = {
        en = "This path does not accept this method: check that base_url is the address of the API "
          .. "(https://api.ofox.ai/v1), not of the website, and that the path is correct.",
        zh = "该路径不支持此方法：请确认 base_url 是 API 地址（https://api.ofox.ai/v1）而不是网站地址，并检查路径。",
        elsewhere = {
          en = "This path does not accept this method: check that base_url is the address of the API, not of a "
            .. "website, and that the path is correct.",
          zh = "该路径不支持此方法：请确认 base_url 是 API 地址而不是网站地址，并检查路径。",
        },
      },
      [413] = {
        en = "The request is too large (the limit is about 32 MB): shorten the messages, or pass images by URL "
          .. "or at a lower resolution.",
        zh = "请求体过大（上限约 32 MB）：请缩短消息，或改用图片 URL，或降低图片分辨率。",
      },
    },
    codes = {
      context_length_exceeded = {
        en = "The messages exceed the model's context window: drop or summarise older ones, lower max_tokens, "
          .. "or choose a model with a larger context.",
        zh = "消息长度超出了模型的上下文窗口：请删减或概括较早的消息，调低 max_tokens，或换用上下文更大的模型。",
      },
      content_filter = {
        en = "A content filter rejected the request: rephrase it. Neither a retry nor a fallback will help.",
        zh = "请求被内容过滤器拒绝：请修改措辞。重试或切换备用模型都无济于事。",
      },
      file_changed = {
        en = "The file was not as it was when the call was made, so the request was not completed. Make the call again "
          .. "when the file no longer changes, or give its bytes: ofox.file{bytes = text}.",
        zh = "文件在调用期间被修改或删除，因此请求没有发送完整。请等文件不再变化后重新调用，或改用 ofox.file{bytes = …} 直接传入内容。",
      },
      file_unreadable = {
        en = "Check that the path is right, that it is a file, and that this process may read it. Nothing was sent.",
        zh = "请检查路径是否正确、是否为普通文件，以及当前进程是否有读取权限。请求尚未发送。",
      },
      endpoint_not_supported = {
        en = "This model is not available at this endpoint: check supported_endpoints in the models list, "
          .. "or choose another model.",
        zh = "该模型不支持此接口：请查看模型列表中的 supported_endpoints，或换用其他模型。",
      },
    },
  },
  authentication_error = {
    page = true,
    en = "Check that the API key is complete, with its sk- prefix, that it has not expired or been disabled, "
      .. "and that the environment variable is loaded in this process.",
    zh = "请检查 API 密钥是否复制完整（含 sk- 前缀）、是否已过期或被停用，并确认当前进程已加载对应的环境变量。",
    elsewhere = {
      en = "Check that the API key belongs to this server and is complete, that it has not expired or been "
        .. "disabled, and that the environment variable is loaded in this process.",
      zh = "请检查 API 密钥是否属于该服务器、是否复制完整、是否已过期或被停用，并确认当前进程已加载对应的环境变量。",
    },
    codes = {
      missing_api_key = {
        en = "No API key was found: set the environment variable OFOXAI_API_KEY, or pass api_key to ofox.new. "
          .. "A variable set in another terminal is not visible here.",
        zh = "未找到 API 密钥：请设置环境变量 OFOXAI_API_KEY，或在 ofox.new 中传入 api_key。"
          .. "在其他终端中设置的变量在此不可见。",
      },
      proxy_authentication_required = {
        en = "The proxy requires a user name and password, or rejected the ones it was given: set them in the proxy "
          .. "option, as http://user:password@host:port, or bypass the proxy with no_proxy.",
        zh = "代理服务器要求身份验证，或拒绝了所给的凭据：请在 proxy 选项中填写正确的用户名和密码（http://user:password@host:port），或用 no_proxy 绕过代理。",
      },
    },
  },
  billing_error = {
    en = "The balance or quota is used up: top up, or raise the spending limit in the console. Waiting and retrying "
      .. "will not help.",
    zh = "余额或配额已用尽：请充值，或在控制台提高消费限额。等待和重试都无济于事。",
  },
  permission_error = {
    page = true,
    en = "The key is valid but lacks permission: check in the console which models and features it may use, "
      .. "whether it has reached its spending limit, and whether the model is available in your region.",
    zh = "密钥有效，但没有执行此操作的权限：请在控制台检查该密钥可用的模型和功能、消费限额是否已到，以及该模型是否在您所在地区提供。",
    codes = {
      proxy_refused = {
        en = "The proxy does not allow this host or port: ask its administrator to allow it, set another one in the "
          .. "proxy option, or bypass it with no_proxy.",
        zh = "代理服务器不允许连接该主机或端口：请联系代理的管理员放行，在 proxy 选项中改用其他代理，或用 no_proxy 绕过代理。",
      },
    },
  },
  not_found_error = {
    page = true,
    en = "The model or resource does not exist: compare the id with the models list (provider/model), "
      .. "and check that base_url ends in /v1.",
    zh = "模型或资源不存在：请对照模型列表核对 id（格式为 provider/model），并确认 base_url 以 /v1 结尾。",
    elsewhere = {
      en = "The model or resource does not exist: compare the id with the server's own list (client:models()), and "
        .. "check the path in base_url.",
      zh = "模型或资源不存在：请对照该服务器自己的模型列表（client:models()）核对 id，并检查 base_url 中的路径。",
    },
    codes = {
      model_not_found = {
        en = "No model has this name: client:models() lists all ids. They have the form provider/model, "
          .. "such as openai/gpt-4o.",
        zh = "没有这个名称的模型：可用 client:models() 列出全部 id，其格式为 provider/model，例如 openai/gpt-4o。",
        elsewhere = {
          en = "This server has no model of this name: client:models() lists its ids.",
          zh = "该服务器没有这个名称的模型：可用 client:models() 列出其全部 id。",
        },
      },
    },
  },
  conflict_error = {
    en = "The request conflicts with another one or with the current state of the resource: read that state again, "
      .. "then resend the request.",
    zh = "请求与另一个请求或资源的当前状态冲突：请重新读取状态，然后再发送一次。",
  },
  rate_limit_error = {
    en = "Too many requests: wait a little, back off exponentially, run fewer calls concurrently, and request a higher "
      .. "quota if this persists. All keys of a team share the limit.",
    zh = "请求过于频繁：请稍候再试，采用指数退避并减少并发；如果持续出现，请申请提高配额。该限额由团队的所有密钥共享。",
    timed = {
      en = "Too many requests: wait %s, run fewer calls concurrently, and request a higher quota if this persists. "
        .. "All keys of a team share the limit.",
      zh = "请求过于频繁：请等待 %s 秒后重试，并减少并发；如果持续出现，请申请提高配额。该限额由团队的所有密钥共享。",
    },
    codes = {
      held = {
        en = "The server has told calls of this account to wait. One that cannot wait that long sends no request: "
          .. "try again after err.retry_after seconds, or raise deadline or retry.max_server_delay.",
        zh = "服务器已要求该账户的调用等待；等不了那么久的调用不会发出请求：请在 err.retry_after 秒后重试，"
          .. "或调大 deadline 或 retry.max_server_delay。",
      },
      paced = {
        en = "The pace of this account leaves no room yet. One whose turn comes after its deadline sends no request: "
          .. "raise deadline, run fewer calls concurrently, or raise the limits in pace.",
        zh = "按该账户的 pace，现在还轮不到；在 deadline 之前轮不到的调用不会发出请求：请调大 deadline、减少并发，"
          .. "或调高 pace 中的限额。",
      },
    },
  },
  internal_error = {
    en = "The gateway failed: try again in a moment. If this persists, send the request id to support.",
    zh = "网关内部出错：请稍后重试；如果持续出现，请把请求 ID 提供给技术支持。",
    statuses = {
      [501] = {
        en = "The server does not support this operation: check the method, the path and base_url.",
        zh = "服务器不支持此操作：请检查请求方法、路径和 base_url。",
      },
      [511] = {
        en = "This network requires you to sign in first: open its login page in a browser.",
        zh = "当前网络要求先登录：请在浏览器中打开其登录页面完成认证。",
      },
    },
  },
  upstream_error = {
    en = "The model's provider failed: list other models in fallback, try again, and check the provider's "
      .. "status page.",
    zh = "模型供应商出错：请用 fallback 指定备用模型，稍后重试，并查看供应商的状态页面。",
  },
  service_unavailable = {
    en = "The service is overloaded or under maintenance: try again later with exponential backoff, or list other "
      .. "models in fallback.",
    zh = "服务过载或正在维护：请稍后采用指数退避重试，或用 fallback 指定备用模型。",
    codes = {
      circuit_open = {
        en = "Too many of the last calls to this model failed, so the breaker sends none for a while: try again after "
          .. "err.retry_after seconds, or list other models in fallback.",
        zh = "最近对该模型的调用失败过多，断路器暂停发送请求：请在 err.retry_after 秒后重试，或用 fallback 指定备用模型。",
      },
    },
  },
  timeout_error = {
    en = "The server timed out: try again, stream the answer, lower max_tokens, or choose a faster model. "
      .. "The first attempt may have been billed.",
    zh = "服务器处理超时：请重试，或改用流式输出、调低 max_tokens、换用更快的模型。首次尝试可能已经计费。",
    codes = {
      connect_timeout = {
        en = "No connection was established in time: check the network, the proxy and the firewall, or raise "
          .. "connect_timeout. From mainland China, https://api.ofox.io/v1 may be easier to reach.",
        zh = "未能及时建立连接：请检查网络、代理和防火墙，或调大 connect_timeout。在中国大陆可以改用 https://api.ofox.io/v1。",
        elsewhere = {
          en = "No connection was established in time: check host and port in base_url, the network, the proxy and the "
            .. "firewall, or raise connect_timeout.",
          zh = "未能及时建立连接：请检查 base_url 中的主机与端口、网络、代理和防火墙，或调大 connect_timeout。",
        },
      },
      timeout = {
        en = "The answer took longer than timeout: raise it (reasoning models need 60 to 170 seconds), or use "
          .. "streaming. The attempt may have been billed.",
        zh = "应答时间超过了 timeout：请调大该值（推理模型通常需要 60 到 170 秒），或改用流式输出。本次请求可能已经计费。",
      },
      idle_timeout = {
        en = "The stream was silent for longer than idle_timeout: raise it for models that think for a long time, or "
          .. "try again; what had arrived is in err.partial.",
        zh = "流式输出的静默时间超过了 idle_timeout：如果模型需要长时间思考，请调大该值，否则请重试；已收到的内容在 err.partial 中。",
      },
      deadline = {
        en = "The deadline for the whole call, attempts and waits included, has passed: raise deadline, or check "
          .. "err.retries to see where the time went.",
        zh = "整个调用（含各次尝试与等待）的时限已到：请调大 deadline，或查看 err.retries 了解时间用在了哪里。",
      },
    },
  },
  connection_error = {
    en = "The connection failed before the answer was complete: try again, and check the network and the proxy. "
      .. "If err.ambiguous is true, the request may have been billed.",
    zh = "连接在收到完整应答之前中断：请重试，并检查网络和代理。如果 err.ambiguous 为 true，该请求可能已经计费。",
    codes = {
      dns = {
        en = "The host name could not be resolved: check base_url for typos, and the network's DNS. From "
          .. "mainland China, https://api.ofox.io/v1 may be easier to reach.",
        zh = "无法解析主机名：请检查 base_url 是否有误以及网络的 DNS 设置。在中国大陆可以改用 https://api.ofox.io/v1。",
        elsewhere = {
          en = "The host name could not be resolved: check base_url for typos, and the network's DNS.",
          zh = "无法解析主机名：请检查 base_url 是否有误以及网络的 DNS 设置。",
        },
      },
      refused = {
        en = "Nothing is listening at that address, or a proxy could not connect: check host and port in base_url "
          .. "and the proxy option, the path of unix_socket, and the firewall.",
        zh = "目标地址没有服务在监听，或代理无法建立连接：请检查 base_url 和 proxy 选项中的主机与端口、unix_socket 的路径，以及防火墙设置。",
      },
      protocol = {
        en = "The other end does not speak HTTP: check the port and the scheme (http or https) in base_url and in the "
          .. "proxy option.",
        zh = "对方不是 HTTP 服务：请检查 base_url 和 proxy 选项中的端口与协议（http 或 https）。",
      },
      no_descriptors = {
        en = "This process cannot open more files or sockets: run fewer calls concurrently (option limit of ofox.all "
          .. "and ofox.map, max_connections of the client), close files it does not need, or raise the limit (ulimit "
          .. "-n).",
        zh = "本进程可打开的文件和套接字已达上限：请减少同时进行的调用（ofox.all 和 ofox.map 的 limit 选项、"
          .. "客户端的 max_connections），关闭不再使用的文件，或提高上限（ulimit -n）。",
      },
      send = {
        en = "The request could not be sent completely: try again; if it is large, reduce it.",
        zh = "请求未能完整发出：请重试；如果请求体较大，请先缩小。",
      },
    },
  },
  stream_error = {
    en = "The stream was interrupted: what had arrived is in err.partial. A new request starts over "
      .. "and is billed again.",
    zh = "流式输出中途中断：已收到的内容在 err.partial 中。重新请求会从头开始，并再次计费。",
    codes = {
      too_large = {
        en = "One event of the stream is larger than max_event_bytes: raise that limit.",
        zh = "流中有一个事件超过了 max_event_bytes：请调大该限制。",
      },
    },
  },
  tls_error = {
    en = "No secure connection could be established: check the system's certificates and clock, and whether a proxy "
      .. "or virus scanner intercepts it.",
    zh = "无法建立安全连接：请检查系统证书和系统时间，并确认中间没有代理或杀毒软件拦截。",
    codes = {
      handshake = {
        en = "The other end may not speak TLS: if the server uses plain HTTP, write http:// in base_url. Otherwise "
          .. "check whether a proxy or virus scanner intercepts the connection.",
        zh = "对方可能不支持 TLS：如果服务器只提供明文 HTTP，请在 base_url 中使用 http://；否则请确认中间没有代理或杀毒软件拦截。",
      },
      certificate = {
        en = "If the message names a file or a client certificate, fix that. Otherwise the server's certificate was "
          .. "not accepted: check the system's clock and certificates; behind a company proxy, set its certificate "
          .. "in ca_file. Do not turn off verify.",
        zh = "如果错误信息提到某个文件或客户端证书，请先更正它。否则是服务器证书未通过验证：请检查系统时间和系统证书；如果处于公司代理之后，请用 ca_file 指定其证书。不要关闭 verify。",
      },
    },
  },
  response_error = {
    en = "The answer is not usable: check that base_url is the address of the API, https://api.ofox.ai/v1, and inspect "
      .. "err.body.",
    zh = "应答无法使用：请确认 base_url 是 API 地址 https://api.ofox.ai/v1，并查看 err.body。",
    elsewhere = {
      en = "The answer is not usable: check that base_url is the address of an API, and inspect err.body.",
      zh = "应答无法使用：请确认 base_url 是 API 地址，并查看 err.body。",
    },
    codes = {
      empty = {
        en = "The answer has no body: check base_url and any proxy between you and the gateway, then try again. "
          .. "The request may have been billed.",
        zh = "应答没有内容：请检查 base_url 以及到网关之间的代理，然后重试。该请求可能已经计费。",
      },
      html = {
        en = "A web page answered instead of the API: base_url probably lacks its /v1, or names the website; "
          .. "it should be https://api.ofox.ai/v1. A network that requires a login also answers like this.",
        zh = "返回的是网页而不是 API 应答：base_url 很可能缺少 /v1，或者填成了网站地址，应为 https://api.ofox.ai/v1。需要登录的网络也会如此返回。",
        elsewhere = {
          en = "A web page answered instead of the API: base_url may name a website (many APIs live below /v1), or a "
            .. "proxy, a firewall or a network that requires a login answered in its place. Inspect err.body.",
          zh = "返回的是网页而不是 API 应答：base_url 可能是网站地址（许多 API 位于 /v1 之下），也可能是代理、防火墙或需要登录的网络代为应答。请查看 err.body。",
        },
        -- base_url is not at fault
        between = {
          en = "A web page answered instead of the API: something in front of it, such as a proxy, a firewall or a "
            .. "network that requires a login, blocked the request. Inspect err.body.",
          zh = "返回的是网页而不是 API 应答：前面的代理、防火墙或需要登录的网络没有放行该请求。请查看 err.body。",
        },
      },
      invalid_json = {
        en = "The answer is not the expected JSON: it may have been truncated or altered in transit; inspect "
          .. "err.body, then try again. The request may have been billed.",
        zh = "应答不是预期的 JSON：可能在传输途中被截断或改动；请查看 err.body 后重试。该请求可能已经计费。",
      },
      encoding = {
        en = "The answer could not be decoded: it may have been altered in transit. The request may have been "
          .. "billed.",
        zh = "应答无法解码：可能在传输途中被改动。该请求可能已经计费。",
      },
      too_large = {
        en = "The answer exceeds the size limit: raise max_response_bytes, or request less.",
        zh = "应答超过了大小限制：请调大 max_response_bytes，或减少请求的内容。",
      },
      redirect = {
        en = "The server redirects, and ofox does not follow redirects, so that the key is not sent elsewhere: "
          .. "set base_url to the final address.",
        zh = "服务器要求跳转。为避免密钥泄露，ofox 不跟随重定向：请把最终地址填入 base_url。",
      },
      not_event_stream = {
        en = "The answer to a stream request is not an event stream: check that base_url and the model "
          .. "support streaming.",
        zh = "流式请求的应答不是事件流：请确认 base_url 和所用模型支持流式输出。",
      },
    },
  },
  cancelled_error = {
    en = "The program itself cancelled this call; nothing needs fixing.",
    zh = "该调用由程序自身取消，无需处理。",
    codes = {
      interrupted = {
        en = "Ctrl-C was pressed while the program waited: let it exit, or catch the error and continue.",
        zh = "等待期间按下了 Ctrl-C：可以让程序退出，也可以捕获该错误后继续运行。",
      },
    },
  },
}

-- Codes of the gateway and other servers that share a row.
hints.same = {
  content_policy_violation = "content_filter",
  input_moderation_failed = "content_filter",
}

-- A used-up quota may be reported with any status.
local SPENT = {
  insufficient_quota = true, insufficient_user_quota = true, insufficient_credits = true, insufficient_balance = true,
}

-- Statuses that a proxy or server also answers with a page when base_url is correct.
local NO_DOUBT = { [407] = true, [413] = true }

-- Returns the row for an answer that was a page. The path is not at fault if it has a
-- version, or if the server asks for credentials.
local function page_row(status, url)
  local row = hints.rows.response_error.codes.html
  if url and (status == 401 or status == 403 or url:find("/v%d")) then return row.between end
  return row
end

local function find(kind, code, status, body, url)
  local row = hints.rows[kind]
  if not row then return nil end
  if code and SPENT[code] then return hints.rows.billing_error end
  if code == "html" and kind == "response_error" then return page_row(status, url) end
  local finer = row.codes and row.codes[hints.same[code] or code]
  if finer then return finer end
  if row.page and not NO_DOUBT[status] and is_html(body) then return page_row(status, url) end
  return row.statuses and row.statuses[status] or row
end

--- Returns the hint for an error, as {en = …, zh = …}.
---@param kind string  the type of the error
---@param code? string
---@param status? integer
---@param body? string  of the answer
---@param url? string  of the request; without one OfoxAI's is assumed
---@return table|nil row  perhaps with 'timed'; nil for an unknown type
function hints.find(kind, code, status, body, url)
  if type(url) ~= "string" then url = nil end
  local row = find(kind, code, status, body, url)
  return row and row.elsewhere and url and not gateway.owns(url) and row.elsewhere or row
end

return hints
