'use strict';

const { AnswerHeaders } = require('./answer-headers');
const { checkedStatus, encoded } = require('./answer');
const { HandlerRequest } = require('./request');

/** `async (request) => result`: what it returns is the answer. */
function resultStyle(run) {
  return (request, answer) => {
    const result = run(new ResultRequest(request));
    if (typeof result?.then !== 'function') return give(result, answer)?.catch((error) => answer.fail(error));
    Promise.resolve(result)
      .then((value) => give(value, answer))
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

function give(result, answer) {
  if (typeof result === 'object' && result !== null) {
    if (isFetchResponse(result)) return giveResponse(result, answer);
    if (isWholeAnswer(result)) return giveWhole(result.status ?? 200, Object.entries(result.headers ?? {}), result.body, answer);
  }
  const [type, body] = encoded(result);
  answer.give(200, type === null ? [] : ['Content-Type', type], body);
}

async function giveResponse(response, answer) {
  const body = new Uint8Array(await response.arrayBuffer());
  giveWhole(response.status, response.headers, body.byteLength === 0 ? null : body, answer);
}

/** Nothing but status, headers and body, and one of a number for a status and a body: {status: 'on'} is data. */
function isWholeAnswer(result) {
  for (const key of Object.keys(result)) {
    if (key !== 'status' && key !== 'headers' && key !== 'body') return false;
  }
  return 'body' in result || typeof result.status === 'number';
}

/** By its shape: naming the global class would load Node's fetch into functions that do not use it. */
function isFetchResponse(result) {
  return typeof result.arrayBuffer === 'function' && typeof result.status === 'number' && typeof result.headers?.entries === 'function';
}

function giveWhole(status, headers, value, answer) {
  const set = new AnswerHeaders();
  for (const [name, one] of headers) set.add(name, one);
  const [type, body] = encoded(value);
  answer.give(checkedStatus(status), set.flat(type), body);
}

module.exports = { resultStyle };
