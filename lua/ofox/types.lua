---@meta ofox
-- The types of ofox for editors: annotations in LuaCATS, as lua-language-server reads them. Nothing here runs, and no
-- part of ofox needs it. What the other files annotate is not repeated. Times are seconds.

---@alias ofox.ErrorType
---| "invalid_request_error" # 400, 405, 413, 415, 422, other 4xx
---| "authentication_error" # 401, 407, no key
---| "billing_error" # 402; 429 when quota or balance is spent
---| "permission_error" # 403
---| "not_found_error" # 404
---| "conflict_error" # 409, retryable
---| "rate_limit_error" # 429, retryable
---| "internal_error" # 500 and other 5xx, retryable
---| "upstream_error" # 502, 520 to 524, retryable
---| "service_unavailable" # 503, 529, retryable
---| "timeout_error" # 408, 504 or a limit of the client's own, retryable
---| "connection_error" # no answer, or half of one, retryable
---| "stream_error" # a stream that broke, retryable
---| "tls_error" # the certificate or the handshake
---| "response_error" # a success that cannot be used, or a redirect
---| "cancelled_error" # cancelled by the program

-- Codes of ofox's own, by the type of their error. Any other code is the server's.
---@alias ofox.ConnectionCode "dns"|"refused"|"reset"|"empty_reply"|"truncated"|"protocol"|"send"|"no_descriptors"
---@alias ofox.TimeoutCode "connect_timeout"|"timeout"|"idle_timeout"|"deadline"
---@alias ofox.StreamCode "truncated"|"reset"|"invalid_json"|"too_large"
---@alias ofox.TLSCode "certificate"|"handshake"
---@alias ofox.ResponseCode "empty"|"html"|"invalid_json"|"encoding"|"too_large"|"redirect"|"not_event_stream"
---@alias ofox.AuthenticationCode "missing_api_key"|"proxy_authentication_required"
---@alias ofox.CancelledCode "cancelled"|"interrupted"
---@alias ofox.PermissionCode "proxy_refused"
---@alias ofox.TransportCode ofox.ConnectionCode|ofox.TimeoutCode|ofox.StreamCode|ofox.TLSCode
---@alias ofox.RefusalCode ofox.AuthenticationCode|ofox.PermissionCode
---@alias ofox.ErrorCode ofox.TransportCode|ofox.ResponseCode|ofox.RefusalCode|ofox.CancelledCode|string

--- Why there was no further attempt.
---@alias ofox.Reason "not_retryable"|"max_retries"|"deadline"|"delay_too_long"|"partial"|"hook"|"server"|"cancelled"

---@alias ofox.ResetSource "x-ratelimit-reset-requests"|"x-ratelimit-reset-tokens"|"x-ratelimit-reset"
---@alias ofox.HeaderSource "retry-after-ms"|"retry-after"|ofox.ResetSource
--- Whose delay it is: the policy's, of a header, of the body, on_retry's; or none, for a dead connection or a fallback.
---@alias ofox.DelaySource "backoff"|ofox.HeaderSource|"body"|"hook"|"immediate"

---@alias ofox.PolicyName "ofox"|"openai"|"aws"
---@alias ofox.Policy ofox.PolicyName|ofox.RetryPolicy
---@alias ofox.ErrorsMode "split"|"return"|"raise"
---@alias ofox.HttpVersion "1.1"|"2"|"2-prior-knowledge"
---@alias ofox.LogLevel "debug"|"info"|"warn"|"error"
---@alias ofox.QueryValue string|number|boolean
--- What is sent; false: nothing. A function is called once per attempt; what it gives is sent, nil and false are not.
---@alias ofox.HeaderValue string|number|false|(fun(attempt: ofox.HeaderAttempt): string|number|false|nil)
---@class ofox.HeaderAttempt  what such a function is told: of a traced or signed request all there is
---@field attempt integer  from 1, over all models
---@field method string
---@field url string
---@field body? string  the bytes that are sent
---@field model? string

-- Options

