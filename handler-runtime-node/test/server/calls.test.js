'use strict';

const test = require('node:test');
const assert = require('node:assert/strict');
const { start, call, eventually } = require('./handler');
const { gateway, rawGateway, problem } = require('./gateway');

/** Makes the call that the request's body says, and answers what came of it. */
const CALLER = `const { call, CallError } = require('tinyfaas');
module.exports = async (req, res) => {
  const { name, ...options } = req.json();
  try {
    const answer = await call(name, options);
    res.json({ status: answer.status, headers: answer.headers, text: answer.text(), call: answer.call });
  } catch (error) {
    res.json({ error: error.message, known: error instanceof CallError, status: error.status, type: error.type });
  }
};`;

const caller = (t, socket, environment) => start(t, CALLER, { TINYFAAS_CALLS_SOCKET: socket, ...environment });

async function calls(handler, options, headers) {
  return JSON.parse((await call(handler, { body: JSON.stringify(options), headers })).text);
}

test('should call a function and answer what it answers', async (t) => {
  const gate = await gateway(t, () => ({ status: 418, headers: { 'Content-Type': 'text/plain', 'X-Tea': 'green' }, body: 'short and stout' }));
  const answer = await calls(await caller(t, gate.socket), { name: 'alarm', path: '/on?loud=1', method: 'PUT', headers: { 'X-Why': 'test' }, body: { on: true } });
  assert.deepEqual([answer.status, answer.text, answer.headers['x-tea'], answer.call], [418, 'short and stout', 'green', null]);
  const [came] = gate.requests;
  assert.deepEqual([came.method, came.url, came.headers['x-why'], came.headers['content-type']], ['PUT', '/functions/alarm/on?loud=1', 'test', 'application/json']);
  assert.equal(came.body.toString(), '{"on":true}');
});

test('should call from an ES module, whose own node_modules come first', async (t) => {
  const gate = await gateway(t, ({ body }) => ({ body }));
  const handler = await start(t, {
    'index.mjs': `import { call } from 'tinyfaas';
      import own from 'own';
      export default async (request) => (await call('echo', { body: own(await request.text()) })).text();`,
    'node_modules/own/package.json': '{"name": "own", "main": "index.js"}',
    'node_modules/own/index.js': 'module.exports = (text) => text.toUpperCase();',
  }, { TINYFAAS_CALLS_SOCKET: gate.socket });
  assert.equal((await call(handler, { body: 'grüße' })).text, 'GRÜSSE');
  const shadowed = await start(t, {
    'index.js': "module.exports = (req, res) => res.send(require('tinyfaas').mine);",
    'node_modules/tinyfaas/index.js': "exports.mine = 'the function’s own';",
  });
  assert.equal((await call(shadowed)).text, 'the function’s own');
});

test('should give bytes back as they were', async (t) => {
  const gate = await gateway(t, ({ body }) => ({ body }));
  const handler = await start(t, `const { call } = require('tinyfaas');
    module.exports = async (req, res) => res.send((await call('echo', { body: req.rawBody })).body);`, { TINYFAAS_CALLS_SOCKET: gate.socket });
  const body = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i % 256));
  assert.deepEqual((await call(handler, { body })).bytes, body);
  assert.equal(gate.requests[0].headers['content-type'], 'application/octet-stream');
});

test('should have a durable call accepted', async (t) => {
  const gate = await gateway(t, () => ({ status: 202, headers: { Location: '/calls/17ab' } }));
  const answer = await calls(await caller(t, gate.socket), { name: 'alarm', async: true, delay: '10s', idempotencyKey: 'k' });
  assert.deepEqual([answer.status, answer.call], [202, '17ab']);
  const { headers } = gate.requests[0];
  assert.deepEqual([headers.prefer, headers['x-tinyfaas-delay'], headers['idempotency-key']], ['respond-async', '10s', 'k']);
});

