---@meta
-- The gateway's other protocols: what is sent and what comes back.

---@class ofox.MessagesParams  other fields go to the server as they are
---@field model string
---@field max_tokens integer
---@field messages {role: "user"|"assistant", content: string|ofox.Block[]}[]
---@field stream? boolean  true returns a stream
---@field system? string|ofox.Block[]
---@field temperature? number  from 0 to 1
---@field top_p? number
---@field top_k? integer
---@field stop_sequences? string[]
---@field tools? table[]  e.g. {name = …, description = …, input_schema = …}
---@field tool_choice? {type: "auto"|"any"|"tool"|"none", name?: string}
---@field thinking? {type: "enabled"|"disabled"|"adaptive", budget_tokens?: integer}
---@field metadata? table
---@field [string] any

---@class ofox.Block  of a message: a text, a thought, a tool's call or its result
---@field type "text"|"thinking"|"redacted_thinking"|"tool_use"|"tool_result"|"image"|string
---@field text? string
---@field thinking? string
---@field signature? string  of a thought
---@field id? string  of a call
---@field name? string  of a call
---@field input? any  of a call: its arguments, decoded
---@field tool_use_id? string  of a result
---@field content? any  of a result
---@field citations? table[]
---@field [string] any

---@class ofox.MessageUsage
---@field input_tokens integer
---@field output_tokens integer
---@field cache_creation_input_tokens? integer
---@field cache_read_input_tokens? integer

---@class ofox.MessageAnswer: ofox.Response
---@field id string
---@field type "message"
---@field role "assistant"
---@field model string
---@field content ofox.Block[]
---@field stop_reason? "end_turn"|"max_tokens"|"stop_sequence"|"tool_use"|"pause_turn"|"refusal"|string
---@field stop_sequence? string
---@field usage? ofox.MessageUsage

---@class ofox.MessageStream: ofox.Stream  its methods are as those of ofox.ChatStream
---@overload fun(): ofox.MessageEvent|nil
---@field next fun(self): ofox.MessageEvent|nil, ofox.AnyError|nil
---@field chunks fun(self): (fun(): ofox.MessageEvent|nil)
---@field each fun(self, fn: fun(event: ofox.MessageEvent): any): nil
---@field collect fun(self): ofox.MessageAnswer|nil, ofox.AnyError|nil

---@class ofox.MessageEvent
---@field type string  e.g. "content_block_delta"
---@field index? integer  of the block, from 0
---@field message? ofox.MessageAnswer
---@field content_block? ofox.Block
---@field delta? {type?: string, text?: string, thinking?: string, partial_json?: string, stop_reason?: string}
---@field usage? table

---@class ofox.GeminiParams  other fields go to the server as they are
---@field model string  goes into the path
---@field contents {role?: "user"|"model", parts: ofox.Part[]}[]
---@field stream? boolean  true returns a stream; goes into the path
---@field systemInstruction? {parts: ofox.Part[]}
---@field generationConfig? table
---@field tools? table[]  e.g. {functionDeclarations = {…}}
---@field toolConfig? table
---@field safetySettings? table[]
---@field [string] any

---@class ofox.Part  of a content
---@field text? string
---@field thought? boolean  the text is one
---@field thoughtSignature? string
---@field functionCall? {id?: string, name: string, args?: table}
---@field functionResponse? {id?: string, name: string, response: table}
---@field inlineData? {mimeType: string, data: string}
---@field [string] any

---@class ofox.GeminiAnswer: ofox.Response  and each event of a stream
---@field candidates? ofox.Candidate[]
---@field promptFeedback? {blockReason?: string, safetyRatings?: table[]}
---@field usageMetadata? {promptTokenCount: integer, candidatesTokenCount?: integer, totalTokenCount?: integer}
---@field modelVersion? string
---@field responseId? string

---@class ofox.Candidate
---@field content {role: string, parts: ofox.Part[]}
---@field index? integer  from 0
---@field finishReason? "STOP"|"MAX_TOKENS"|"SAFETY"|"RECITATION"|string
---@field safetyRatings? table[]
---@field citationMetadata? table
---@field groundingMetadata? table

---@class ofox.GeminiStream: ofox.Stream  its methods are as those of ofox.ChatStream
---@overload fun(): ofox.GeminiAnswer|nil
---@field next fun(self): ofox.GeminiAnswer|nil, ofox.AnyError|nil
---@field chunks fun(self): (fun(): ofox.GeminiAnswer|nil)
---@field each fun(self, fn: fun(event: ofox.GeminiAnswer): any): nil
---@field collect fun(self): ofox.GeminiAnswer|nil, ofox.AnyError|nil
