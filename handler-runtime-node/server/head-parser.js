'use strict';

const { HttpRequest } = require('./http-request');
const { RefusedRequest, malformed } = require('./refused-request');

/** Of a head, its request line included, in bytes. */
const MAX_HEAD = 16 * 1024;
const MAX_HEADERS = 100;

const TAB = 0x09;
const LF = 0x0a;
const CR = 0x0d;
const SPACE = 0x20;
const COLON = 0x3a;

// Tables of the 256 bytes, 1 for each that belongs.
/** Characters of a token (RFC 9110, 5.6.2). */
const TOKEN = new Uint8Array(256).fill(1, 0x30, 0x3a).fill(1, 0x41, 0x5b).fill(1, 0x61, 0x7b);
for (const byte of Buffer.from("!#$%&'*+-.^_`|~")) TOKEN[byte] = 1;
/** Those of a value: visible, blanks, and what is not ASCII (RFC 9110, 5.5). */
const VALUE = new Uint8Array(256).fill(1, SPACE).fill(1, TAB, TAB + 1).fill(0, 0x7f, 0x80);
const TARGET = VALUE.slice().fill(0, 0, SPACE + 1);

const INVOCATION = Buffer.from('POST /fn ');
const HEALTH = Buffer.from('GET /health ');
const HEAD = Buffer.from('HEAD ');
const VERSION = Buffer.from('HTTP/1.');

/**
 * The request whose head begins at `from`, its body still to be read, or null until all of the head is there. By the byte,
 * since that makes no objects, and every head is checked to its end.
 *
 * @throws RefusedRequest
 */
function parseHead(bytes, from) {
  const end = Math.min(bytes.length, from + MAX_HEAD);
  const headers = requestLine(bytes, from, end);
  const request = headers < 0 ? null : headerLines(bytes, headers, end);
  if (request === null) {
    if (end - from === MAX_HEAD) throw new RefusedRequest(431, `Request line and headers have at most ${MAX_HEAD} bytes.`);
    return null;
  }
  request.isInvocation = startsWith(bytes, from, INVOCATION);
  request.isHealth = startsWith(bytes, from, HEALTH);
  request.isHead = startsWith(bytes, from, HEAD);
  const isOld = bytes[headers - 3] === 0x30; // HTTP/1.0
  request.isLast ||= isOld;
  if (isOld && request.bodyLength < 0) throw malformed('HTTP/1.0 has no Transfer-Encoding');
  return request;
}

/** Where the first header begins, or -1 until that is there. */
function requestLine(bytes, from, end) {
  let at = from;
  for (const characters of [TOKEN, TARGET]) {
    const begin = at;
    while (at < end && characters[bytes[at]] === 1) at++;
    if (at === end) return -1;
    if (at === begin || bytes[at++] !== SPACE) throw malformed('not an HTTP/1.1 request line');
  }
  for (let i = 0; i < VERSION.length; i++, at++) {
    if (at === end) return -1;
    if (bytes[at] !== VERSION[i]) throw malformed('not an HTTP/1.1 request line');
  }
  if (at + 3 > end) return -1;
  if ((bytes[at] !== 0x31 && bytes[at] !== 0x30) || bytes[at + 1] !== CR || bytes[at + 2] !== LF) {
    throw malformed('not an HTTP/1.1 request line');
  }
  return at + 3;
}

function headerLines(bytes, from, end) {
  let at = from;
  let count = 0;
  const framing = { length: -1, chunked: false, isLast: false, expectsContinue: false };
  while (at < end && bytes[at] !== CR) {
    const name = at;
    while (at < end && TOKEN[bytes[at]] === 1) at++;
    if (at === end) return null;
    if (at === name || bytes[at] !== COLON) throw malformed('not a header line');
    const colon = at++;
    while (at < end && VALUE[bytes[at]] === 1) at++;
    if (at + 1 >= end) return null;
    if (bytes[at] !== CR || bytes[at + 1] !== LF) throw malformed('a control character in a header');
    if (++count > MAX_HEADERS) throw new RefusedRequest(431, `A request has at most ${MAX_HEADERS} headers.`);
    note(framing, bytes, name, colon, at);
    at += 2;
  }
  if (at + 1 >= end) return null;
  if (bytes[at + 1] !== LF) throw malformed('not a header line');
  if (framing.chunked && framing.length >= 0) throw malformed('both Content-Length and Transfer-Encoding');
  const request = new HttpRequest(bytes, from, at);
  request.bodyLength = framing.chunked ? -1 : Math.max(0, framing.length);
  request.isLast = framing.isLast;
  request.expectsContinue = framing.expectsContinue;
  return request;
}

/** What the header from `name` to `end` says of the connection and of where its request ends; most say nothing. */
function note(framing, bytes, name, colon, end) {
  switch (colon - name) {
    case 6:
      if (isName(bytes, name, 'expect')) framing.expectsContinue = value(bytes, colon, end) === '100-continue';
      return;
    case 10:
      if (isName(bytes, name, 'connection')) framing.isLast ||= /(^|[ \t,])close($|[ \t,])/.test(value(bytes, colon, end));
      return;
    case 14: {
      if (!isName(bytes, name, 'content-length')) return;
      const digits = value(bytes, colon, end);
      if (framing.length >= 0 || !/^[0-9]+$/.test(digits)) throw malformed('not one Content-Length');
      framing.length = Number(digits);
      return;
    }
    case 17:
      if (!isName(bytes, name, 'transfer-encoding')) return;
      if (framing.chunked || value(bytes, colon, end) !== 'chunked') throw new RefusedRequest(501, 'There is no transfer coding but chunked.');
      framing.chunked = true;
  }
}

/** `lowerCase` holds letters and hyphens only. */
function isName(bytes, at, lowerCase) {
  for (let i = 0; i < lowerCase.length; i++) {
    if ((bytes[at + i] | 0x20) !== lowerCase.charCodeAt(i)) return false;
  }
  return true;
}

/** In lower case, without the blanks around it. */
function value(bytes, colon, end) {
  return bytes.latin1Slice(colon + 1, end).replace(/^[ \t]+|[ \t]+$/g, '').toLowerCase();
}

function startsWith(bytes, at, expected) {
  for (let i = 0; i < expected.length; i++) if (bytes[at + i] !== expected[i]) return false;
  return true;
}

module.exports = { parseHead, VALUE };
