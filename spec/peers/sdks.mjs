// What the official clients make of what our simulator answers, for sdks_spec.lua:
//   node sdks.mjs <url> <jobs> <results>
// A job is a line of JSON, {call, params, key}; a result is one, {value} or {error}.
// <url> is that of the simulator, without a path.
import { createRequire } from "node:module";
import fs from "node:fs";

const require = createRequire(new URL("../../build/peers/", import.meta.url));
const { OpenAI, toFile } = require("openai");
const { Anthropic } = require("@anthropic-ai/sdk");
const { GoogleGenAI } = require("@google/genai");

const [url, jobs, results] = process.argv.slice(2);
const KEY = "sk-sim-sdks";

const openai = (key) => new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 });
const anthropic = (key) => new Anthropic({ apiKey: key, baseURL: `${url}/anthropic`, maxRetries: 0 });
const google = (key) => new GoogleGenAI({ apiKey: key, httpOptions: { baseUrl: `${url}/gemini` } });

const file = (name) => toFile(Buffer.from("RIFF"), name);

async function lines(chunks) {
  const all = [];
  for await (const chunk of chunks) all.push(chunk);
  return all;
}

// What a program gathers from Gemini's chunks, which its client does not put together.
async function gathered(chunks) {
  const sum = { text: "", thoughts: "", calls: [], signatures: [] };
  for (const chunk of await lines(chunks)) {
    for (const part of chunk.candidates?.[0]?.content?.parts ?? []) {
      if (part.text !== undefined) sum[part.thought ? "thoughts" : "text"] += part.text;
      if (part.functionCall) sum.calls.push(part.functionCall);
      if (part.thoughtSignature) sum.signatures.push(part.thoughtSignature);
    }
    sum.reason = chunk.candidates?.[0]?.finishReason ?? sum.reason;
    sum.blocked = chunk.promptFeedback?.blockReason ?? sum.blocked;
    sum.usage = chunk.usageMetadata ?? sum.usage;
  }
  return sum;
}

async function* once(value) {
  yield value;
}

const CALLS = {
  chat: (params, key) => openai(key).chat.completions.create(params),
  chat_stream: (params, key) => openai(key).chat.completions.stream(params).finalChatCompletion(),
  responses: (params, key) => openai(key).responses.create(params),
  responses_stream: (params, key) => openai(key).responses.stream(params).finalResponse(),
  embeddings: (params, key) => openai(key).embeddings.create(params),
  models: (_, key) => lines(openai(key).models.list()),
  edit_images: async (params, key) => openai(key).images.edit({ ...params, image: await file("a.png") }),
  transcribe: async (params, key) =>
    openai(key).audio.transcriptions.create({ ...params, file: await file("a.wav") }),
  videos: async (params, key) => {
    const steps = [await openai(key).videos.create(params)];
    while (steps.at(-1).status !== "completed") steps.push(await openai(key).videos.retrieve(steps[0].id));
    const film = await openai(key).videos.downloadContent(steps[0].id);
    const gone = await openai(key).videos.delete(steps[0].id);
    return { steps: steps.map((job) => [job.status, job.progress]), film: (await film.text()).length, gone: gone.deleted };
  },
  messages: (params, key) => anthropic(key).messages.create(params),
  messages_stream: (params, key) => anthropic(key).messages.stream(params).finalMessage(),
  gemini: async (params, key) => gathered(once(await google(key).models.generateContent(params))),
  gemini_stream: async (params, key) => gathered(await google(key).models.generateContentStream(params)),
};

async function result({ call, params, key }) {
  try {
    return { value: await CALLS[call](params, key ?? KEY) };
  } catch (error) {
    return { error: { status: error.status, name: error.constructor.name, message: String(error.message) } };
  }
}

const list = fs.readFileSync(jobs, "utf8").trim().split("\n").map((line) => JSON.parse(line));
const done = await Promise.all(list.map(result));
fs.writeFileSync(results, done.map((one) => JSON.stringify(one)).join("\n") + "\n");