---@class ofox.SharedOptions  of a client, and of a single call
--- a string, a function that is called once per attempt, or `false` to send none.
--- Default: `$OFOXAI_API_KEY`, then `$OFOX_API_KEY`.
---@field api_key? string|false|(fun(): string|false|nil)
--- seconds for one attempt of a call, connect included; until the headers of a stream. Default: 60 (images 180).
---@field timeout? number
---@field stream_timeout? number  seconds for one attempt of a stream. Default: `300`.
---@field connect_timeout? number  seconds for DNS, TCP and TLS. Default: `10`.
---@field idle_timeout? number  seconds without a byte on a started stream. Default: `60`.
---@field deadline? number  seconds for the whole call, attempts and waits together; never overslept. Default: none.
---@field max_retries? integer  further attempts after the first. Default: `3`.
--- the policy: `"ofox"`, `"openai"`, `"aws"` or a table. Default: `"ofox"`.
---@field retry? ofox.Policy
---@field fallback? string[]  a list of models to try after the one asked for; chat and responses only. Default: none.
--- `"split"` returns permanent errors and raises retryable ones; or `"return"`, `"raise"` for both. Default: `"split"`.
---@field errors? ofox.ErrorsMode
--- added to each request; `false` removes one, a function is called once per attempt. Default: none.
---@field headers? table<string, ofox.HeaderValue>
---@field query? table<string, ofox.QueryValue|ofox.QueryValue[]>  added to the URL of each request. Default: none.
---@field max_event_bytes? integer  the largest event of a stream. Default: 16 MiB.
---@field max_response_bytes? integer  the largest answer, after decompression. Default: 64 MiB.
--- `on_retry(err, delay, attempt, source)` before each wait; `false` stops, a number lengthens. Default: none.
---@field on_retry? (fun(err: ofox.AnyError, delay: number, attempt: integer, source: ofox.DelaySource): any)|false
--- `on_wait(seconds_left, err)`, at most 4 times a second while waiting for a retry. Default: none.
---@field on_wait? (fun(seconds_left: number, err: ofox.AnyError))|false
---@field on_error? (fun(err: ofox.AnyError))|false  `on_error(err)` when a call has failed for good. Default: none.
--- `on_response(meta)` when a call has succeeded. Default: none.
---@field on_response? (fun(meta: ofox.ResponseMeta))|false
--- `logger(level, message, fields)`; `false` is silent. Default: none; `OFOX_LOG=debug` logs to stderr.
---@field logger? (fun(level: ofox.LogLevel, message: string, fields: table<string, any>))|false
---@field proxy? string|false  URL of a proxy; `false` uses none. Default: libcurl's environment variables.
---@field ca_file? string  file of certificates to trust. Default: the system's.
---@field ca_path? string  directory of certificates to trust. Default: the system's.
--- `true`: no warning when a key goes over `http://` to another machine. Default: `false`.
---@field insecure_http? boolean
--- path of a certificate with its key, or `{cert = …, key = …, password = …}`. Default: none.
---@field client_cert? string|{cert: string, key?: string, password?: string}
---@field unix_socket? string  path of a socket to connect to instead of the host. Default: none.

---@class ofox.Options: ofox.SharedOptions  what ofox.new takes
--- where the API lives; a trailing slash is accepted.
--- Default: `$OFOXAI_BASE_URL`, `$OFOX_BASE_URL`, else `https://api.ofox.ai/v1`.
---@field base_url? string
--- sent as `Idempotency-Key`, equal on all attempts; `false` sends none; a string only per call.
--- Default: new per call and model.
---@field idempotency_key? false
---@field max_connections? integer  connections per host. Default: 0, no limit.
---@field verify? boolean  whether the server's certificate is checked. Default: `true`.
---@field http_version? ofox.HttpVersion  `"1.1"`, `"2"` or `"2-prior-knowledge"`. Default: HTTP/2 over TLS, else 1.1.
--- decoder of answers: a function, or a table with `decode`. Default: lua-cjson, or `vim.json` in Neovim.
---@field json? (fun(text: string): any)|{decode: fun(text: string): any}
---@field transport? ofox.Mock|table|userdata  what moves the bytes: see `ofox.mock`. Default: libcurl.

