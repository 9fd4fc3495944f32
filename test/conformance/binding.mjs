// The Streamable HTTP rules for one message: its era, its headers, its status.

export const VERSION = 'io.modelcontextprotocol/protocolVersion';
export const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';
const FIRST_STATELESS = '2026-07-28';

export function fault(id, code, message) {
  return { jsonrpc: '2.0', id: id ?? null, error: { code, message } };
}

/** Against DNS rebinding: accepts only local host names and local origins. */
export function isLocal({ host = '', origin }) {
  const local = /^(127\.0\.0\.1|localhost|\[::1\])(:\d+)?$/;
  return local.test(host) && (origin === undefined || local.test(origin.replace(/^https?:\/\//, '')));
}

/** By `_meta` or, if that is missing, by the headers that only the stateless revision has. */
export function isStateless({ headers }, message) {
  if (headers['mcp-session-id'] !== undefined) return false;
  if (message?.params?._meta?.[VERSION] !== undefined) return true;
  const version = headers['mcp-protocol-version'];
  return headers['mcp-method'] !== undefined || (version !== undefined && version >= FIRST_STATELESS);
}

/** The first mismatch between the headers and the body of a stateless request, if any. */
export function mismatch({ headers }, message) {
  const version = message.params?._meta?.[VERSION];
  if (version !== undefined && headers['mcp-protocol-version'] !== version) return 'MCP-Protocol-Version';
  if (message.id !== undefined && headers['mcp-method'] !== message.method) return 'Mcp-Method';
  const named = ['tools/call', 'prompts/get', 'resources/read'].includes(message.method);
  const name = message.params?.name ?? message.params?.uri;
  if (named && name !== undefined && decoded(headers['mcp-name']) !== name) return 'Mcp-Name';
  return undefined;
}

/** Decodes `=?base64?…?=`, used for values that are not valid in a header. */
function decoded(value = '') {
  const wrapped = /^=\?base64\?([A-Za-z0-9+/]*={0,2})\?=$/.exec(value);
  return wrapped ? Buffer.from(wrapped[1], 'base64').toString() : value;
}

/** Older revisions answer errors with 200 too; the stateless one has a status for some of them. */
export function statusOf(request, { error }) {
  const meta = request.params?._meta ?? {};
  if (request.stateless !== true || !error) return 200;
  if (error.code === -32601) return 404;
  if ([-32020, -32021, -32022].includes(error.code)) return 400;
  const incomplete = !(VERSION in meta) || !(CAPABILITIES in meta);
  return error.code === -32602 && incomplete ? 400 : 200;
}
