---@meta ofox
-- The types of ofox for editors: annotations in LuaCATS, as lua-language-server reads them. Nothing here runs, and no
-- part of ofox needs it. What the other files annotate is not repeated; what goes to the server and comes from it is in
-- types/wire.lua. Times are seconds.

---@alias ofox.ErrorType
---| "invalid_request_error" # 400, 405, 413, 415, 422, other 4xx
---| "authentication_error" # 401, 407, no key
---| "billing_error" # 402; 429 when quota or balance is spent
---| "permission_error" # 403, a proxy's rules
---| "not_found_error" # 404
---| "conflict_error" # 409, retryable
---| "rate_limit_error" # 429, retryable
---| "internal_error" # 500 and other 5xx, retryable except 501, 505 and 511
---| "upstream_error" # 502, 520 to 524, retryable
---| "service_unavailable" # 503, 529, retryable
---| "timeout_error" # 408, 504 or a limit of the client, retryable
---| "connection_error" # no answer, or an incomplete one, retryable
---| "stream_error" # a stream that failed, retryable
---| "tls_error" # the certificate or the handshake
---| "response_error" # a success that is unusable, or a redirect
---| "cancelled_error" # cancelled by the program, or Ctrl-C

-- Codes of ofox's own, by the type of their error. Any other code is the server's.
---@alias ofox.ConnectionCode "dns"|"refused"|"reset"|"empty_reply"|"truncated"|"protocol"|"send"|"no_descriptors"
---@alias ofox.TimeoutCode "connect_timeout"|"timeout"|"idle_timeout"|"deadline"
---@alias ofox.StreamCode "truncated"|"reset"|"invalid_json"|"too_large"
---@alias ofox.TLSCode "certificate"|"handshake"
---@alias ofox.ResponseCode "empty"|"html"|"invalid_json"|"encoding"|"too_large"|"redirect"|"not_event_stream"
---@alias ofox.AuthenticationCode "missing_api_key"|"proxy_authentication_required"
---@alias ofox.CancelledCode "cancelled"|"interrupted"
---@alias ofox.PermissionCode "proxy_refused"
---@alias ofox.RateLimitCode "held"|"paced"
---@alias ofox.TransportCode ofox.ConnectionCode|ofox.TimeoutCode|ofox.StreamCode|ofox.TLSCode
---@alias ofox.RefusalCode ofox.AuthenticationCode|ofox.PermissionCode|ofox.RateLimitCode
---@alias ofox.ErrorCode ofox.TransportCode|ofox.ResponseCode|ofox.RefusalCode|ofox.CancelledCode|string

--- Why there was no retry.
---@alias ofox.Reason "not_retryable"|"max_retries"|"deadline"|"delay_too_long"|"partial"|"hook"|"server"|"cancelled"

---@alias ofox.ResetSource "x-ratelimit-reset-requests"|"x-ratelimit-reset-tokens"|"x-ratelimit-reset"
---@alias ofox.HeaderSource "retry-after-ms"|"retry-after"|ofox.ResetSource
--- Where the delay comes from: the policy, a header, the body, on_retry; or none, for a dead connection or a fallback.
---@alias ofox.DelaySource "backoff"|ofox.HeaderSource|"body"|"hook"|"immediate"

