// OpenAI's own library for Node; from npm, in the folder that $BENCH_NODE names.
import { createRequire } from 'node:module';
import { KEY, main } from './driver.mjs';

const { OpenAI } = createRequire(process.env.BENCH_NODE + '/')('openai');

const ask = (session, params) => session.chat.completions.create(params);
const embed = (session, params) => session.embeddings.create(params);

await main({
  open: (baseURL) => new OpenAI({ apiKey: KEY, baseURL, maxRetries: 3 }),
  chat: ask,
  errors: ask,
  embeddings: embed,
  decimals: embed,
  stream: async (session, params, on) => {
    for await (const event of await ask(session, params)) on(event);
  },
});
