'use strict';

const EMPTY = Buffer.alloc(0);

// Of a header that may stand once only, the first counts; the others are joined. As node:http does it.
const ONCE = new Set(['age', 'authorization', 'content-length', 'content-type', 'etag', 'expires', 'from', 'host', 'if-modified-since',
  'if-unmodified-since', 'last-modified', 'location', 'max-forwards', 'proxy-authorization', 'referer', 'retry-after', 'server', 'user-agent']);

/** One request as it was received. Its head has been checked, but is made text only for a function that looks at it. */
class HttpRequest {
  #bytes;
  #from;
  #to;
  #headers = null;

  /** `POST /fn` */
  isInvocation = false;
  /** `GET /health` */
  isHealth = false;
  /** `HEAD`, whose answers have no body. */
  isHead = false;
  /** The connection ends with its answer. */
  isLast = false;
  /** The sender waits for a 100 before it sends the body (RFC 9110, 10.1.1). */
  expectsContinue = false;
  /** In bytes; -1 for a chunked one. */
  bodyLength = 0;
  body = EMPTY;

  /** @param from where the first header line begins in `bytes`  @param to where the empty line begins */
  constructor(bytes, from, to) {
    this.#bytes = bytes;
    this.#from = from;
    this.#to = to;
  }

  /** Where the body begins. */
  get headEnd() {
    return this.#to + 2;
  }

  /** Names in lower case. */
  get headers() {
    if (this.#headers !== null) return this.#headers;
    const headers = (this.#headers = {});
    const text = this.#bytes.latin1Slice(this.#from, this.#to);
    for (let at = 0; at < text.length; ) {
      const colon = text.indexOf(':', at);
      const end = text.indexOf('\r', colon);
      add(headers, text.slice(at, colon).toLowerCase(), trimmed(text, colon + 1, end));
      at = end + 2;
    }
    return headers;
  }
}

function add(headers, name, value) {
  const before = headers[name];
  if (name === 'set-cookie') (headers[name] ??= []).push(value);
  else if (typeof before !== 'string') headers[name] = value;
  else if (!ONCE.has(name)) headers[name] = `${before}${name === 'cookie' ? '; ' : ', '}${value}`;
}

/** Without the blanks that HTTP allows around a value, which are fewer than those of String's trim. */
function trimmed(text, from, to) {
  while (from < to && isBlank(text.charCodeAt(from))) from++;
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--;
  return text.slice(from, to);
}

const isBlank = (code) => code === 0x20 || code === 0x09;

module.exports = { HttpRequest, EMPTY };