---@alias ofox.PolicyName "ofox"|"openai"|"aws"
---@alias ofox.Policy ofox.PolicyName|ofox.RetryPolicy
---@alias ofox.ErrorsMode "split"|"return"|"raise"
---@alias ofox.HttpVersion "1.1"|"2"|"2-prior-knowledge"
---@alias ofox.LogLevel "debug"|"info"|"warn"|"error"
---@alias ofox.QueryValue string|number|boolean
--- What is sent; false: nothing. A function is called once per attempt; its result is sent, unless it is nil or false.
---@alias ofox.HeaderValue string|number|false|(fun(attempt: ofox.HeaderAttempt): string|number|false|nil)
---@class ofox.HeaderAttempt  the argument of such a function: everything needed to trace or sign the request
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
--- whether an answer that says when to come back says it to all calls of the account. Default: `true`.
---@field hold? boolean
--- `"split"` returns permanent errors and raises retryable ones; or `"return"`, `"raise"` for both. Default: `"split"`.
---@field errors? ofox.ErrorsMode
--- added to each request; `false` removes one, a function is called once per attempt. Default: none.
---@field headers? table<string, ofox.HeaderValue>
---@field query? table<string, ofox.QueryValue|ofox.QueryValue[]>  added to the URL of each request. Default: none.
---@field max_event_bytes? integer  the largest event of a stream. Default: 16 MiB.
---@field max_response_bytes? integer  the largest answer, after decompression. Default: 64 MiB.
--- `on_retry(err, delay, attempt, source)` before each wait; `false` stops, a number lengthens. Default: none.
---@field on_retry? (fun(err: ofox.AnyError, delay: number, attempt: integer, source: ofox.DelaySource): any)|false
--- `on_wait(seconds_left, err)`, at most 4 times a second while waiting.
--- Default: none.
---@field on_wait? (fun(seconds_left: number, err: ofox.AnyError|nil))|false
---@field on_error? (fun(err: ofox.AnyError))|false  `on_error(err)` when a call has failed for good. Default: none.
--- `on_response(meta)` when a call has succeeded: `meta.usage` where the answer had one, `meta.closed = true` for a
--- stream that the program closed early. Default: none.
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
--- `true`: as fast as the answers say; or `{rpm, tpm, burst, concurrent}`. Default: `false`.
---@field pace? boolean|{rpm?: number, tpm?: number, burst?: integer, concurrent?: integer}
--- by which processes share `hold` and `pace`: of `ofox.store.redis` or `ofox.store.ngx`.
--- Default: none: this Lua state alone.
---@field store? ofox.Store|false
---@field max_connections? integer  connections per host. Default: 0, no limit.
---@field verify? boolean  whether the server's certificate is checked. Default: `true`.
---@field http_version? ofox.HttpVersion  `"1.1"`, `"2"` or `"2-prior-knowledge"`. Default: HTTP/2 over TLS, else 1.1.
--- decoder of answers: `"cjson"` (lua-cjson), a function, or a table with `decode`. Default: the core's own.
---@field json? "cjson"|(fun(text: string): any)|{decode: fun(text: string): any}
---@field transport? ofox.Mock|table|userdata  what moves the bytes: see `ofox.mock`. Default: libcurl.

---@class ofox.CallOptions: ofox.SharedOptions  of a single call; absent options are those of the client
--- sent as `Idempotency-Key`, equal on all attempts; `false` sends none; a string only per call.
--- Default: new per call and model.
---@field idempotency_key? string|false
---@field cancel? ofox.CancelToken  a token of `ofox.cancel_token()`. Default: none.

-- Errors and retries

---@class ofox.Error
---@field hint fun(self, lang?: "en"|"zh"): string  what to do about it; "en" if absent

---@class ofox.AnyError: ofox.Error  an error of any class, with its string values enumerated
---@field type ofox.ErrorType
---@field code? ofox.ErrorCode
---@field reason? ofox.Reason  why there was no retry
---@field ratelimit? ofox.RateLimit
---@field retries? ofox.Attempt[]  the earlier attempts
---@field cause? ofox.AnyError  the failure that a cancelled call was waiting to retry
---@field partial? ofox.PartialAnswer  what had arrived of a stream that failed
---@field traceback? string  the stack of the task that raised it
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
--- Turns a table with type and message into an error of the class that its type names.
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
--- Returns the seconds to wait after an attempt (from 0) has failed, and their source.
---@field delay fun(policy: ofox.Policy|nil, attempt: integer, state?: ofox.RetryState): number, "server"|"backoff"
--- Decides whether to retry after an error, and when.
---@field plan fun(policy: ofox.Policy|nil, err: any, state?: ofox.RetryPlanState): ofox.RetryPlan
--- Calls fn until it succeeds or a retry makes no sense; returns, or raises, the outcome of the last attempt.
---@field call fun(fn: (fun(): ...), policy?: ofox.PolicyName|ofox.RetryCall): ...

