'use strict';

// contract/handler-http.md, line by line.

const test = require('node:test');
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const { once } = require('node:events');
const { launch, start, call, connect, eventually, request } = require('./handler');

const ECHO = 'module.exports = (req, res) => res.send(req.rawBody);';
const BODY_IS_A_DELAY = 'module.exports = (req, res) => setTimeout(() => res.send(req.body), Number(req.body));';
/** Answers an invocation with the body of the next one; the first waits. */
const WAITS_FOR_THE_NEXT = `
  let waiting = null;
  module.exports = (req, res) => {
    if (waiting === null) { console.log('waiting'); waiting = res; return; }
    waiting.send('first, released by ' + req.body); res.send('second'); waiting = null;
  };`;

test('should be healthy once the function is loaded, and not before', async (t) => {
  const handler = launch(t, { 'index.mjs': `
    const loaded = new Promise((resolve) => process.once('SIGUSR2', resolve)); setInterval(() => {}, 1000); console.log('loading');
    await loaded; export default () => 'here';` });
  const health = () => call(handler, { method: 'GET', path: '/health' });
  await eventually(() => handler.log.includes('loading'), handler);
  await assert.rejects(health(), { code: 'ENOENT' });
  handler.child.kill('SIGUSR2');
  await eventually(async () => (await health()).status === 200, handler);
});

test('should answer 404 to everything but GET /health and POST /fn', async (t) => {
  const handler = await start(t, ECHO);
  for (const [method, target] of [['GET', '/fn'], ['PUT', '/fn'], ['POST', '/health'], ['POST', '/'], ['POST', '/fn/'], ['POST', '/fn?a=1'], ['HEAD', '/health']]) {
    assert.equal((await call(handler, { method, path: target, body: method === 'PUT' ? 'text' : undefined })).status, 404, `${method} ${target}`);
  }
});

test('should pass bytes through unchanged, with their length, however they are sent', async (t) => {
  const handler = await start(t, ECHO);
  for (const size of [0, 1, 2, 65536, 524288, 1048576]) {
    const body = crypto.randomBytes(size);
    const halves = [body.subarray(0, size / 2), body.subarray(size / 2)].filter((half) => half.length > 0);
    for (const sent of [body, halves]) {
      const answer = await call(handler, { body: sent, headers: sent === body ? { 'Content-Length': size } : { 'Transfer-Encoding': 'chunked' } });
      assert.equal(answer.status, 200);
      assert.equal(answer.headers['content-length'], String(size));
      assert.ok(answer.bytes.equals(body), `${size} bytes`);
    }
  }
});

test('should refuse a body above the limit without running the function, and live on', async (t) => {
  const handler = await start(t, `module.exports = (req, res) => { console.log('ran'); res.send(req.rawBody); };`, { TINYFAAS_MAX_BODY: '1000' });
  for (const chunked of [false, true]) {
    const body = Buffer.alloc(1001);
    const answer = await call(handler, { body: chunked ? [body.subarray(0, 600), body.subarray(600)] : body });
    assert.equal(answer.status, 413);
    assert.match(answer.text, /larger than 1000 bytes/);
    assert.equal(answer.headers.connection, 'close');
  }
  assert.doesNotMatch(handler.log, /ran/);
  assert.equal((await call(handler, { body: Buffer.alloc(1000) })).bytes.length, 1000);
});

test('should refuse a declared size before any of it arrives, and read no further', async (t) => {
  const handler = await start(t, ECHO, { TINYFAAS_MAX_BODY: '1000' });
  const connection = await connect(handler);
  connection.socket.write('POST /fn HTTP/1.1\r\nContent-Length: 999999999\r\n\r\n');
  await connection.closed;
  assert.match(connection.received, /^HTTP\/1\.1 413 /);
});

test('should bound bodies to 1 MiB by default', async (t) => {
  const handler = await start(t, ECHO);
  assert.equal((await call(handler, { body: Buffer.alloc(1048576) })).status, 200);
  // Whoever has begun to send more sees the connection close, perhaps before the answer: so only announced here.
  const connection = await connect(handler);
  connection.socket.write('POST /fn HTTP/1.1\r\nContent-Length: 1048577\r\n\r\n');
  await connection.until(/^HTTP\/1\.1 413 /);
});

