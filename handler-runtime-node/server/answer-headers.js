'use strict';

const { validateHeaderName, validateHeaderValue } = require('node:http');

// Framing and the connection are the handler's, whatever a function copied from elsewhere.
const NOT_THE_FUNCTIONS = new Set(['connection', 'content-length', 'keep-alive', 'trailer', 'transfer-encoding', 'upgrade', 'date']);

/** The headers that a function sets; a name or value that HTTP does not allow is refused where it is set. */
class AnswerHeaders {
  #byName = new Map();

  set(name, value) {
    name = String(name);
    validateHeaderName(name);
    const values = Array.isArray(value) ? value.map(String) : typeof value === 'number' ? String(value) : value;
    for (const one of Array.isArray(values) ? values : [values]) validateHeaderValue(name, one);
    const key = name.toLowerCase();
    if (!NOT_THE_FUNCTIONS.has(key)) this.#byName.set(key, [name, values]);
  }

  add(name, value) {
    const before = this.get(name);
    this.set(name, before === undefined ? value : [].concat(before, value));
  }

  get(name) {
    return this.#byName.get(String(name).toLowerCase())?.[1];
  }

  delete(name) {
    this.#byName.delete(String(name).toLowerCase());
  }

  /** Name, value, name, value … with `type` as the Content-Type where the function set none. */
  flat(type) {
    const flat = [];
    for (const [name, value] of this.#byName.values()) flat.push(name, value);
    if (type !== null && !this.#byName.has('content-type')) flat.push('Content-Type', type);
    return flat;
  }
}

module.exports = { AnswerHeaders };
