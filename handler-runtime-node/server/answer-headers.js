'use strict';

const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

// Framing and the connection are the handler's, whatever a function copied from elsewhere.
const NOT_THE_FUNCTIONS = new Set(['connection', 'content-length', 'keep-alive', 'trailer', 'transfer-encoding', 'upgrade', 'date']);

/** The headers that a function sets; a name or value that HTTP does not allow is refused where it is set. */
class AnswerHeaders {
  #byName = new Map();

  set(name, value) {
    name = String(name);
    if (!NAME.test(name)) throw new TypeError(`"${name}" is no name of a header.`);
    if (value === undefined) throw new TypeError(`The header ${name} is set to undefined.`);
    const values = Array.isArray(value) ? value.map(String) : String(value);
    for (const one of Array.isArray(values) ? values : [values]) {
      if (!VALUE.test(one)) throw new TypeError(`The value of the header ${name} has characters that HTTP does not allow.`);
    }
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