test('should not start with a limit that is no number of bytes', async (t) => {
  const { code, log } = await launch(t, ECHO, { TINYFAAS_MAX_BODY: '1M' }).ended;
  assert.equal(code, 1);
  assert.match(log, /TINYFAAS_MAX_BODY is "1M": give the number of bytes/);
});

test('should keep connections open and name no idle timeout', async (t) => {
  const handler = await start(t, ECHO);
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.after(() => agent.destroy());
  for (let i = 0; i < 10; i++) {
    const answer = await call(handler, { body: String(i), agent });
    assert.equal(answer.text, String(i));
    assert.notEqual(answer.headers.connection, 'close');
    assert.equal(answer.headers['keep-alive'], undefined);
    assert.equal(answer.headers.date, undefined);
  }
  assert.equal(Object.values(agent.freeSockets).flat().length, 1);
});

test('should answer pipelined requests in order, whichever is done first', async (t) => {
  const handler = await start(t, BODY_IS_A_DELAY);
  const connection = await connect(handler);
  connection.socket.write(request('60') + request('1') + 'GET /health HTTP/1.1\r\n\r\n' + request('30') + request(''));
  await connection.until(/(HTTP\/1\.1 200 OK[^]*){5}/);
  assert.deepEqual(connection.received.split(/HTTP\/1\.1 200 OK\r\n[^]*?\r\n\r\n/), ['', '60', '1', 'healthy', '30', '']);
});

test('should take a request that arrives byte by byte', async (t) => {
  const handler = await start(t, ECHO);
  const connection = await connect(handler);
  for (const byte of request('abc')) await new Promise((written) => connection.socket.write(byte, written));
  await connection.until(/\r\n\r\nabc$/);
});

test('should run requests of different connections concurrently', async (t) => {
  const handler = await start(t, WAITS_FOR_THE_NEXT);
  const first = call(handler, { body: '1' });
  await eventually(() => handler.log.includes('waiting'), handler);
  assert.equal((await call(handler, { body: '2' })).text, 'second');
  assert.equal((await first).text, 'first, released by 2');
});

test('should answer 400 to what is not HTTP, and live on', async (t) => {
  const handler = await start(t, ECHO);
  const connection = await connect(handler);
  connection.socket.write('\x16\x03\x01 hello\r\n\r\n');
  await connection.closed;
  assert.match(connection.received, /^HTTP\/1\.1 400 /);
  assert.equal((await call(handler, { body: 'x' })).text, 'x');
});

test('should replace a socket left over from an earlier life', async (t) => {
  const handler = await start(t, ECHO);
  handler.child.kill('SIGKILL');
  await handler.ended;
  assert.ok(fs.existsSync(handler.socket));
  const next = await start(t, ECHO, { TINYFAAS_SOCKET: handler.socket });
  assert.equal((await call(next, { body: 'again' })).text, 'again');
});

test('should let every user connect to its socket', async (t) => {
  const handler = await start(t, ECHO);
  assert.equal(fs.statSync(handler.socket).mode & 0o777, 0o777);
});

test('should say why it cannot listen', async (t) => {
  const { code, log } = await launch(t, ECHO, { TINYFAAS_SOCKET: '/does/not/exist/http.sock' }).ended;
  assert.equal(code, 1);
  assert.match(log, /^The handler cannot listen: .*\/does\/not\/exist\/http\.sock/);
});

test('should on SIGTERM finish what it has read, in order, then end with 0', async (t) => {
  const handler = await start(t, `
    module.exports = (req, res) => { console.log('began'); process.once('SIGTERM', () => setTimeout(() => res.send(req.body), 20)); };
    process.setMaxListeners(100);`);
  const idle = await connect(handler);
  idle.socket.write('GET /health HTTP/1.1\r\n\r\n');
  await idle.until(/healthy/);
  const untouched = await connect(handler);
  const busy = await connect(handler);
  busy.socket.write(request('one') + request('two') + request('x'.repeat(500_000)));
  await eventually(() => handler.log.split('began').length === 4, handler);
  handler.child.kill('SIGTERM');
  await Promise.all([idle.closed, untouched.closed, busy.closed]);
  const bodies = busy.received.split(/HTTP\/1\.1 200 OK\r\n[^]*?\r\n\r\n/);
  assert.deepEqual(bodies.slice(0, 3), ['', 'one', 'two']);
  assert.equal(bodies[3].length, 500_000);
  assert.match(busy.received, /Connection: close/);
  assert.deepEqual(await handler.ended.then(({ code, signal }) => ({ code, signal })), { code: 0, signal: null });
  await assert.rejects(call(handler), { code: /ENOENT|ECONNREFUSED/ });
});

