#!/usr/bin/env node
// bridge.mjs COMMAND ARGS…: exposes an MCP program that uses stdio over Streamable HTTP, for the
// public conformance suite, which only supports HTTP. Prints the URL on stdout and exits on SIGTERM.
//
// It adds what the HTTP binding requires (sessions, headers, status codes, streams) and forwards
// every message unchanged. Requests of the stateless revision (2026-07-28) share one child; their
// ids, progress tokens and subscription ids are replaced by unique ones. Each `initialize` of the
// older revisions starts a session with its own child, which sees the client's own ids.

import { randomUUID } from 'node:crypto';
import http from 'node:http';
import { Child, Stateless } from './children.mjs';
import { fault, isLocal, isStateless, mismatch, statusOf } from './binding.mjs';

const command = process.argv.slice(2);
const sessions = new Map();
const stateless = new Stateless(command);

function answer(response, status, message, headers = {}) {
  response.writeHead(status, { 'content-type': 'application/json', ...headers });
  response.end(JSON.stringify(message));
}

/** A POST waiting for its response: plain JSON, or a stream if other messages come first. */
class Exchange {
  constructor(response, request, headers) {
    Object.assign(this, { response, request, headers, streaming: false });
  }
  notify(message) {
    if (!this.streaming) {
      this.streaming = true;
      this.response.writeHead(200, { 'content-type': 'text/event-stream', ...this.headers });
    }
    this.response.write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
  }
  finish(message) {
    if (!this.streaming) return answer(this.response, statusOf(this.request, message), message, this.headers);
    this.notify(message);
    this.response.end();
  }
  /** The child exited without a response. */
  abandon() {
    if (this.streaming) this.response.end();
    else answer(this.response, 502, fault(this.request.id, -32603, 'the server ended'));
  }
}

function post(request, response, message) {
  const child = childOf(request, response, message);
  if (!child) return;
  if (message.method === undefined || message.id === undefined) {
    child.send(message);
    response.writeHead(202).end();
    return;
  }
  const opened = message.method === 'initialize' && child !== stateless;
  const exchange = new Exchange(response, message, opened ? { 'mcp-session-id': child.id } : {});
  const key = child.ask(message, exchange);
  response.on('close', () => child.cancel(key)); // has no effect after the response
}

/** The child that serves this message. If there is none, sends the error and returns nothing. */
function childOf(request, response, message) {
  if (isStateless(request, message)) {
    const problem = mismatch(request, message);
    if (!problem) return stateless;
    return void answer(response, 400, fault(message.id, -32020, problem));
  }
  if (message.method === 'initialize') {
    const id = randomUUID();
    sessions.set(id, new Child(command, id));
    return sessions.get(id);
  }
  const id = request.headers['mcp-session-id'];
  if (sessions.has(id)) return sessions.get(id);
  return void answer(response, id ? 404 : 400, fault(message.id, -32000, 'no such session'));
}

async function body(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks).toString();
}

const server = http.createServer(async (request, response) => {
  if (!isLocal(request.headers)) return response.writeHead(403).end();
  const session = sessions.get(request.headers['mcp-session-id']);
  if (request.method === 'POST') {
    let message;
    try {
      message = JSON.parse(await body(request));
    } catch {
      return answer(response, 400, fault(null, -32700, 'not JSON'));
    }
    return post(request, response, message);
  }
  if (request.method === 'GET' && session) {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
    return session.listen(new Exchange(response, {}, {}));
  }
  if (request.method === 'DELETE' && session) {
    sessions.delete(session.id);
    session.end();
    return response.writeHead(200).end();
  }
  return response.writeHead(request.headers['mcp-session-id'] ? 404 : 405).end();
});

server.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/mcp`));
const stop = () => {
  for (const child of [stateless, ...sessions.values()]) child.end();
  process.exit(0);
};
process.on('SIGTERM', stop);
// A test process that is killed sends no signal, but its end of the pipe closes.
process.stdin.on('end', stop).resume();
