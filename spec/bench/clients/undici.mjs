// undici's request() on Node; from npm, in the folder that $BENCH_NODE names.
import { createRequire } from 'node:module';
import { KEY, main } from './driver.mjs';

const { Agent, request } = createRequire(process.env.BENCH_NODE + '/')('undici');

const headers = { 'content-type': 'application/json', accept: 'application/json', authorization: `Bearer ${KEY}` };

const post = ({ base, dispatcher }, path, params) =>
  request(base + path, { method: 'POST', dispatcher, headers, body: JSON.stringify(params) });

async function ask(session, params) {
  const { statusCode, body } = await post(session, '/chat/completions', params);
  return { statusCode, reply: await body.json() };
}

async function stream(session, params, on) {
  const { body } = await post(session, '/chat/completions', params);
  body.setEncoding('utf8');
  let rest = '';
  for await (const piece of body) {
    const lines = (rest + piece).split('\n');
    rest = lines.pop();
    for (const line of lines) {
      if (line.startsWith('data: ') && line !== 'data: [DONE]') on(JSON.parse(line.slice(6)));
    }
  }
}

await main({
  open: (base) => ({ base, dispatcher: new Agent({ headersTimeout: 0, bodyTimeout: 0 }) }),
  chat: async (session, params) => (await ask(session, params)).reply,
  errors: async (session, params) => {
    for (;;) {
      const { statusCode, reply } = await ask(session, params);
      if (statusCode === 200) return reply;
    }
  },
  decimals: async (session, params) => (await (await post(session, '/embeddings', params)).body.json()),
  stream,
});
