'use strict';

const { AnswerHeaders } = require('./answer-headers');
const { bytesOf, checkedStatus, encoded, json, JSON_TYPE } = require('./answer');
const { HandlerRequest, lazily } = require('./request');

/**
 * `(req, res) => …` in Express's manner. What it returns is not sent, and a promise that is rejected is a failure: it answers
 * whenever it likes, and the gateway bounds how long that may take.
 */
function expressStyle(run) {
  // Functions that have been given res may return anything, such as the timer that will answer; but text and numbers answer nothing later.
  const mayReturn = run.length >= 2;
  let told = false;
  const noteUnsent = (returned, answer) => {
    if (told || returned === undefined || returned === null || answer.given) return;
    told = true;
    console.error(
      'The function returned a value, which is not sent, and has not answered. ' +
        'Call res.send(value), or have what is returned sent: export default (request) => … in a file with the ending .mjs.',
    );
  };
  return (request, answer) => {
    const returned = run(new ExpressRequest(request), new ExpressResponse(answer));
    if (typeof returned?.then === 'function') returned.then((value) => noteUnsent(value, answer), (error) => answer.fail(error));
    else if (!mayReturn || typeof returned === 'string' || typeof returned === 'number') noteUnsent(returned, answer);
  };
}

class ExpressRequest extends HandlerRequest {
  static {
    /** The body as text (UTF-8). */
    lazily(this, 'body', (request) => request.rawBody.toString());
  }

  json() {
    return JSON.parse(this.rawBody.toString());
  }
}
ExpressRequest.prototype.header = ExpressRequest.prototype.get;

const TYPES = {
  bin: 'application/octet-stream',
  cbor: 'application/cbor',
  css: 'text/css; charset=utf-8',
  csv: 'text/csv; charset=utf-8',
  html: 'text/html; charset=utf-8',
  jpeg: 'image/jpeg',
  jpg: 'image/jpeg',
  js: 'text/javascript; charset=utf-8',
  json: JSON_TYPE,
  png: 'image/png',
  svg: 'image/svg+xml',
  text: 'text/plain; charset=utf-8',
  txt: 'text/plain; charset=utf-8',
  xml: 'application/xml',
};

class ExpressResponse {
  #answer;
  #status = 200;
  #headers = null;
  #written = null;

  constructor(answer) {
    this.#answer = answer;
  }

  get statusCode() {
    return this.#status;
  }

  set statusCode(status) {
    this.#status = checkedStatus(status);
  }

  get headersSent() {
    return this.#answer.given;
  }

  get writableEnded() {
    return this.#answer.given;
  }

  status(status) {
    this.statusCode = status;
    return this;
  }

  /** One header, or an object of several; a list of values repeats the header. */
  set(name, value) {
    this.#unanswered();
    this.#headers ??= new AnswerHeaders();
    if (typeof name === 'object') for (const [one, its] of Object.entries(name)) this.#headers.set(one, its);
    else this.#headers.set(name, value);
    return this;
  }

  append(name, value) {
    this.#unanswered();
    (this.#headers ??= new AnswerHeaders()).add(name, value);
    return this;
  }

  get(name) {
    return this.#headers?.get(name);
  }

  removeHeader(name) {
    this.#headers?.delete(name);
  }

  /** A media type, or its usual file extension. */
  type(type) {
    return this.set('Content-Type', type.includes('/') ? type : (TYPES[type.replace(/^\./, '')] ?? TYPES.bin));
  }

  writeHead(status, ...rest) {
    this.statusCode = status;
    const headers = rest.at(-1);
    return typeof headers === 'object' && headers !== null ? this.set(headers) : this;
  }

  /** Text, bytes, nothing, or anything else as JSON. */
  send(value) {
    this.#unanswered();
    const [type, body] = encoded(value);
    this.#give(type, body);
    return this;
  }

  json(value) {
    this.#unanswered();
    this.#give(JSON_TYPE, json(value));
    return this;
  }

  sendStatus(status) {
    this.statusCode = status;
    // Loaded by the few functions that need it only: it costs a start 2 ms and 2 MB.
    return this.send(require('node:http').STATUS_CODES[status] ?? String(status));
  }

  /** Keeps a piece of the answer, which goes out whole at `end`. */
  write(piece, encoding) {
    this.#unanswered();
    (this.#written ??= []).push(bytes(piece, encoding));
    return true;
  }

  end(piece, encoding) {
    if (typeof piece === 'function') piece = undefined;
    if (piece !== undefined && piece !== null) this.write(piece, encoding);
    this.#unanswered();
    this.#give(null, this.#written === null ? null : Buffer.concat(this.#written));
    return this;
  }

  #give(type, body) {
    this.#answer.give(this.#status, this.#headers === null ? (type === null ? [] : ['Content-Type', type]) : this.#headers.flat(type), body);
  }

  #unanswered() {
    if (this.#answer.given) throw Object.assign(new Error('The function has answered already.'), { code: 'ERR_HTTP_HEADERS_SENT' });
  }
}
ExpressResponse.prototype.header = ExpressResponse.prototype.set;
ExpressResponse.prototype.setHeader = ExpressResponse.prototype.set;
ExpressResponse.prototype.getHeader = ExpressResponse.prototype.get;
ExpressResponse.prototype.contentType = ExpressResponse.prototype.type;

function bytes(piece, encoding) {
  if (typeof piece === 'string') return Buffer.from(piece, typeof encoding === 'string' ? encoding : 'utf8');
  const held = bytesOf(piece);
  if (held !== null) return held;
  throw new TypeError(`write and end take text or bytes, not ${piece === null ? 'null' : `a ${typeof piece}`}; send and json take the rest.`);
}

module.exports = { expressStyle };
