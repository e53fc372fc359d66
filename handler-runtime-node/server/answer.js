'use strict';

const { inspect } = require('node:util');

const NOT_ASCII = /[^\x00-\x7f]/;
const MAX_MESSAGE = 200;
const MAX_TRACE = 16384;
const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';
const BYTES = 'application/octet-stream';

/** The one answer to one request: given at most once, whole, with its length. */
class Answer {
  /** The answer that is owed after this one. */
  next = null;
  given = false;
  /** Whether the body, if it is a string, is ASCII. */
  isAscii = true;
  /** What calls that the function makes say again of its request; null where it may make none. */
  passedOn = null;
  #connection;
  #isHead;
  #status = 0;
  #headers = null;
  #body = null;

  /**
   * @param isHead whether the request was a HEAD
   * @param closes whether the connection ends with this answer
   * @param size of the request's body, in bytes
   */
  constructor(connection, isHead, closes, size) {
    this.#connection = connection;
    this.#isHead = isHead;
    this.closes = closes;
    this.size = size;
  }

  /**
   * @param status 200 to 599, or 100 for an answer before the answer
   * @param headers flat list of names and values, checked, without Content-Length; a list of values repeats the header
   * @param body string, Uint8Array, or null for none
   */
  give(status, headers, body) {
    if (this.given) return;
    this.given = true;
    this.#status = status;
    this.#headers = headers;
    this.#body = body;
    this.#connection.answered(this);
  }

  /** What goes out: the head as a string if it is ASCII, else as bytes; then the body as it was given. */
  encoded() {
    const headers = this.#headers;
    let head = this.#status === 200 ? 'HTTP/1.1 200 OK\r\n' : `HTTP/1.1 ${this.#status} \r\n`;
    let isAscii = true;
    for (let i = 0; i < headers.length; i += 2) {
      const value = headers[i + 1];
      for (const one of typeof value === 'string' ? [value] : value) {
        head += `${headers[i]}: ${one}\r\n`;
        isAscii &&= !NOT_ASCII.test(one);
      }
    }
    let body = this.#body;
    if (this.#status < 200 || this.#status === 204 || this.#status === 304) {
      body = null; // RFC 9110, 15.2, 15.3.5 and 15.4.5
    } else {
      const length = body === null ? 0 : typeof body === 'string' ? Buffer.byteLength(body) : body.byteLength;
      this.isAscii = length === body?.length;
      head += `Content-Length: ${length}\r\n`;
    }
    head += this.closes ? 'Connection: close\r\n\r\n' : '\r\n';
    return { head: isAscii ? head : Buffer.from(head, 'latin1'), body: this.#isHead ? null : body };
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
  const bytes = bytesOf(value);
  return bytes === null ? [JSON_TYPE, json(value)] : [BYTES, bytes];
}

/** What holds bytes, of any kind, as Uint8Array; null for anything else. */
function bytesOf(value) {
  if (value instanceof Uint8Array) return value;
  if (ArrayBuffer.isView(value)) return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return value instanceof ArrayBuffer || value instanceof SharedArrayBuffer ? new Uint8Array(value) : null;
}

function json(value) {
  const instead = insteadOf(value);
  if (instead !== null) throw new TypeError(`A ${value.constructor?.name || 'generator'} cannot be written as JSON: give ${instead} instead.`);
  const text = JSON.stringify(value);
  if (text === undefined) throw new TypeError(`A ${typeof value} cannot be written as JSON.`);
  return text;
}

/** What to give instead of what JSON would write as {} whatever it holds; null where JSON is right. */
function insteadOf(value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value) || typeof value.toJSON === 'function') return null;
  if (value instanceof Map) return 'Object.fromEntries(map)';
  if (value instanceof Set) return '[...set]';
  if (typeof value.arrayBuffer === 'function') return 'await its arrayBuffer()';
  if (typeof value[Symbol.asyncIterator] === 'function') return 'what has been read from it';
  return typeof value[Symbol.iterator] === 'function' && typeof value.next === 'function' ? 'a list of what it yields' : null;
}

module.exports = { Answer, logFailure, checkedStatus, encoded, bytesOf, json, JSON_TYPE, TEXT, BYTES };