---@class ofox.CallOptions: ofox.SharedOptions  of a single call; what is absent is as the client has it
--- sent as `Idempotency-Key`, equal on all attempts; `false` sends none; a string only per call.
--- Default: new per call and model.
---@field idempotency_key? string|false
---@field cancel? ofox.CancelToken  a token of `ofox.cancel_token()`. Default: none.

-- Params: they go to the server as they are, and what is not listed here passes through, too

---@class ofox.ChatParams
---@field model string  e.g. "openai/gpt-4o"; "auto" lets the gateway choose
---@field messages ofox.Message[]
---@field stream? boolean  true gives a stream, as client:stream does
---@field stream_options? {include_usage?: boolean}
---@field temperature? number  0 to 2
---@field top_p? number  0 to 1
---@field max_tokens? integer  of the answer
---@field max_completion_tokens? integer  of the answer, reasoning included
---@field stop? string|string[]
---@field n? integer  how many choices
---@field seed? integer
---@field frequency_penalty? number  -2 to 2
---@field presence_penalty? number  -2 to 2
---@field response_format? ofox.ResponseFormat
---@field tools? ofox.Tool[]
---@field tool_choice? "none"|"auto"|"required"|{type: "function", function: {name: string}}
---@field parallel_tool_calls? boolean
---@field reasoning? {effort?: ofox.ReasoningEffort, max_tokens?: integer, exclude?: boolean}
---@field reasoning_effort? ofox.ReasoningEffort
---@field modalities? string[]
---@field provider? ofox.Provider
---@field model_routing_config? {models?: string[], preference?: "balanced"|"quality"|"speed"|"cost"}  for "auto"

---@alias ofox.ReasoningEffort "none"|"minimal"|"low"|"medium"|"high"

---@class ofox.Provider  how the gateway routes the request
---@field routing? "priority"|"cost"|"latency"|"balanced"  which node serves the model
---@field fallback? string[]  other models to try; the option fallback sets it
---@field type? string  pins one upstream

---@class ofox.Message
---@field role "system"|"developer"|"user"|"assistant"|"tool"
---@field content? string|ofox.ContentPart[]
---@field name? string
--- of an assistant; res:tool_calls() decodes the arguments
---@field tool_calls? {id: string, type: "function", function: {name: string, arguments: string}}[]
---@field tool_call_id? string  of a tool: which call this is the result of
---@class ofox.ContentPart
---@field type "text"|"image_url"|string
---@field text? string
---@field image_url? {url: string, detail?: "auto"|"low"|"high"}  an address or a data URI
---@class ofox.Tool
---@field type "function"
--- 'description' says what it does and when to call it, 'parameters' is the JSON Schema of its arguments.
---@field function {name: string, description?: string, parameters?: table, strict?: boolean}
---@class ofox.ResponseFormat
---@field type "text"|"json_object"|"json_schema"
---@field json_schema? {name: string, description?: string, schema?: table, strict?: boolean}

---@class ofox.EmbeddingsParams
---@field model string
---@field input string|string[]
---@field encoding_format? "float"|"base64"  as the server is to send it and you get it; absent: tables of numbers
---@field dimensions? integer

---@class ofox.ImagesParams
---@field model string
---@field prompt string
---@field n? integer
---@field size? string  e.g. "1024x1024"
---@field quality? "auto"|"low"|"medium"|"high"|"standard"|"hd"
---@field output_format? "png"|"jpeg"|"webp"
---@field response_format? "url"|"b64_json"
---@field provider? ofox.Provider

---@class ofox.ResponsesParams
---@field model string
---@field input string|ofox.ResponsesItem[]
---@field instructions? string
---@field stream? boolean  true gives a stream
---@field max_output_tokens? integer
---@field temperature? number
---@field top_p? number
---@field tools? table[]  e.g. {type = "function", name = …, parameters = …}
---@field tool_choice? string|table
---@field parallel_tool_calls? boolean
---@field include? string[]
---@field reasoning? {effort?: ofox.ReasoningEffort, summary?: "auto"|"concise"|"detailed"}
---@field text? {format?: table, verbosity?: "low"|"medium"|"high"}
---@field previous_response_id? string
---@field provider? ofox.Provider

