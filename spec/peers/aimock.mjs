// A server by others that speaks OpenAI's, Anthropic's and Gemini's protocols, for
// aimock_spec.lua:
//   node aimock.mjs <port> <key>
// It takes requests with that key only. It connects to that port of 127.0.0.1, says its
// own URL there in a line, and ends when that connection does. What it answers it is told
// at /__aimock of that URL.
import { createRequire } from "node:module";
import net from "node:net";

const require = createRequire(new URL("../../build/peers/", import.meta.url));
const { LLMock } = require("@copilotkit/aimock");

const [port, key] = process.argv.slice(2);
const server = await LLMock.create({ host: "127.0.0.1", port: 0, chunkSize: 5, auth: { apiKeys: [key] } });
const parent = net.connect(Number(port), "127.0.0.1", () => parent.write(`${server.url}\n`));
parent.on("error", () => process.exit(1));
parent.on("close", () => process.exit(0));
parent.resume();
