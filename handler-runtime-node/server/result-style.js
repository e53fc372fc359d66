'use strict';

const { AnswerHeaders } = require('./answer-headers');
const { bytesOf, checkedStatus, encoded, BYTES, TEXT } = require('./answer');
const { HandlerRequest } = require('./request');

/** `async (request) => result`: what it returns is the answer; of a stream, at most `maxBody` bytes. */
function resultStyle(run, maxBody) {
  return (request, answer) => {
    const result = run(new ResultRequest(request));
    if (typeof result?.then !== 'function') return give(result, answer, maxBody)?.catch((error) => answer.fail(error));
    Promise.resolve(result)
      .then((value) => give(value, answer, maxBody))
      .catch((error) => answer.fail(error));
  };
}

/** The body is read as from a `Request` of the fetch API: all of these are promises, and may be called repeatedly. */
class ResultRequest extends HandlerRequest {
  async text() {
    return this.rawBody.toString();
  }

  async json() {
    return JSON.parse(this.rawBody.toString());
  }

  async bytes() {
    return this.rawBody;
  }

  /** A copy: Node's buffers may share theirs with others. */
  async arrayBuffer() {
    return new Uint8Array(this.rawBody).buffer;
  }
}

/** A promise where the answer has to be read first. */
function give(result, answer, maxBody) {
  if (typeof result === 'object' && result !== null && bytesOf(result) === null && !Array.isArray(result)) {
    if (isFetchResponse(result)) return giveResponse(result, answer, maxBody);
    if (isWholeAnswer(result)) return giveWhole(result, answer, maxBody);
    if (isBlob(result) || isStream(result)) return giveWhole({ body: result }, answer, maxBody);
  }
  const [type, body] = encoded(result);
  answer.give(200, type === null ? [] : ['Content-Type', type], body);
}

async function giveResponse(response, answer, maxBody) {
  const body = isStream(response.body) ? (await readWhole(response.body, maxBody))[1] : bytesOf(await response.arrayBuffer());
  giveTyped(response.status, response.headers, encoded(body.byteLength === 0 ? null : body), answer);
}

function giveWhole({ status, headers, body }, answer, maxBody) {
  const giveRead = (read) => giveTyped(status ?? 200, Object.entries(headers ?? {}), read, answer);
  if (isBlob(body)) return readWhole(body.stream(), maxBody).then(([, bytes]) => giveRead([body.type || BYTES, bytes]));
  if (isStream(body)) return readWhole(body, maxBody).then(giveRead);
  giveRead(encoded(body));
}

function giveTyped(status, headers, [type, body], answer) {
  const set = new AnswerHeaders();
  for (const [name, one] of headers) set.add(name, one);
  answer.give(checkedStatus(status), set.flat(type), body);
}

/** Nothing but status, headers and body, and one of a number for a status and a body: {status: 'on'} is data. */
function isWholeAnswer(result) {
  // First of all: of data with a million keys no list of them is made.
  if (!('body' in result) && typeof result.status !== 'number') return false;
  for (const key of Object.keys(result)) {
    if (key !== 'status' && key !== 'headers' && key !== 'body') return false;
  }
  return true;
}

/** By its shape, as the others: naming the global class would load Node's fetch into functions that do not use it. */
function isFetchResponse(result) {
  return typeof result.arrayBuffer === 'function' && typeof result.status === 'number' && typeof result.headers?.entries === 'function';
}

function isBlob(value) {
  return typeof value?.arrayBuffer === 'function' && typeof value.stream === 'function' && typeof value.size === 'number';
}

/** Of Node or of the web, or an async generator; but not what says itself how it is written as JSON. */
function isStream(value) {
  return typeof value === 'object' && typeof value?.[Symbol.asyncIterator] === 'function' && typeof value.toJSON !== 'function';
}

/** The type and the bytes of all that comes: text if each piece is. A stream that is left before its end is closed. */
async function readWhole(stream, maxBody) {
  const pieces = [];
  let size = 0;
  let isText = true;
  for await (const piece of stream) {
    const bytes = typeof piece === 'string' ? Buffer.from(piece) : bytesOf(piece);
    if (bytes === null) throw new TypeError(`A stream that is answered has pieces of text or bytes, and this one has one of type ${typeof piece}.`);
    isText &&= typeof piece === 'string';
    size += bytes.byteLength;
    if (size > maxBody) throw new RangeError(`The stream that is answered has more than ${maxBody} bytes.`);
    pieces.push(bytes);
  }
  return [isText && size > 0 ? TEXT : BYTES, Buffer.concat(pieces, size)];
}

module.exports = { resultStyle };