-- The client and the module

---@alias ofox.AnyChat ofox.ChatCompletion|ofox.ChatStream|nil
---@alias ofox.AnyResponses ofox.ResponsesAnswer|ofox.ResponsesStream|nil
---@alias ofox.AnyResult ofox.AnyAnswer|ofox.Stream|nil

---@class ofox.Stats  what a client has done
---@field calls integer  that have begun
---@field attempts integer
---@field succeeded integer
---@field failed integer
---@field retries integer
---@field in_flight integer  calls under way that do not wait
---@field waiting integer
---@field errors table<ofox.ErrorType, integer>  of calls that failed
---@field attempt_errors table<ofox.ErrorType, integer>
---@field models table<string, ofox.ModelStats>  by id
---@field tokens ofox.TokenStats
---@field bytes {sent: integer, received: integer}
---@field latency ofox.Histogram
---@field first_byte ofox.Histogram
---@field waits ofox.Histogram
---@field error_rate {["1m"]: number, ["5m"]: number, ["15m"]: number}  0 to 1

---@class ofox.ModelStats
---@field calls integer
---@field failed integer
---@field tokens ofox.TokenStats

---@class ofox.TokenStats
---@field input integer  including cached ones
---@field output integer  including reasoning
---@field cached integer
---@field reasoning integer

---@class ofox.Histogram
---@field count integer
---@field sum number  seconds, as all of them
---@field p50 number
---@field p90 number
---@field p99 number
---@field max number
---@field buckets {le: number, count: integer}[]

---@class ofox.Client
--- POST /chat/completions. With params.stream it returns a stream, as client:stream does.
---@field chat fun(self, params: ofox.ChatParams, opts?: ofox.CallOptions): ofox.AnyChat, ofox.AnyError?
--- POST /chat/completions with stream = true. Returns once there is something to read.
---@field stream fun(self, params: ofox.ChatParams, opts?: ofox.CallOptions): ofox.ChatStream?, ofox.AnyError?
--- POST /embeddings. Vectors are sent as base64 and decoded to tables of numbers.
---@field embeddings fun(self, params: ofox.EmbeddingsParams, opts?: ofox.CallOptions): ofox.Embeddings?, ofox.AnyError?
--- POST /images/generations. The timeout is 180 seconds unless given.
---@field images fun(self, params: ofox.ImagesParams, opts?: ofox.CallOptions): ofox.Images?, ofox.AnyError?
--- POST /responses. With params.stream it returns a stream.
---@field responses fun(self, params: ofox.ResponsesParams, opts?: ofox.CallOptions): ofox.AnyResponses, ofox.AnyError?
--- GET /models.
---@field models fun(self, opts?: ofox.CallOptions): ofox.ModelList?, ofox.AnyError?
--- GET /models/{id}, e.g. "openai/gpt-4o".
---@field model fun(self, id: string, opts?: ofox.CallOptions): ofox.ModelAnswer?, ofox.AnyError?
--- Any request below base_url.
---@field request fun(self, params: ofox.RequestParams, opts?: ofox.CallOptions): ofox.AnyResult, ofox.AnyError?
--- Opens a connection and keeps it for the first call.
---@field connect fun(self, opts?: ofox.CallOptions): true?, ofox.AnyError?
--- What the client has done since it was created, in numbers.
---@field stats fun(self): ofox.Stats

