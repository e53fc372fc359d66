'use strict';

// One connection over a real socket: pipelining, batches, bounds, and what HTTP asks beside the contract.

const test = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { once } = require('node:events');
const { setTimeout: pause, setImmediate: nextTurn } = require('node:timers/promises');
const { HttpConnection } = require('../../server/http-connection');
const { request } = require('./handler');

const MAX_BODY = 100_000;

/** A connection whose requests go to `run`, with the peer's socket, what it received, and how often the server has written. */
async function open(t, run) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tinyfaas-'));
  const opened = { received: '', writes: 0 };
  const server = net.createServer((socket) => {
    const write = socket._writeGeneric; // what each write that reaches the system goes through
    socket._writeGeneric = function (...its) { opened.writes++; return write.apply(this, its); };
    opened.connection = new HttpConnection(socket, run, MAX_BODY);
  });
  server.listen(path.join(folder, 'http.sock'));
  await once(server, 'listening');
  opened.peer = net.connect(path.join(folder, 'http.sock'));
  opened.closed = new Promise((closed) => opened.peer.once('close', closed));
  opened.peer.on('error', () => {});
  opened.peer.on('data', (bytes) => (opened.received += bytes.toString('latin1')));
  opened.until = (condition) => until(() => (condition instanceof RegExp ? condition.test(opened.received) : condition()), opened);
  t.after(() => {
    opened.peer.destroy();
    server.close();
    fs.rmSync(folder, { recursive: true });
  });
  return opened;
}

async function until(condition, opened) {
  for (const end = Date.now() + 60_000; !condition(); await pause(2)) {
    if (Date.now() > end) throw new Error(`It did not come about. Received: ${opened.received.slice(0, 1000)}`);
  }
}

/** Turns of the event loop, enough for what has been sent to be read, and for what must not happen to happen. */
async function turns() {
  for (let i = 0; i < 100; i++) await nextTurn();
}

const echo = (request, answer) => answer.give(200, [], request.body);
const bodies = (received) => received.split(/HTTP\/1\.1 \d{3} (?:OK)?\r\n[^]*?\r\n\r\n/).slice(1);
const numbered = (count) => Array.from({ length: count }, (_, i) => String(i));

for (const [how, run] of Object.entries({
  'at once': (request, answer) => answer.give(200, [], request.body.toString()),
  'by promises': (request, answer) => Promise.resolve().then(() => null).then(() => answer.give(200, [], request.body.toString())),
  'as bytes': echo,
})) {
  test(`should write the answers to requests that came together with few writes, answered ${how}`, async (t) => {
    const opened = await open(t, run);
    opened.peer.write(numbered(64).map(request).join(''));
    await opened.until(() => bodies(opened.received).length === 64);
    assert.deepEqual(bodies(opened.received), numbered(64));
    assert.ok(opened.writes <= 8, `${opened.writes} writes`); // one, where the machine has nothing else to do
  });
}

test('should not hold answers while the next requests take long', async (t) => {
  const opened = await open(t, (request, answer) => {
    for (const end = performance.now() + 5; performance.now() < end; );
    echo(request, answer);
  });
  opened.peer.write(numbered(10).map(request).join(''));
  await opened.until(() => bodies(opened.received).length === 10);
  assert.equal(opened.writes, 10);
});

test('should answer in order whichever is done first', async (t) => {
  const waiting = [];
  const opened = await open(t, (request, answer) => waiting.push(() => answer.give(200, [], request.body)));
  opened.peer.write(numbered(9).map(request).join(''));
  await opened.until(() => waiting.length === 9);
  for (const i of [8, 3, 1, 0, 2, 7, 6, 5]) waiting[i]();
  await opened.until(() => bodies(opened.received).length === 4);
  waiting[4]();
  await opened.until(() => bodies(opened.received).length === 9);
  assert.deepEqual(bodies(opened.received), numbered(9));
});

test('should mix text, bytes, what is not ASCII and answers without a body', async (t) => {
  const answers = [
    (answer) => answer.give(200, ['X-Name', 'grün'], 'grün 世界'),
    (answer) => answer.give(200, [], Buffer.from([0, 255, 13, 10])),
    (answer) => answer.give(204, [], 'dropped'),
    (answer) => answer.give(200, ['X-Two', ['a', 'b']], 'ascii'),
    (answer) => answer.give(404, [], null),
    (answer) => answer.give(200, [], 'ü'.repeat(300_000)),
    (answer) => answer.give(200, [], Buffer.alloc(300_000, 'b')),
    (answer) => answer.give(201, [], 'end'),
  ];
  let next = 0;
  const opened = await open(t, (_, answer) => answers[next++](answer));
  opened.peer.write(answers.map(() => request()).join(''));
  await opened.until(/end$/);
  const latin1 = (text) => Buffer.from(text).toString('latin1');
  assert.equal(opened.received, [
    `HTTP/1.1 200 OK\r\nX-Name: grün\r\nContent-Length: 12\r\n\r\n${latin1('grün 世界')}`,
    'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n\0\xff\r\n',
    'HTTP/1.1 204 \r\n\r\n',
    'HTTP/1.1 200 OK\r\nX-Two: a\r\nX-Two: b\r\nContent-Length: 5\r\n\r\nascii',
    'HTTP/1.1 404 \r\nContent-Length: 0\r\n\r\n',
    `HTTP/1.1 200 OK\r\nContent-Length: 600000\r\n\r\n${latin1('ü'.repeat(300_000))}`,
    `HTTP/1.1 200 OK\r\nContent-Length: 300000\r\n\r\n${'b'.repeat(300_000)}`,
    'HTTP/1.1 201 \r\nContent-Length: 3\r\n\r\nend',
  ].join(''));
});