---@class ofox.RequestParams  what client:request takes, and no other field
---@field path string  below base_url; may have a query
---@field method? string  POST with a body, else GET
---@field body? table|string  a table is sent as JSON, a string as it is
---@field headers? table<string, ofox.HeaderValue>  over those of the client and the call
---@field query? table<string, ofox.QueryValue|ofox.QueryValue[]>  over those of the client and the call
---@field raw? boolean  the answer is {value = bytes}, whatever it is
---@field stream? boolean  the answer is a stream of events

-- Answers

---@class ofox.Response
--- What is known about the call beside its answer. Of an answer with a field "meta" use ofox.meta(res).
---@field meta fun(self): ofox.Meta

---@class ofox.ChatCompletion: ofox.Response
---@field id string
---@field object string
---@field created integer  seconds since 1970
---@field model string  who answered
---@field choices ofox.Choice[]
---@field usage? ofox.Usage

---@alias ofox.FinishReason "stop"|"length"|"tool_calls"|"content_filter"|string
---@class ofox.Choice
---@field index integer  from 0
---@field message ofox.AnswerMessage
---@field finish_reason? ofox.FinishReason
---@class ofox.AnswerMessage: ofox.Message  may be put into messages again as it is
---@field role "assistant"
---@field content? string
---@field reasoning_content? string
---@field reasoning? string  the same, from other upstreams
---@field reasoning_details? table[]
---@field annotations? table[]
---@class ofox.Usage  can be called as the method res:usage()
---@overload fun(self): ofox.Tokens|nil
---@field prompt_tokens integer
---@field completion_tokens integer
---@field total_tokens integer
---@field prompt_tokens_details? {cached_tokens?: integer, audio_tokens?: integer}
---@field completion_tokens_details? {reasoning_tokens?: integer, audio_tokens?: integer}

---@class ofox.Embeddings: ofox.Response
---@field object string
---@field model string
---@field data {index: integer, object: string, embedding: number[]}[]
---@field usage? {prompt_tokens: integer, total_tokens: integer}

---@class ofox.Images: ofox.Response
---@field created integer  seconds since 1970
---@field data {b64_json?: string, url?: string, revised_prompt?: string}[]
---@field usage? {input_tokens: integer, output_tokens: integer, total_tokens: integer}

---@class ofox.ModelList: ofox.Response
---@field object string
---@field data ofox.Model[]

---@class ofox.Model  prices are strings: USD per token
---@field id string
---@field object string
---@field created? integer  seconds since 1970
---@field owned_by? string
---@field name? string
---@field description? string
---@field context_length? integer  tokens
---@field architecture? {modality?: string, input_modalities?: string[], output_modalities?: string[]}
---@field pricing? table<string, string>
---@field top_provider? {context_length?: integer, max_completion_tokens?: integer, is_moderated?: boolean}
---@field supported_parameters? string[]
---@field supported_endpoints? string[]
---@field is_deprecated? boolean
---@class ofox.ModelAnswer: ofox.Response, ofox.Model

---@class ofox.ResponsesAnswer: ofox.Response
---@field id string
---@field object string
---@field created_at? integer  seconds since 1970
---@field model string
---@field status "completed"|"incomplete"|"in_progress"|"failed"|"cancelled"|"queued"
---@field output ofox.ResponsesItem[]
---@field incomplete_details? {reason?: string}
---@field usage? {input_tokens: integer, output_tokens: integer, total_tokens: integer}

---@class ofox.ResponsesItem  of an input or an output
---@field type? "message"|"reasoning"|"function_call"|"function_call_output"|string
---@field id? string
---@field role? "system"|"developer"|"user"|"assistant"
---@field content? string|{type: string, text?: string, annotations?: table[]}[]
---@field status? string
---@field call_id? string  of a function call and of its output
---@field name? string  of a function call
---@field arguments? string  of a function call: JSON
---@field output? string  of a function call's output

