'use strict';

// What the parser takes, refuses and leaves for later, however the bytes are cut.

const test = require('node:test');
const assert = require('node:assert/strict');
const { setFlagsFromString } = require('node:v8');
const { runInNewContext } = require('node:vm');
const { RequestParser } = require('../../server/request-parser');

const MAX_BODY = 1000;
const bytes = (text) => Buffer.from(text, 'latin1');

/** What a parser makes of these pieces: its requests, then the status of the refusal if there is one. */
function parse(...pieces) {
  const parser = new RequestParser(MAX_BODY);
  const seen = [];
  try {
    for (const piece of pieces) {
      parser.feed(bytes(piece));
      for (let request = parser.next(); request !== null; request = parser.next()) seen.push(shown(request));
    }
  } catch (error) {
    if (error.status === undefined) throw error;
    seen.push(error.status);
  }
  return seen;
}

function shown(request) {
  const kind = request.isInvocation ? 'invoke' : request.isHealth ? 'health' : request.isHead ? 'head' : 'other';
  return { kind, headers: request.headers, body: request.body.toString('latin1'), isLast: request.isLast };
}

const invocation = (body = '', headers = {}, isLast = false) => ({ kind: 'invoke', headers, body, isLast });
const post = (headers, body = '') => `POST /fn HTTP/1.1\r\n${headers}\r\n${body}`;

const STREAM = [
  'GET /health HTTP/1.1\r\n\r\n',
  'POST /fn HTTP/1.1\r\nContent-Length: 5\r\nX-Blanks: \t a b \t\r\nX-Empty:\r\n\r\nhello\r\n\r\n',
  'POST /fn HTTP/1.1\r\ntransfer-encoding: Chunked\r\n\r\n3\r\nabc\r\n0A ;name="x"\r\n\r\n45678\r\n\x80\r\n000\r\nX-Trailer: x\r\n\r\n',
  'POST /fn HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
  'OPTIONS * HTTP/1.1\r\nX-Large: \xe9\r\nContent-Length: 2\r\n\r\n\r\n',
  'HEAD /fn HTTP/1.1\r\nConnection: keep-alive, close\r\n\r\n',
].join('');
const REQUESTS = [
  { kind: 'health', headers: {}, body: '', isLast: false },
  invocation('hello', { 'content-length': '5', 'x-blanks': 'a b', 'x-empty': '' }),
  invocation('abc\r\n45678\r\n\x80', { 'transfer-encoding': 'Chunked' }),
  invocation('', { 'transfer-encoding': 'chunked' }),
  { kind: 'other', headers: { 'x-large': '\xe9', 'content-length': '2' }, body: '\r\n', isLast: false },
  { kind: 'head', headers: { connection: 'keep-alive, close' }, body: '', isLast: true },
];

test('should read pipelined requests that arrive at once', () => {
  assert.deepEqual(parse(STREAM), REQUESTS);
});

test('should read the same cut at every byte, and byte by byte', () => {
  for (let at = 1; at < STREAM.length; at++) assert.deepEqual(parse(STREAM.slice(0, at), STREAM.slice(at)), REQUESTS, `cut at ${at}`);
  assert.deepEqual(parse(...STREAM), REQUESTS);
});

test('should make of repeated headers what node:http makes of them', () => {
  const repeated = ['X-Many: a', 'x-many: b', 'Content-Type: first', 'Content-Type: second', 'Cookie: c=1', 'Cookie: d=2', 'Set-Cookie: e', 'Set-Cookie: f', '__proto__: g', 'constructor: h'];
  const [{ headers }] = parse(post(`${repeated.join('\r\n')}\r\n`));
  assert.deepEqual(headers, { 'x-many': 'a, b', 'content-type': 'first', cookie: 'c=1; d=2', 'set-cookie': ['e', 'f'], constructor: 'h' });
});

