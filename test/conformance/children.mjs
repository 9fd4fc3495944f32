// The stdio programs behind the bridge, and the routing of their output.

import { spawn } from 'node:child_process';

const SUBSCRIPTION = 'io.modelcontextprotocol/subscriptionId';

/** A program that serves one session of the older revisions and sees the client's own ids. */
export class Child {
  constructor([program, ...args], id) {
    this.id = id;
    this.waiting = new Map(); // keyed by the id as JSON: 1 and "1" differ
    this.process = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
    this.process.stdin.on('error', () => {}); // it exited: the exit handler notifies the waiting exchanges
    this.unfinished = '';
    this.process.stdout.setEncoding('utf8').on('data', (text) => this.read(text));
    this.process.on('exit', () => {
      for (const exchange of this.waiting.values()) exchange.abandon();
    });
  }

  read(text) {
    const lines = (this.unfinished + text).split('\n');
    this.unfinished = lines.pop();
    for (const line of lines) this.receive(JSON.parse(line));
  }

  send(message) {
    this.process.stdin.write(`${JSON.stringify(message)}\n`);
  }

  /** Sends a request whose response goes to `exchange`. Returns the key for `cancel`. */
  ask(message, exchange) {
    const key = JSON.stringify(message.id);
    this.waiting.set(key, exchange);
    this.send(message);
    return key;
  }

  cancel(key) {
    if (!this.waiting.delete(key)) return;
    this.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: JSON.parse(key) } });
  }

  /** The stream for messages that belong to no request. */
  listen(exchange) {
    exchange.streaming = true;
    this.stream = exchange;
    exchange.response.on('close', () => {
      if (this.stream === exchange) this.stream = undefined;
    });
  }

  receive(message) {
    const key = JSON.stringify(message.id);
    if (message.method === undefined) {
      const exchange = this.waiting.get(key);
      this.waiting.delete(key);
      exchange?.finish(this.restored(message, exchange));
    } else {
      const exchange = this.addressee(message);
      exchange?.notify(this.restored(message, exchange));
    }
  }

  /** On stdio a message names no request: use the newest waiting one, else the stream. */
  addressee() {
    return [...this.waiting.values()].at(-1) ?? this.stream;
  }

  restored(message) {
    return message;
  }

  end() {
    this.process.stdin.end();
  }
}

/** One program for all stateless requests, whose clients are independent of each other. */
export class Stateless extends Child {
  #last = 0;

  ask(message, exchange) {
    const id = ++this.#last;
    exchange.request = { ...message, stateless: true };
    const params = structuredClone(message.params);
    if (params?._meta?.progressToken !== undefined) params._meta.progressToken = id;
    return super.ask({ ...message, id, ...(params === undefined ? {} : { params }) }, exchange);
  }

  addressee(message) {
    const { progressToken, _meta } = message.params ?? {};
    const key = message.method === 'notifications/progress' ? progressToken : _meta?.[SUBSCRIPTION];
    return key === undefined ? super.addressee() : this.waiting.get(JSON.stringify(key));
  }

  restored(message, { request }) {
    const { params, result } = message;
    for (const meta of [params?._meta, result?._meta]) {
      if (meta?.[SUBSCRIPTION] !== undefined) meta[SUBSCRIPTION] = request.id;
    }
    if (message.method === 'notifications/progress') params.progressToken = request.params._meta.progressToken;
    return message.method === undefined ? { ...message, id: request.id } : message;
  }
}