---@class ofox.AnyAnswer: ofox.Response  of client:request: the JSON that came
---@field value? any  what came, if it was no object or array; with raw its bytes
---@field [string] any

---@class ofox.Meta
---@field status? integer
---@field headers? table<string, string>  names in lower case
---@field request_id? string
---@field attempts integer
---@field elapsed number  seconds, waits included
---@field first_byte? number  seconds from the beginning of the call, waits included, to the first byte of its answer
---@field ratelimit? ofox.RateLimit
---@field retries ofox.Attempt[]  the earlier attempts
---@field model_requested? string  res.model says who answered
---@class ofox.ResponseMeta: ofox.Meta  what on_response is given
--- tokens, where the answer said so
---@field usage? {input?: integer, output?: integer, total?: integer, cached?: integer, reasoning?: integer}
---@field closed? true  the program has closed this stream before its end
---@class ofox.RateLimit  what the headers of the answer said
---@field limit_requests? number
---@field remaining_requests? number
---@field reset_requests? number  seconds
---@field limit_tokens? number
---@field remaining_tokens? number
---@field reset_tokens? number  seconds
---@class ofox.Attempt  one that failed and was followed by another
---@field type ofox.ErrorType
---@field code? ofox.ErrorCode
---@field status? integer
---@field delay number  seconds that were waited after it
---@field delay_source ofox.DelaySource
---@field request_id? string
---@field elapsed number  seconds it took
---@field model? string

-- Streams

---@class ofox.Stream
---@overload fun(): table|nil
--- What is known of the call so far, at any time.
---@field meta fun(self): ofox.Meta

---@class ofox.ChatStream: ofox.Stream
---@overload fun(): ofox.ChatChunk|nil
--- The next chunk, nil at the end; nil and an error on failure, as the option errors says.
---@field next fun(self): ofox.ChatChunk|nil, ofox.AnyError|nil
--- Iterates over the chunks; a failure is raised. On Lua 5.4 leaving the loop closes the stream.
---@field chunks fun(self): (fun(): ofox.ChatChunk|nil)
--- Calls fn with each chunk until it returns false; closes the stream, however it ends.
---@field each fun(self, fn: fun(chunk: ofox.ChatChunk): any): nil
--- Reads to the end: the answer that the same call would have given without a stream.
---@field collect fun(self): ofox.ChatCompletion|nil, ofox.AnyError|nil

---@class ofox.ChatChunk
---@field id? string
---@field object? string
---@field created? integer  seconds since 1970
---@field model? string
---@field choices ofox.ChunkChoice[]  empty in the chunk that has the usage
---@field usage? ofox.Usage
---@class ofox.ChunkChoice
---@field index integer  from 0
---@field delta ofox.Delta
---@field finish_reason? ofox.FinishReason
---@class ofox.Delta  what a chunk adds to the message
---@field role? string
---@field content? string
---@field reasoning_content? string
---@field reasoning? string
---@field tool_calls? {index: integer, id?: string, type?: string, function?: {name?: string, arguments?: string}}[]

---@class ofox.ResponsesStream: ofox.Stream  its methods are as those of ofox.ChatStream
---@overload fun(): ofox.ResponsesEvent|nil
---@field next fun(self): ofox.ResponsesEvent|nil, ofox.AnyError|nil
---@field chunks fun(self): (fun(): ofox.ResponsesEvent|nil)
---@field each fun(self, fn: fun(event: ofox.ResponsesEvent): any): nil
---@field collect fun(self): ofox.ResponsesAnswer|nil, ofox.AnyError|nil

---@class ofox.ResponsesEvent
---@field type string  e.g. "response.output_text.delta"
---@field response? ofox.ResponsesAnswer
---@field item? ofox.ResponsesItem
---@field item_id? string
---@field output_index? integer  from 0
---@field content_index? integer  from 0
---@field delta? string
---@field text? string

-- Errors and retries

---@class ofox.Error
---@field hint fun(self, lang?: "en"|"zh"): string  what to do about it; "en" if absent