test('should pass deadline, depth and trace on, each to the calls of its own invocation', async (t) => {
  const gate = await gateway(t, ({ headers }) => ({ body: JSON.stringify(headers) }));
  const handler = await start(t, `const { call } = require('tinyfaas');
    let waiting = [];
    module.exports = async (req, res) => {
      await new Promise((all) => { waiting.push(all); if (waiting.length === 8) waiting.forEach((one) => one()); });
      res.send((await call('alarm')).text());
    };`, { TINYFAAS_CALLS_SOCKET: gate.socket });
  const deadline = Date.now() + 3_600_000;
  await Promise.all(Array.from({ length: 8 }, async (_, i) => {
    const headers = { 'X-tinyFaaS-Deadline': deadline + i, 'X-tinyFaaS-Depth': i, traceparent: `00-${i}`, tracestate: `a=${i}`, 'X-tinyFaaS-Device': 'lamp' };
    const seen = JSON.parse((await call(handler, { headers })).text);
    assert.deepEqual([seen['x-tinyfaas-deadline'], seen['x-tinyfaas-depth'], seen.traceparent, seen.tracestate], [String(deadline + i), String(i), `00-${i}`, `a=${i}`]);
    assert.equal(seen['x-tinyfaas-device'], undefined);
  }));
});

test('should take a trace of the function’s own, but no depth', async (t) => {
  const gate = await gateway(t, ({ headers }) => ({ body: JSON.stringify(headers) }));
  const headers = { traceparent: '00-own', 'X-tinyFaaS-Depth': '0', Connection: 'close', 'Content-Length': '7' };
  const answer = await calls(await caller(t, gate.socket), { name: 'alarm', headers }, { 'X-tinyFaaS-Depth': '3', traceparent: '00-theirs' });
  const seen = JSON.parse(answer.text);
  assert.deepEqual([seen.traceparent, seen['x-tinyfaas-depth'], seen.connection, seen['content-length']], ['00-own', '3', 'keep-alive', '0']);
});

test('should say what the gateway says against a call', async (t) => {
  for (const [status, type] of [[403, 'not-in-calls'], [404, 'unknown-function'], [508, 'too-deep'], [504, 'timeout']]) {
    const gate = await gateway(t, () => problem(status, type, `Because of ${type}.`));
    const answer = await calls(await caller(t, gate.socket), { name: 'alarm' });
    assert.deepEqual(answer, { error: `alarm is not called (${status}): No. Because of ${type}.`, known: true, status, type });
  }
});

test('should take a problem of the called function for its answer', async (t) => {
  const headers = { 'Content-Type': 'application/problem+json' };
  let body = '{"type": "urn:of:its:own"}';
  const gate = await gateway(t, () => ({ status: 400, headers, body }));
  const handler = await caller(t, gate.socket);
  assert.equal((await calls(handler, { name: 'alarm' })).status, 400);
  body = 'no JSON';
  assert.equal((await calls(handler, { name: 'alarm' })).text, body);
});

test('should say that the specification names no calls', async (t) => {
  const answer = await calls(await start(t, CALLER), { name: 'alarm' });
  assert.equal(answer.known, true);
  assert.match(answer.error, /specification: "calls": \["alarm"\]/);
});

