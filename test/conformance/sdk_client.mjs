// sdk_client.mjs old|legacy|auto|modern COMMAND: an official TypeScript SDK client (the old package,
// or the new one in an era mode) lists the tools of the server started by COMMAND, calls one, cancels
// one and watches the progress of one. Prints its observations as one JSON object.

const [kind, command] = process.argv.slice(2);
const old = kind === 'old';
const [{ Client }, { StdioClientTransport }] = await Promise.all(
  old
    ? [import('@modelcontextprotocol/sdk/client/index.js'), import('@modelcontextprotocol/sdk/client/stdio.js')]
    : [import('@modelcontextprotocol/client'), import('@modelcontextprotocol/client/stdio')],
);
const mode = kind === 'modern' ? { pin: '2026-07-28' } : kind;
const client = new Client({ name: 'sdk-client', version: '1' }, old ? {} : { versionNegotiation: { mode } });

function call(name, args, options) {
  const params = { name, arguments: args };
  return old ? client.callTool(params, undefined, options) : client.callTool(params, options);
}

/** Cancels a wait; returns whether it failed, and after how many milliseconds. */
async function cancel() {
  const control = new AbortController();
  const waiting = call('wait_for_message', { timeout_secs: 300 }, { signal: control.signal });
  await call('inbox_peek', {}); // calls are read in order, so the wait has started
  const start = performance.now();
  control.abort('enough');
  const given_up = await waiting.then(() => false, () => true);
  return { given_up, milliseconds: performance.now() - start };
}

async function progress() {
  const seen = [];
  const onprogress = ({ progress }) => seen.push(progress);
  const result = await call('wait_for_message', { timeout_secs: 40 }, { onprogress });
  return { seen, timed_out: JSON.parse(result.content[0].text).timeout };
}

await client.connect(new StdioClientTransport({ command, env: process.env }));
const { tools } = await client.listTools();
const info = await call('get_workspace_info', {});
const seen = {
  server: client.getServerVersion()?.name,
  tools: tools.map(({ name }) => name),
  called: { error: info.isError ?? false, text: info.content[0].text },
  cancelled: await cancel(),
  progress: await progress(),
  after: (await call('inbox_peek', {})).isError ?? false,
};
await client.close();
console.log(JSON.stringify(seen));