---@class ofox.AnyError: ofox.Error  an error of any class, its words spelt out
---@field type ofox.ErrorType
---@field code? ofox.ErrorCode
---@field reason? ofox.Reason  why there was no further attempt
---@field ratelimit? ofox.RateLimit
---@field retries? ofox.Attempt[]  the earlier attempts
---@field cause? ofox.AnyError  what a cancelled call was waiting out
---@field partial? ofox.PartialAnswer  what had come of a stream that broke
---@field traceback? string  the stack of the task that it came out of
---@class ofox.PartialAnswer: ofox.Partial
---@field tool_calls {id?: string, name?: string, arguments?: any, arguments_json?: string}[]
---@field finish_reason? ofox.FinishReason
---@field usage? ofox.Usage

---@class ofox.ErrorClass
---@field name string
---@field type ofox.ErrorType
---@field retryable boolean  of its errors, unless code, status or server say otherwise
---@field hint fun(self: ofox.Error, lang?: "en"|"zh"): string

---@class ofox.Errors
--- Is the value an error of ofox, and of that type or class? Safe on any value.
---@field is fun(value: any, class_or_type?: ofox.ErrorClass|ofox.ErrorType): boolean
--- Makes a table with type and message an error of the class that its type names.
---@field new fun(fields: table): ofox.AnyError
--- The same as ofox.parse_error.
---@field parse fun(status: integer, headers?: table, body?: string): ofox.AnyError|nil
---@field InvalidRequestError ofox.ErrorClass
---@field AuthenticationError ofox.ErrorClass
---@field BillingError ofox.ErrorClass
---@field PermissionError ofox.ErrorClass
---@field NotFoundError ofox.ErrorClass
---@field ConflictError ofox.ErrorClass
---@field RateLimitError ofox.ErrorClass
---@field InternalError ofox.ErrorClass
---@field UpstreamError ofox.ErrorClass
---@field ServiceUnavailableError ofox.ErrorClass
---@field TimeoutError ofox.ErrorClass
---@field ConnectionError ofox.ErrorClass
---@field StreamError ofox.ErrorClass
---@field TLSError ofox.ErrorClass
---@field ResponseError ofox.ErrorClass
---@field CancelledError ofox.ErrorClass

---@class ofox.Retry
--- Seconds to wait after an attempt (from 0) has failed, and whose word that is.
---@field delay fun(policy: ofox.Policy|nil, attempt: integer, state?: ofox.RetryState): number, "server"|"backoff"
--- Whether an error is worth another attempt, and when.
---@field plan fun(policy: ofox.Policy|nil, err: any, state?: ofox.RetryPlanState): ofox.RetryPlan
--- Calls fn until it succeeds or there is no sense in another attempt; gives, or raises, what the last one did.
---@field call fun(fn: (fun(): ...), policy?: ofox.PolicyName|ofox.RetryCall): ...

-- The client and the module

---@alias ofox.AnyChat ofox.ChatCompletion|ofox.ChatStream|nil
---@alias ofox.AnyResponses ofox.ResponsesAnswer|ofox.ResponsesStream|nil
---@alias ofox.AnyResult ofox.AnyAnswer|ofox.Stream|nil

