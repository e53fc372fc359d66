'use strict';

const querystring = require('node:querystring');

const EMPTY = Buffer.alloc(0);

/**
 * What the requests of both styles have in common. Each property is computed when a function first asks for it, since most
 * ask for little, and can be overwritten, as code written for Express does.
 */
class HandlerRequest {
  #message;
  #body;

  /** @param message Node's http.IncomingMessage  @param body Buffer, or null for an empty body */
  constructor(message, body) {
    this.#message = message;
    this.#body = body;
  }

  static {
    /** Names in lower case; of Node's own kind, so that repeated headers are joined as there. */
    lazily(this, 'headers', (request) => request.#message.headers);
    /** The device's method. */
    lazily(this, 'method', (request) => rawHeader(request.#message, 'x-tinyfaas-method') ?? 'POST');
    /** What followed the function's name, percent-encoded. */
    lazily(this, 'path', (request) => rawHeader(request.#message, 'x-tinyfaas-path') ?? '/');
    /** Name to value, or to a list of values where a name is repeated; without prototype, as names come from the device. */
    lazily(this, 'query', (request) => querystring.parse(rawHeader(request.#message, 'x-tinyfaas-query') ?? ''));
    lazily(this, 'url', (request) => {
      const query = rawHeader(request.#message, 'x-tinyfaas-query');
      return query === undefined ? request.path : `${request.path}?${query}`;
    });
    /** The device's `address:port` as the gateway saw it. */
    lazily(this, 'peer', (request) => rawHeader(request.#message, 'x-tinyfaas-peer') ?? null);
    /** The body's bytes. */
    lazily(this, 'rawBody', (request) => request.#body ?? EMPTY);
  }

  /** The value of a header, its name in any case; undefined when the request has none. */
  get(name) {
    return this.headers[String(name).toLowerCase()];
  }
}

function lazily(type, name, compute) {
  const computed = Symbol(name);
  Object.defineProperty(type.prototype, name, {
    get() {
      const value = this[computed];
      return value === undefined ? (this[computed] = compute(this)) : value;
    },
    set(value) {
      this[computed] = value;
    },
  });
}

/** One header without building Node's object of them all. `name` is in lower case. */
function rawHeader(message, name) {
  const raw = message.rawHeaders;
  for (let i = 0; i < raw.length; i += 2) {
    const candidate = raw[i];
    if (candidate.length === name.length && candidate.toLowerCase() === name) return raw[i + 1];
  }
  return undefined;
}

module.exports = { HandlerRequest, lazily, rawHeader };