test('should run 256 requests at once, and further ones as those are answered', async (t) => {
  const waiting = [];
  const opened = await open(t, (request, answer) => waiting.push(() => answer.give(200, [], request.body)));
  opened.peer.write(numbered(1000).map(request).join(''));
  await opened.until(() => waiting.length === 256);
  await turns();
  assert.equal(waiting.length, 256);
  for (let i = 0; i < 1000; i++) {
    await opened.until(() => waiting.length > i);
    waiting[i]();
  }
  await opened.until(() => bodies(opened.received).length === 1000);
  assert.deepEqual(bodies(opened.received), numbered(1000));
});

test('should hold no more bodies at once than one of the largest size, and one more', async (t) => {
  const waiting = [];
  const opened = await open(t, (request, answer) => waiting.push(() => answer.give(200, [], String(request.body.length))));
  opened.peer.write(request('x'.repeat(60_000)).repeat(10));
  await opened.until(() => waiting.length === 2);
  await turns();
  assert.equal(waiting.length, 2);
  for (let i = 0; i < 10; i++) {
    await opened.until(() => waiting.length > i);
    waiting[i]();
  }
  await opened.until(() => bodies(opened.received).length === 10);
});

test('should read no further while its answers are not taken', async (t) => {
  let ran = 0;
  const opened = await open(t, (_, answer) => (ran++, answer.give(200, [], 'x'.repeat(10_000))));
  opened.peer.pause();
  opened.peer.write(request().repeat(5000));
  await opened.until(() => ran > 0);
  await turns();
  assert.ok(ran < 500, `${ran} ran`);
  opened.peer.resume();
  await opened.until(() => ran === 5000);
  await opened.until(() => bodies(opened.received).length === 5000);
});

test('should tell a sender that waits for it to continue, behind the answers before', async (t) => {
  const waiting = [];
  const opened = await open(t, (request, answer) => waiting.push(() => answer.give(200, [], request.body)));
  opened.peer.write(`${request('first')}POST /fn HTTP/1.1\r\nExpect: 100-Continue\r\nContent-Length: 6\r\n\r\n`);
  await opened.until(() => waiting.length === 1);
  waiting[0]();
  await opened.until(/100 \r\n\r\n$/);
  opened.peer.write('second');
  await opened.until(() => waiting.length === 2);
  waiting[1]();
  await opened.until(/second$/);
  assert.match(opened.received, /^HTTP\/1\.1 200 OK\r\nContent-Length: 5\r\n\r\nfirstHTTP\/1\.1 100 \r\n\r\nHTTP\/1\.1 200 OK\r\n/);
});

test('should not tell a sender to continue whose body is there or too large', async (t) => {
  const opened = await open(t, echo);
  opened.peer.write('POST /fn HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nwhole');
  await opened.until(/whole$/);
  opened.peer.write(`POST /fn HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: ${MAX_BODY + 1}\r\n\r\n`);
  await opened.closed;
  assert.match(opened.received, /^HTTP\/1\.1 200 OK[^]*wholeHTTP\/1\.1 413 /);
  assert.doesNotMatch(opened.received, / 100 /);
});

test('should answer what came before a refusal, then refuse, then close, whatever its sender still sends', async (t) => {
  const waiting = [];
  const opened = await open(t, (request, answer) => waiting.push(() => answer.give(200, [], request.body)));
  opened.peer.write(`${request('fine')}POST /fn HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n${request('smuggled').repeat(3000)}`);
  await opened.until(() => waiting.length === 1);
  waiting[0]();
  opened.peer.write(request('smuggled').repeat(3000));
  await opened.closed;
  assert.match(opened.received, /^HTTP\/1\.1 200 OK\r\nContent-Length: 4\r\n\r\nfineHTTP\/1\.1 400 \r\n[^]*Connection: close\r\n\r\nThe request is malformed: both Content-Length and Transfer-Encoding\.$/);
  assert.equal(waiting.length, 1);
});

test('should close behind the answer to a request that asks for it, and run nothing behind it', async (t) => {
  let ran = 0;
  const opened = await open(t, (_, answer) => (ran++, answer.give(200, [], 'last')));
  opened.peer.write(`POST /fn HTTP/1.1\r\nConnection: close\r\n\r\n${request()}`);
  await opened.closed;
  assert.equal(opened.received, 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlast');
  assert.equal(ran, 1);
});

test('should send no body with the answer to a HEAD', async (t) => {
  const opened = await open(t, (_, answer) => answer.give(200, [], 'body'));
  opened.peer.write('HEAD /fn HTTP/1.1\r\n\r\n');
  await opened.until(/\r\n\r\n/);
  opened.peer.write(request());
  await opened.until(/body$/);
  assert.equal(opened.received, `HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n`.repeat(2) + 'body');
});

test('should drop an answer whose peer has gone', async (t) => {
  const waiting = [];
  const opened = await open(t, (_, answer) => waiting.push(answer));
  opened.peer.write(request().repeat(2));
  await opened.until(() => waiting.length === 2);
  opened.peer.destroy();
  await opened.closed;
  await turns();
  waiting[1].give(200, [], 'x');
  waiting[0].give(200, [], 'x');
  assert.equal(opened.writes, 0);
});