for (const [what, status, text] of [
  ['a length and a transfer coding', 400, post('Content-Length: 3\r\nTransfer-Encoding: chunked\r\n', '0\r\n\r\n')],
  ['a transfer coding and a length', 400, post('Transfer-Encoding: chunked\r\nContent-Length: 3\r\n', '0\r\n\r\n')],
  ['two lengths', 400, post('Content-Length: 3\r\nContent-Length: 4\r\n')],
  ['the same length twice', 400, post('Content-Length: 3\r\nContent-Length: 3\r\n')],
  ['a list of lengths', 400, post('Content-Length: 3, 3\r\n')],
  ['an empty length', 400, post('Content-Length:\r\n')],
  ['a signed length', 400, post('Content-Length: +3\r\n')],
  ['a negative length', 400, post('Content-Length: -3\r\n')],
  ['a hexadecimal length', 400, post('Content-Length: 0x3\r\n')],
  ['a length in other digits', 400, post('Content-Length: \xb2\r\n')],
  ['a length above the limit', 413, post('Content-Length: 1001\r\n')],
  ['a length beyond all numbers', 413, post(`Content-Length: ${'9'.repeat(400)}\r\n`)],
  ['another transfer coding', 501, post('Transfer-Encoding: gzip, chunked\r\n')],
  ['a transfer coding that only looks like chunked', 501, post('Transfer-Encoding: xchunked\r\n')],
  ['chunked twice', 501, post('Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n')],
  ['a transfer coding in HTTP/1.0', 400, 'POST /fn HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n'],
  ['a blank before the colon', 400, post('Content-Length : 3\r\n')],
  ['a folded header', 400, post('X-One: a\r\n b\r\n')],
  ['a header without a name', 400, post(': x\r\n')],
  ['a header without a colon', 400, post('X-One\r\n')],
  ['a line that ends with a bare LF', 400, 'POST /fn HTTP/1.1\nContent-Length: 3\r\n\r\n'],
  ['a header that ends with a bare LF', 400, post('X-One: a\nX-Two: b\r\n')],
  ['a bare CR in a header', 400, post('X-One: a\rX-Two: b\r\n')],
  ['a zero byte in a header', 400, post('X-One: a\0b\r\n')],
  ['a head that ends with a bare LF', 400, 'POST /fn HTTP/1.1\r\n\nX'],
  ['another version', 400, 'POST /fn HTTP/2.0\r\n\r\n'],
  ['no version', 400, 'GET /\r\n\r\n'],
  ['two blanks in the request line', 400, 'POST  /fn HTTP/1.1\r\n\r\n'],
  ['a blank in the target', 400, 'POST /f n HTTP/1.1\r\n\r\n'],
  ['a method that is no token', 400, 'PO(ST /fn HTTP/1.1\r\n\r\n'],
  ['a TLS handshake', 400, '\x16\x03\x01\x02\x00\x01\x00'],
  ['a header line longer than a head', 431, post(`X-Long: ${'a'.repeat(16384)}\r\n`)],
  ['a target longer than a head', 431, `GET /${'a'.repeat(16384)} HTTP/1.1\r\n\r\n`],
  ['a head that is too long in all', 431, post(`X-Long: ${'a'.repeat(200)}\r\n`.repeat(90))],
  ['too many headers', 431, post('X: y\r\n'.repeat(101))],
  ['chunks above the limit', 413, post('Transfer-Encoding: chunked\r\n', `1f4\r\n${'a'.repeat(500)}\r\n1f5\r\n`)],
  ['a chunk above the limit', 413, post('Transfer-Encoding: chunked\r\n', 'ffffffff\r\n')],
  ['a chunk\'s size beyond all numbers', 400, post('Transfer-Encoding: chunked\r\n', 'fffffffff\r\n')],
  ['a chunk\'s size that is none', 400, post('Transfer-Encoding: chunked\r\n', '0x3\r\nabc\r\n')],
  ['a negative chunk', 400, post('Transfer-Encoding: chunked\r\n', '-3\r\nabc\r\n')],
  ['an empty chunk\'s size', 400, post('Transfer-Encoding: chunked\r\n', '\r\nabc\r\n')],
  ['a chunk\'s size that ends with a bare LF', 400, post('Transfer-Encoding: chunked\r\n', '3\nabc\r\n')],
  ['a chunk that is longer than its size', 400, post('Transfer-Encoding: chunked\r\n', '3\r\nabcd\r\n')],
  ['a chunk that does not end', 400, post('Transfer-Encoding: chunked\r\n', '3\r\nabc0\r\n\r\n')],
  ['a chunk\'s extensions without end', 400, post('Transfer-Encoding: chunked\r\n', `3;${'x'.repeat(2000)}`)],
  ['trailers without end', 400, post('Transfer-Encoding: chunked\r\n', `0\r\n${'X-Long: aaaaaaaaaaaaaaaaaaaaaaaa\r\n'.repeat(1000)}\r\n`)],
]) {
  test(`should refuse ${what}, however it is cut`, () => {
    assert.deepEqual(parse(text), [status]);
    assert.deepEqual(parse(...(text.length < 1000 ? text : text.match(/[^]{1,997}/g))), [status]);
    // Behind a request that is fine, which is answered.
    assert.deepEqual(parse(post('') + text), [invocation(), status]);
  });
}

