// The official JSON schemas of the revisions. No package ships them as files, so they are extracted
// from the pinned conformance suite, which contains them as object literals.

import { readFileSync } from 'node:fs';
import vm from 'node:vm';
import Ajv from 'ajv';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';

const suite = readFileSync(new URL(import.meta.resolve('@modelcontextprotocol/conformance/dist/index.js')), 'utf8');

/** The object literal that begins at `start`, up to its closing brace; skips strings. */
function literal(start) {
  let depth = 0;
  let quote;
  for (let at = start; at < suite.length; ++at) {
    const c = suite[at];
    if (c === '\\') ++at;
    else if (quote) quote = c === quote ? undefined : quote;
    else if ('"\'`'.includes(c)) quote = c;
    else if (c === '{') ++depth;
    else if (c === '}' && --depth === 0) return vm.runInNewContext(`(${suite.slice(start, at + 1)})`);
  }
  throw new Error('the suite ends inside a schema');
}

function schemasByRevision() {
  const table = /\{"2025-03-26":(\w+),"2025-06-18":(\w+),"2025-11-25":(\w+),\[\w+\]:(\w+)\}/.exec(suite);
  if (!table) throw new Error('the suite no longer keeps its schemas there');
  const revisions = ['2025-03-26', '2025-06-18', '2025-11-25', '2026-07-28'];
  return new Map(revisions.map((revision, i) => [revision, literal(suite.indexOf(`${table[i + 1]}={$schema:`) + table[i + 1].length + 1)]));
}

/** Validates a server's messages against one revision's schema. */
class Revision {
  #ajv;
  #validators = new Map();

  constructor(schema) {
    this.key = '$defs' in schema ? '$defs' : 'definitions';
    this.definitions = schema[this.key];
    this.#ajv = new (this.key === '$defs' ? Ajv2020 : Ajv)({ strict: false, allErrors: true, validateFormats: true });
    addFormats(this.#ajv);
    this.#ajv.addSchema(schema, 'mcp');
    this.requests = new Map();
    for (const [name, { properties }] of Object.entries(this.definitions)) {
      if (properties?.method?.const) this.requests.set(properties.method.const, name);
    }
  }

  /** The errors of `value` as a `definition`; empty if it is valid. */
  errors(definition, value) {
    if (!this.#validators.has(definition)) this.#validators.set(definition, this.#ajv.compile({ $ref: `mcp#/${this.key}/${definition}` }));
    const validate = this.#validators.get(definition);
    return validate(value) ? [] : validate.errors.map((e) => `${definition}${e.instancePath}: ${e.message}`);
  }

  /** `method` is the method of the request that the message responds to, if known. */
  message(message, method) {
    if (message.method !== undefined) {
      const generic = message.id === undefined ? 'JSONRPCNotification' : 'JSONRPCRequest';
      return this.errors(this.requests.get(message.method) ?? generic, message);
    }
    if (message.error !== undefined) {
      // JSON-RPC 2.0 (5) requires null if the id is unknown; the schemas do not provide for it.
      const known = message.id === null ? { ...message, id: 0 } : message;
      return this.errors('JSONRPCErrorResponse' in this.definitions ? 'JSONRPCErrorResponse' : 'JSONRPCError', known);
    }
    const response = 'JSONRPCResultResponse' in this.definitions ? 'JSONRPCResultResponse' : 'JSONRPCResponse';
    return [...this.errors(response, message), ...this.result(message.result, method)];
  }

  result(result, method) {
    const needsInput = result?.resultType === 'input_required';
    const name = needsInput ? 'InputRequiredResult' : this.requests.get(method)?.replace(/Request$/, 'Result');
    return name in this.definitions ? this.errors(name, result) : this.errors('Result', result);
  }
}

export const revisions = new Map([...schemasByRevision()].map(([name, schema]) => [name, new Revision(schema)]));
// The oldest revision's schema is in no package; the next one only differs in optional fields.
revisions.set('2024-11-05', revisions.get('2025-03-26'));