test('should on SIGTERM wait for the rest of a body and for a slow reader', async (t) => {
  const handler = await start(t, `module.exports = (req, res) => { console.log('began'); res.send(Buffer.alloc(1_000_000, req.body)); };`);
  const slow = net.connect(handler.socket);
  slow.write(request('y'));
  const late = await connect(handler);
  late.socket.write('POST /fn HTTP/1.1\r\nContent-Length: 2\r\n\r\nz');
  await eventually(() => handler.log.includes('began'), handler);
  await call(handler, { method: 'GET', path: '/health' });
  handler.child.kill('SIGTERM');
  await eventually(() => call(handler, { method: 'GET', path: '/health' }).then(() => false, () => true), handler);
  late.socket.write('z');
  await late.closed;
  assert.match(late.received, /\r\n\r\nz{1000000}$/);
  let size = 0;
  slow.on('data', (bytes) => (size += bytes.length));
  await once(slow, 'close');
  assert.ok(size > 1_000_000, `${size} bytes arrived`);
  assert.equal((await handler.ended).code, 0);
});

test('should on SIGTERM run nothing that arrives behind the last request', async (t) => {
  const handler = await start(t, `
    process.once('SIGTERM', () => console.log('draining'));
    module.exports = (req, res) => { console.log('ran ' + req.body); process.once('SIGUSR2', () => res.send(req.body)); };`);
  const connection = await connect(handler);
  connection.socket.write(request('1'));
  await eventually(() => handler.log.includes('ran 1'), handler);
  handler.child.kill('SIGTERM');
  await eventually(() => handler.log.includes('draining'), handler);
  await new Promise((written) => connection.socket.write(request('2'), written));
  handler.child.kill('SIGUSR2');
  await connection.closed;
  assert.match(connection.received, /^HTTP\/1\.1 200 OK\r\n[^]*Connection: close\r\n\r\n1$/);
  assert.equal((await handler.ended).code, 0);
  assert.doesNotMatch(handler.log, /ran 2/);
});

test('should end on SIGTERM while it loads', async (t) => {
  const handler = launch(t, { 'index.mjs': `console.log('loading'); setInterval(() => {}, 1000); await new Promise(() => {});` });
  await eventually(() => handler.log.includes('loading'), handler);
  handler.child.kill('SIGTERM');
  assert.equal((await handler.ended).code, 0);
});

test('should forget an invocation whose caller has gone', async (t) => {
  const handler = await start(t, `
    let gone = null;
    module.exports = (req, res) => {
      if (req.body === 'go') { gone = res; console.log('began'); return; }
      gone.send('to nobody'); res.send('alive');
    };`);
  const connection = await connect(handler);
  connection.socket.write(request('go'));
  await eventually(() => handler.log.includes('began'), handler);
  connection.socket.destroy();
  await connection.closed;
  assert.equal((await call(handler)).text, 'alive');
  handler.child.kill('SIGTERM');
  assert.equal((await handler.ended).code, 0);
});

test('should take a body whose sender breaks off as no invocation', async (t) => {
  const handler = await start(t, `module.exports = (req, res) => { console.log('ran ' + req.body.length); res.send('ok'); };`);
  const connection = await connect(handler);
  connection.socket.write('POST /fn HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf');
  connection.socket.destroy();
  await call(handler, { body: 'whole' });
  assert.equal(handler.log, 'ran 5\n');
});

test('should write the function\'s output line by line as it comes', async (t) => {
  const handler = await start(t, `module.exports = (req, res) => { console.log('out'); console.error('err'); process.stdout.write('more\\n'); while (req.body) {} res.send(); };`);
  call(handler, { body: 'never ends' }).catch(() => {});
  await eventually(() => /out/.test(handler.log) && /err/.test(handler.log) && /more/.test(handler.log), handler);
});