test('should say that no gateway is there', async (t) => {
  const answer = await calls(await caller(t, '/run/nowhere/http.sock'), { name: 'alarm' });
  assert.match(answer.error, /^alarm is not called: the gateway cannot be reached \(connect ENOENT/);
});

test('should refuse what is no call before anything is sent', async (t) => {
  const gate = await gateway(t, () => ({}));
  const handler = await caller(t, gate.socket);
  for (const [options, why] of [
    [{ name: '' }, /the name of a function/], [{ name: 'a', durable: true }, /no option durable. There are path, method/], [{ name: 'a', path: 'x' }, /slash/],
    [{ name: 'a', delay: '10s' }, /async: true/], [{ name: 'a', method: 'CONNECT' }, /CONNECT/], [{ name: 'a', timeout: 0 }, /timeout/],
    [{ name: 'a', headers: { 'X-A': 'a\r\nb: c' } }, /X-A/],
    [{ name: 'a', method: 'A B' }, /method/i], [{ name: 'a', path: '/a b' }, /path/],
  ]) {
    assert.match((await calls(handler, options)).error, why);
  }
  const late = await calls(handler, { name: 'a' }, { 'X-tinyFaaS-Deadline': '1' });
  assert.match(late.error, /its time is over/);
  const large = await start(t, `const { call } = require('tinyfaas');
    module.exports = (req, res) => call('a', { body: 'ü'.repeat(51) }).catch((error) => res.send(error.message));`, { TINYFAAS_CALLS_SOCKET: gate.socket, TINYFAAS_MAX_BODY: '100' });
  assert.equal((await call(large)).text, 'a is not called: the body has 102 bytes, and may have 100.');
  assert.equal(gate.requests.length, 0);
});

test('should end at the deadline, or at its own timeout', async (t) => {
  const gate = await rawGateway(t, () => {});
  const handler = await caller(t, gate.socket);
  assert.equal((await calls(handler, { name: 'alarm' }, { 'X-tinyFaaS-Deadline': String(Date.now() + 200) })).error, 'alarm has not answered in time.');
  assert.equal((await calls(handler, { name: 'alarm', timeout: 50 })).error, 'alarm has not answered in time.');
});

test('should tell the called function of its own timeout', async (t) => {
  const gate = await gateway(t, ({ headers }) => ({ body: headers['x-tinyfaas-deadline'] }));
  const before = Date.now();
  const own = Number((await calls(await caller(t, gate.socket), { name: 'alarm', timeout: 600_000 }, { 'X-tinyFaaS-Deadline': String(before + 9_000_000) })).text);
  assert.ok(own >= before + 600_000 && own <= Date.now() + 600_000);
});

test('should tell an answer that is cut short, too large, or none', async (t) => {
  for (const [said, why] of [
    ['HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf', /^The answer of alarm was cut short/],
    ['HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n', /^The answer of alarm was cut short/],
    ['HTTP/1.1 200 OK\r\nContent-Length: 101\r\n\r\n', /larger than 100 bytes/],
    [`HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n65\r\n${'x'.repeat(101)}\r\n`, /larger than 100 bytes/],
    ['Hello\r\n\r\n', /^The gateway has closed the connection before alarm answered/],
    [`HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(20_000)}\r\n\r\n`, /^The gateway has closed the connection before alarm answered/],
  ]) {
    const gate = await rawGateway(t, (socket) => socket.once('data', () => socket.end(said)));
    const answer = await calls(await caller(t, gate.socket, { TINYFAAS_MAX_BODY: '100' }), { name: 'alarm' });
    assert.match(answer.error, why);
    assert.equal(answer.known, true);
  }
});

test('should use at most 16 connections, again and again', async (t) => {
  let open;
  const opened = new Promise((resolve) => (open = resolve));
  const gate = await gateway(t, async () => {
    await opened;
    return { body: 'done' };
  });
  const handler = await start(t, `const { call } = require('tinyfaas');
    module.exports = async (req, res) => res.send((await Promise.all(Array.from({ length: 50 }, () => call('a')))).map((one) => one.text()).join(''));`,
  { TINYFAAS_CALLS_SOCKET: gate.socket });
  const answer = call(handler);
  await eventually(() => gate.requests.length === 16, handler);
  open();
  assert.equal((await answer).text, 'done'.repeat(50));
  assert.equal(gate.connections, 16);
});

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

test('should repeat on another connection only what nobody can have run', async (t) => {
  // Each first connection answers once and takes the next request only to close.
  const closing = (socket, number) => {
    let requests = 0;
    socket.on('data', () => (number === 0 && ++requests === 2 ? socket.destroy() : socket.write(OK)));
  };
  for (const [options, expected] of [[{ async: true, idempotencyKey: 'k' }, 'ok'], [{ async: true }, undefined], [{}, undefined]]) {
    const gate = await rawGateway(t, closing);
    const handler = await caller(t, gate.socket);
    await calls(handler, { name: 'a' });
    const second = await calls(handler, { name: 'a', ...options });
    assert.equal(second.text, expected);
    if (expected === undefined) assert.match(second.error, /closed the connection before a answered, which may have run/);
    assert.equal(gate.connections, expected === undefined ? 1 : 2);
  }
});

test('should go on when the gateway has closed the connections that were kept', async (t) => {
  const gate = await gateway(t, () => ({ body: 'ok' }));
  const handler = await caller(t, gate.socket);
  for (let i = 0; i < 20; i++) {
    assert.equal((await calls(handler, { name: 'a' })).text, 'ok');
    gate.closeAll();
  }
  assert.ok(gate.connections >= 20);
});
