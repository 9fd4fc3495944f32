// validate.mjs FOLDER: validates every line that a server wrote, in the transcripts (*.jsonl) of the
// end-to-end tests, against the schema of the revision that applies to it. Prints the errors, then
// one JSON object with the counts; exits with 1 if there were errors.
//
// A transcript contains all `{"host": line}` entries first, then the `{"server": line}` entries.

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { revisions } from './schemas.mjs';

const VERSION = 'io.modelcontextprotocol/protocolVersion';
const NEWEST_WITH_INITIALIZE = '2025-11-25';

/** The messages in a line; none if it is invalid, because a host may write anything. */
function messages(line) {
  try {
    return [JSON.parse(line)].flat().filter((message) => message !== null && typeof message === 'object');
  } catch {
    return [];
  }
}

/** The method and revision of each host request, keyed by the spelling of its id. */
function readRequests(sent, received) {
  const answers = new Map(received.filter(({ result }) => result).map((m) => [JSON.stringify(m.id), m]));
  const requests = new Map();
  let negotiated = NEWEST_WITH_INITIALIZE;
  for (const { id, method, params } of sent) {
    const stateless = params?._meta?.[VERSION];
    const key = JSON.stringify(id);
    if (method === 'initialize' && !stateless) negotiated = answers.get(key)?.result.protocolVersion ?? negotiated;
    // The responses to an id that was used twice are ambiguous.
    requests.set(key, requests.has(key) ? {} : { method, revision: revisions.has(stateless) ? stateless : negotiated });
  }
  return { requests, negotiated };
}

function check(file) {
  const lines = readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line));
  const sent = lines.flatMap(({ host }) => (host === undefined ? [] : messages(host)));
  const written = lines.flatMap(({ server }) => (server === undefined ? [] : [server]));
  const received = written.flatMap((line) => [JSON.parse(line)].flat());
  const { requests, negotiated } = readRequests(sent, received);
  return received.map((message) => {
    const subscribed = message.params?._meta?.['io.modelcontextprotocol/subscriptionId'] !== undefined;
    const { method, revision } = requests.get(JSON.stringify(message.id)) ?? {};
    const name = subscribed ? '2026-07-28' : revision ?? negotiated;
    return { name, message, errors: revisions.get(name).message(message, method) };
  });
}

const [folder] = process.argv.slice(2);
const counts = { transcripts: 0, messages: {}, wrong: 0 };
for (const name of readdirSync(folder).filter((entry) => entry.endsWith('.jsonl'))) {
  ++counts.transcripts;
  for (const { name: revision, message, errors } of check(join(folder, name))) {
    counts.messages[revision] = (counts.messages[revision] ?? 0) + 1;
    if (errors.length === 0) continue;
    ++counts.wrong;
    if (counts.wrong <= 20) console.log(`${name} (${revision}): ${errors.join('; ')}\n  ${JSON.stringify(message).slice(0, 400)}`);
  }
}
console.log(JSON.stringify(counts));
process.exitCode = counts.wrong ? 1 : 0;
