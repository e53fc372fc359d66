'use strict';

const { inspect } = require('node:util');

const MAX_MESSAGE = 200;
const MAX_TRACE = 16384;
const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';
const BYTES = 'application/octet-stream';

/** The one answer to one request: given at most once, whole, with its length. */
class Answer {
  #response;
  #given = false;

  constructor(response) {
    this.#response = response;
  }

  get given() {
    return this.#given;
  }

  /**
   * @param status 200 to 599
   * @param headers flat list of names and values without Content-Length; becomes this answer's own
   * @param body string, Uint8Array, or null for none
   */
  give(status, headers, body) {
    if (this.#given) return;
    const response = this.#response;
    if (status === 204 || status === 304) {
      body = null; // RFC 9110, 15.3.5 and 15.4.5
    } else {
      headers.push('Content-Length', body === null ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength);
    }
    response.writeHead(status, headers);
    this.#given = true;
    response.end(body);
  }

  text(status, text) {
    this.give(status, ['Content-Type', TEXT], text);
  }

  /** The function failed: 500 with one short line for the caller, the stack trace for the function's log. */
  fail(error) {
    logFailure(error);
    this.text(500, shortMessage(error));
  }
}

function logFailure(error) {
  let trace;
  try {
    trace = inspect(error);
  } catch {
    trace = 'The function threw something that cannot be printed.';
  }
  console.error(trace.length > MAX_TRACE ? `${trace.slice(0, MAX_TRACE)} …` : trace);
}

function shortMessage(error) {
  let message;
  try {
    message = String(error instanceof Error ? error.message || error.name : error?.message ?? error ?? '');
  } catch {
    message = '';
  }
  const line = message.slice(0, 2 * MAX_MESSAGE).replace(/[\s\p{Cc}]+/gu, ' ').trim();
  return line.slice(0, MAX_MESSAGE).toWellFormed() || 'The function failed.';
}

/** A status that can end an exchange, else a RangeError, which is the function's failure. */
function checkedStatus(status) {
  if (Number.isInteger(status) && status >= 200 && status <= 599) return status;
  throw new RangeError(`The status ${inspect(status)} is none from 200 to 599.`);
}

/** The default Content-Type and the bytes of what a function answers: [type, body]; type is null for an empty answer. */
function encoded(value) {
  if (typeof value === 'string') return [TEXT, value];
  if (value === null || value === undefined) return [null, null];
  if (value instanceof Uint8Array) return [BYTES, value];
  if (value instanceof ArrayBuffer) return [BYTES, new Uint8Array(value)];
  if (ArrayBuffer.isView(value)) return [BYTES, new Uint8Array(value.buffer, value.byteOffset, value.byteLength)];
  return [JSON_TYPE, json(value)];
}

function json(value) {
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`A ${typeof value} cannot be written as JSON.`);
  return text;
}

module.exports = { Answer, logFailure, checkedStatus, encoded, json, JSON_TYPE };