---@class ofox.Client
--- POST /chat/completions. With params.stream it gives a stream, as client:stream does.
---@field chat fun(self, params: ofox.ChatParams, opts?: ofox.CallOptions): ofox.AnyChat, ofox.AnyError?
--- POST /chat/completions with stream = true. Returns once there is something to read.
---@field stream fun(self, params: ofox.ChatParams, opts?: ofox.CallOptions): ofox.ChatStream?, ofox.AnyError?
--- POST /embeddings. Vectors travel as base64 and arrive as tables of numbers.
---@field embeddings fun(self, params: ofox.EmbeddingsParams, opts?: ofox.CallOptions): ofox.Embeddings?, ofox.AnyError?
--- POST /images/generations. The timeout is 180 seconds unless given.
---@field images fun(self, params: ofox.ImagesParams, opts?: ofox.CallOptions): ofox.Images?, ofox.AnyError?
--- POST /responses. With params.stream it gives a stream.
---@field responses fun(self, params: ofox.ResponsesParams, opts?: ofox.CallOptions): ofox.AnyResponses, ofox.AnyError?
--- GET /models.
---@field models fun(self, opts?: ofox.CallOptions): ofox.ModelList?, ofox.AnyError?
--- GET /models/{id}, e.g. "openai/gpt-4o".
---@field model fun(self, id: string, opts?: ofox.CallOptions): ofox.ModelAnswer?, ofox.AnyError?
--- Any request below base_url.
---@field request fun(self, params: ofox.RequestParams, opts?: ofox.CallOptions): ofox.AnyResult, ofox.AnyError?
--- Opens a connection and keeps it for the first call.
---@field connect fun(self, opts?: ofox.CallOptions): true?, ofox.AnyError?

-- How a transfer may end: any code of ofox's own but "deadline", which its option brings about.
---@alias ofox.MockTimeout "connect_timeout"|"timeout"|"idle_timeout"
---@alias ofox.MockTransport ofox.ConnectionCode|ofox.MockTimeout|ofox.StreamCode|ofox.TLSCode
---@alias ofox.MockFailure ofox.MockTransport|ofox.ResponseCode|ofox.RefusalCode|ofox.CancelledCode

---@class ofox.MockScript: ofox.MockReply
---@field status? integer  200 unless given
---@field headers? table<string, string|number>
---@field body? string|table  a table is sent as JSON
---@field sse? (table|string|number)[]  a stream instead of a body: its events, and pauses in seconds
---@field delay? number  virtual seconds before it comes
---@field fail? ofox.MockFailure  how the transfer ends, after what else is given

---@class ofox.Mock
--- Queues an answer to one attempt.
---@field reply fun(self, reply: ofox.MockScript|fun(request: table): ofox.MockScript): ofox.Mock
---@field always fun(self, reply: ofox.MockScript|fun(request: table): ofox.MockScript): ofox.Mock

---@class ofox.MapOptions
---@field limit? integer  so many at a time
---@field stop_on_error? boolean  the first failure cancels the rest and is raised
---@field on_result? fun(i: integer, ok: boolean, ...: any): nil  what task:wait() would give follows i

---@class ofox.Module: ofox  what require "ofox" gives
---@field VERSION string
---@field _VERSION string  "ofox " and the version
---@field errors ofox.Errors
---@field retry ofox.Retry
--- Makes a client. Wrong options raise an error that names them.
---@field new fun(options?: ofox.Options): ofox.Client
--- What is known about a call beside its answer; nil for what is no answer.
---@field meta fun(response: any): ofox.Meta|nil
--- Reads an answer that a program got with an HTTP client of its own; nil if it is no failure.
---@field parse_error fun(status: integer, headers?: table, body?: string): ofox.AnyError|nil
--- Runs functions side by side, 'limit' at a time; gives in order what task:wait() would: {ok, …, n = count}. With
--- 'stop_on_error' the first failure cancels the rest and is raised.
---@field all fun(list: (fun(): ...)[], options?: {limit?: integer, stop_on_error?: boolean}): table[]
--- Calls fn(item, i) with each item of a list, side by side, as all does; 'on_result' is called with each result as it
--- comes, one after the other, where map was called: what it raises cancels the rest and is raised.
---@field map fun(list: any[], fn: (fun(item: any, i: integer): ...), options?: ofox.MapOptions): table[]
--- Runs functions side by side; gives what the first gives that neither raises nor returns nil and an error, and
--- cancels the rest. If none does, the last failure is raised.
---@field any fun(list: (fun(): ...)[], options?: {limit?: integer}): ...
--- Has waits outside of tasks done by the program's own event loop; nil: by ofox again. 'wait' returns when
--- ofox.pollfd() is readable or so many seconds have passed (nil: no limit).
---@field use_loop fun(loop: {wait: fun(seconds: number|nil)}|nil): nil
local ofox = {}

return ofox