-- How a transfer may end: any code of ofox's own but "deadline", which its option brings about.
---@alias ofox.MockTimeout "connect_timeout"|"timeout"|"idle_timeout"
---@alias ofox.MockTransport ofox.ConnectionCode|ofox.MockTimeout|ofox.StreamCode|ofox.TLSCode
---@alias ofox.MockFailure ofox.MockTransport|ofox.ResponseCode|ofox.RefusalCode|ofox.CancelledCode

---@class ofox.MockScript: ofox.MockReply
---@field status? integer  200 unless given
---@field headers? table<string, string|number>
---@field body? string|table  a table is sent as JSON
---@field sse? (table|string|number)[]  a stream instead of a body: its events, and pauses in seconds
---@field delay? number  virtual seconds before it arrives
---@field fail? ofox.MockFailure  how the transfer ends, after the other fields

---@class ofox.Mock
--- Queues an answer to one attempt.
---@field reply fun(self, reply: ofox.MockScript|fun(request: table): ofox.MockScript): ofox.Mock
--- Answers every attempt for which no reply is queued.
---@field always fun(self, reply: ofox.MockScript|fun(request: table): ofox.MockScript): ofox.Mock

---@class ofox.MapOptions
---@field limit? integer  how many run at a time
---@field stop_on_error? boolean  the first failure cancels the rest and is raised
---@field on_result? fun(i: integer, ok: boolean, ...: any): nil  i is followed by the results of task:wait()

---@class ofox.RedisOptions
--- `redis://[user:password@]host[:port][/database]`, `rediss://…`, or `unix://[user:password@]/path[?db=database]`
---@field url string
---@field prefix? string  of its keys; `ofox:` unless given
---@field timeout? number  seconds in which it has to answer, at most 1; 0.1 unless given
---@field ca_file? string  file of certificates to trust; the system's unless given

---@class ofox.Stores
--- A server of Redis, for any number of machines.
---@field redis fun(options: ofox.RedisOptions): ofox.Store
--- A dictionary of nginx, `ngx.shared.NAME`, for the workers of one nginx; 'prefix' is that of its keys.
---@field ngx fun(dict: table, prefix?: string): ofox.Store

---@class ofox.Module: ofox  what require "ofox" returns
---@field VERSION string
---@field _VERSION string  "ofox " and the version
---@field errors ofox.Errors
---@field retry ofox.Retry
---@field store ofox.Stores
--- Creates a client. Invalid options raise an error that names them.
---@field new fun(options?: ofox.Options): ofox.Client
--- Returns what is known about a call apart from its answer; nil for values that are not answers.
---@field meta fun(response: any): ofox.Meta|nil
--- Parses an answer that a program received with another HTTP client; nil if it is not a failure.
---@field parse_error fun(status: integer, headers?: table, body?: string): ofox.AnyError|nil
--- Runs functions concurrently, 'limit' at a time; returns in order what task:wait() returns: {ok, …, n = count}. With
--- 'stop_on_error' the first failure cancels the rest and is raised.
---@field all fun(list: (fun(): ...)[], options?: {limit?: integer, stop_on_error?: boolean}): table[]
--- Calls fn(item, i) with each item of a list, concurrently, like all; 'on_result' is called with each result as it
--- arrives, one after the other, in the caller of map: what it raises cancels the rest and is raised.
---@field map fun(list: any[], fn: (fun(item: any, i: integer): ...), options?: ofox.MapOptions): table[]
--- Runs functions concurrently; returns the results of the first that neither raises nor returns nil and an error, and
--- cancels the rest. If none does, the last failure is raised.
---@field any fun(list: (fun(): ...)[], options?: {limit?: integer}): ...
--- Makes waits outside of tasks run the program's own event loop; nil restores ofox's own. 'wait' returns when
--- ofox.pollfd() is readable or so many seconds have passed (nil: no limit).
---@field use_loop fun(loop: {wait: fun(seconds: number|nil)}|nil): nil
local ofox = {}

return ofox