test('should take what is just within the limits', () => {
  assert.equal(parse(post('X: y\r\n'.repeat(100)))[0].kind, 'invoke');
  const head = post(`X-Long: ${'a'.repeat(16384 - 31)}\r\n`);
  assert.equal(head.length, 16384);
  assert.equal(parse(head)[0].kind, 'invoke');
  assert.deepEqual(parse(head.replace('a', 'aa')), [431]);
  assert.equal(parse(post(`Content-Length: ${MAX_BODY}\r\n`, 'x'.repeat(MAX_BODY)))[0].body.length, MAX_BODY);
  assert.equal(parse(post('Transfer-Encoding: chunked\r\n', `${'1\r\nx\r\n'.repeat(MAX_BODY)}0\r\n\r\n`))[0].body.length, MAX_BODY);
});

test('should end a connection with a request of HTTP/1.0', () => {
  assert.deepEqual(parse('POST /fn HTTP/1.0\r\n\r\n'), [invocation('', {}, true)]);
});

test('should not take another option of a connection for close', () => {
  assert.equal(parse(post('Connection: closed, not-close\r\n'))[0].isLast, false);
  assert.equal(parse(post('Connection: Upgrade,CLOSE\r\n'))[0].isLast, true);
});

test('should make nothing but requests and refusals of garbage', () => {
  // A fixed sequence of numbers, so that a failure comes again. What is mutated is mostly still a request.
  let state = 42;
  const random = (below) => (state = (state * 1103515245 + 12345) % 2147483648) % below;
  for (let round = 0; round < 5000; round++) {
    const mutated = bytes(STREAM);
    for (let i = random(4); i >= 0; i--) mutated[random(mutated.length)] = random(256);
    const cut = random(mutated.length);
    const seen = parse(mutated.subarray(0, cut).toString('latin1'), mutated.subarray(cut).toString('latin1'));
    assert.deepEqual(seen, parse(mutated.toString('latin1')));
    for (const one of seen) assert.ok(typeof one === 'object' || [400, 413, 431, 501].includes(one), `${one}`);
  }
});

test('what has been parsed is not kept by an idle connection', async () => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  const parser = new RequestParser(MAX_BODY);
  const received = (() => {
    const piece = Buffer.from(Buffer.from('POST /fn HTTP/1.1\r\n\r\n'));
    parser.feed(piece);
    assert.notEqual(parser.next(), null);
    assert.equal(parser.next(), null);
    return new WeakRef(piece);
  })();
  await new Promise(setImmediate); // a WeakRef holds what it refers to for the turn it was made in
  collect();
  assert.equal(received.deref(), undefined);
  assert.equal(parser.next(), null); // so that the parser is still there
});
