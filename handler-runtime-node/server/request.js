'use strict';

const querystring = require('node:querystring');

/**
 * What the requests of both styles have in common. Each property is computed when a function first asks for it, since most
 * ask for little, and can be overwritten, as code written for Express does.
 */
class HandlerRequest {
  #received;

  /** @param received HttpRequest */
  constructor(received) {
    this.#received = received;
  }

  static {
    /** Names in lower case. */
    lazily(this, 'headers', (request) => request.#received.headers);
    /** The device's method. */
    lazily(this, 'method', (request) => request.#received.headers['x-tinyfaas-method'] ?? 'POST');
    /** What followed the function's name, percent-encoded. */
    lazily(this, 'path', (request) => request.#received.headers['x-tinyfaas-path'] ?? '/');
    /** Name to value, or to a list of values where a name is repeated; without prototype, as names come from the device. */
    lazily(this, 'query', (request) => querystring.parse(request.#received.headers['x-tinyfaas-query'] ?? ''));
    lazily(this, 'url', (request) => {
      const query = request.#received.headers['x-tinyfaas-query'];
      return query === undefined ? request.path : `${request.path}?${query}`;
    });
    /** The device's `address:port` as the gateway saw it. */
    lazily(this, 'peer', (request) => request.#received.headers['x-tinyfaas-peer'] ?? null);
    /** The body's bytes. */
    lazily(this, 'rawBody', (request) => request.#received.body);
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

module.exports = { HandlerRequest, lazily };
