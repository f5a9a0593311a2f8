---@meta
-- The types of what goes to the server and of what comes back: params, answers, streams. For editors, as types.lua.

-- Params: they go to the server as they are, and what is not listed here passes through, too

---@class ofox.ChatParams
---@field model string  e.g. "openai/gpt-4o"; "auto" lets the gateway choose
---@field messages ofox.Message[]
---@field stream? boolean  true returns a stream, as client:stream does
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
---@field encoding_format? "float"|"base64"  format in which vectors are sent and returned; absent: tables of numbers
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

---@class ofox.EditImagesParams
---@field model string
---@field prompt string
---@field image ofox.File|ofox.File[]
---@field mask? ofox.File
---@field n? integer
---@field size? string  e.g. "1024x1024"

---@class ofox.TranscribeParams
---@field model string
---@field file ofox.File
---@field language? string
---@field prompt? string
---@field response_format? "json"|"text"|"srt"|"verbose_json"|"vtt"
---@field timestamp_granularities? ("word"|"segment")[]

---@class ofox.VideosParams
---@field model string
---@field prompt? string
---@field provider? ofox.Provider

---@class ofox.ResponsesParams
---@field model string
---@field input string|ofox.ResponsesItem[]
---@field instructions? string
---@field stream? boolean  true returns a stream
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

---@class ofox.RequestParams  the params of client:request; other fields are rejected
---@field path string  below base_url; may have a query
---@field method? string  POST with a body, else GET
---@field body? table|string  a table is sent as JSON, a string unchanged
---@field headers? table<string, ofox.HeaderValue>  over those of the client and the call
---@field query? table<string, ofox.QueryValue|ofox.QueryValue[]>  over those of the client and the call
---@field raw? boolean  the answer is {value = bytes}, or a stream of bytes, whatever its format
---@field stream? boolean  the answer is a stream of events

-- Answers

---@class ofox.Response
--- Returns what is known about the call apart from its answer. For an answer with a field "meta" use ofox.meta(res).
---@field meta fun(self): ofox.Meta

---@class ofox.ChatCompletion: ofox.Response
---@field id string
---@field object string
---@field created integer  seconds since 1970
---@field model string  that answered
---@field choices ofox.Choice[]
---@field usage? ofox.Usage

---@alias ofox.FinishReason "stop"|"length"|"tool_calls"|"content_filter"|string
---@class ofox.Choice
---@field index integer  from 0
---@field message ofox.AnswerMessage
---@field finish_reason? ofox.FinishReason
---@class ofox.AnswerMessage: ofox.Message  may be appended to messages unchanged
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

---@class ofox.Transcript: ofox.Response
---@field text string

---@class ofox.Video: ofox.Response
---@field id string
---@field status "pending"|"queued"|"in_progress"|"completed"|"failed"|"cancelled"|"expired"
---@field mirror_urls? string[]
---@field unsigned_urls? string[]  good for about 24 hours

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
---@field content? string|{type: string, text?: string, annotations?: table[], logprobs?: table[]}[]
---@field status? string
---@field call_id? string  of a function call and of its output
---@field name? string  of a function call
---@field arguments? string  of a function call: JSON
---@field output? string  of a function call's output

---@class ofox.AnyAnswer: ofox.Response  of client:request: the JSON that was received
---@field value? any  the value, if it is not an object or array; with raw its bytes
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
---@field model_requested? string  res.model is the one that answered
---@class ofox.ResponseMeta: ofox.Meta  the argument of on_response
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
---@class ofox.Attempt  one that failed and was retried
---@field type ofox.ErrorType
---@field code? ofox.ErrorCode
---@field status? integer
---@field delay number  seconds waited after it
---@field delay_source ofox.DelaySource
---@field request_id? string
---@field elapsed number  seconds it took
---@field model? string

-- Streams

---@class ofox.Stream
---@overload fun(): table|nil
--- Returns what is known about the call at this point.
---@field meta fun(self): ofox.Meta

---@class ofox.ByteStream
--- Returns what is known about the call at this point.
---@field meta fun(self): ofox.Meta
--- Returns the next piece, nil at the end; nil and an error on failure, if the option errors returns it.
---@field read fun(self): string|nil, ofox.AnyError|nil

---@class ofox.ChatStream: ofox.Stream
---@overload fun(): ofox.ChatChunk|nil
--- Returns the next chunk, nil at the end; nil and an error on failure, if the option errors returns it.
---@field next fun(self): ofox.ChatChunk|nil, ofox.AnyError|nil
--- Iterates over the chunks; a failure is raised. On Lua 5.4 leaving the loop closes the stream.
---@field chunks fun(self): (fun(): ofox.ChatChunk|nil)
--- Calls fn with each chunk until it returns false; closes the stream in any case.
---@field each fun(self, fn: fun(chunk: ofox.ChatChunk): any): nil
--- Reads to the end: returns the answer that the same call would have returned without streaming.
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
---@field sequence_number? integer
---@field part? {type: string, text?: string, annotations?: table[], logprobs?: table[]}
---@field delta? string
---@field text? string
---@field name? string
---@field arguments? string
---@field logprobs? table[]
