// What the clients on Node have in common; the words of the command, and what
// a client is made of, are those of driver.lua.
import { readFileSync } from 'node:fs';

const CANNOT = 77;

const chat = {
  model: 'openai/gpt-4o', temperature: 0.7, max_tokens: 256,
  messages: [
    { role: 'system', content: 'You are a helpful assistant.' },
    { role: 'user', content: 'Summarise the plot of Hamlet in two sentences, please.' },
  ],
};
const streamed = { stream: true, ...chat };
const embeddings = { model: 'text-embedding-3-large', input: ['To be, or not to be', 'that is the question'] };
const decimals = { encoding_format: 'float', ...embeddings };

function expect(isSo, what) {
  if (!isSo) throw new Error(what);
}

const checkReply = (reply) => expect(reply.choices[0].message.content.length >= 50, 'a reply without its text');

function checkVectors(reply) {
  expect(reply.data.length === 2 && reply.data[1].embedding.length === 4096, 'embeddings without their numbers');
}

const inTurn = {
  chat: (client, session) => async () => checkReply(await client.chat(session, chat)),
  errors: (client, session) => async () => checkReply(await client.errors(session, chat)),
  embeddings: (client, session) => async () => checkVectors(await client.embeddings(session, embeddings)),
  decimals: (client, session) => async () => checkVectors(await client.decimals(session, decimals)),
  stream: (client, session, expected) => async () => {
    let events = 0;
    await client.stream(session, streamed, (event) => { if (event.choices[0].delta) events++; });
    expect(events === expected, `${events} came instead of ${expected}`);
  },
  first: (client, session, _, times) => async () => {
    const began = performance.now();
    let isFirst = true;
    await client.stream(session, streamed, () => {
      if (isFirst) times.push((performance.now() - began) / 1000);
      isFirst = false;
    });
  },
};

// Runs a function so many times, so many of them at once.
async function sideBySide(count, side, once) {
  let left = count;
  const worker = async () => { while (left-- > 0) await once(); };
  await Promise.all(Array.from({ length: Math.min(count, side) }, worker));
}

function workOf(client, action, base, side, times) {
  const expected = Number(base.match(/\/(\d+)\/v1$/)?.[1]);
  const session = client.open(base);
  const as = { flight: 'chat', streams: 'stream' }[action] ?? action;
  const once = inTurn[as](client, session, expected, times);
  return (count) => sideBySide(count, action === 'flight' ? side : action === 'streams' ? count : 1, once);
}

const memory = (what) => Number(readFileSync('/proc/self/status', 'utf8').match(new RegExp(`${what}:\\s*(\\d+)`))[1]);

function cpuTime() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

const median = (list) => list.sort((a, b) => a - b)[Math.ceil(list.length / 2) - 1] ?? 0;

export async function main(client) {
  const [action, base, warm, count, side] = process.argv.slice(2);
  if (action === 'load') return;
  const needs = { flight: 'chat', streams: 'stream', first: 'stream' }[action] ?? action;
  if (!client[needs]) process.exit(CANNOT);
  const times = [];
  const work = workOf(client, action, base, Number(side), times);
  const before = memory('VmRSS');
  await work(Number(warm));
  times.length = 0;
  const began = cpuTime();
  await work(Number(count));
  const cpu = cpuTime() - began;
  const rise = Math.max(0, memory('VmHWM') - before);
  console.log(`cpu=${cpu.toFixed(6)} memory=${rise} first=${median(times).toFixed(9)}`);
}

export const KEY = 'sk-bench-0123456789abcdef';
