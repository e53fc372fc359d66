'use strict';

// Functions that fail, and how little of it the caller and the other invocations see.

const test = require('node:test');
const assert = require('node:assert/strict');
const { start, launch, call, connect, eventually, request } = require('./handler');

const COMMON_JS = (body) => `module.exports = ${body};`;
const MODULE = (body) => ({ 'index.mjs': `export default ${body};` });

for (const [style, files] of Object.entries({
  'thrown by a CommonJS function': COMMON_JS(`(req, res) => { if (req.body !== 'fine') throw new TypeError('it is broken'); res.send('fine'); }`),
  'rejected by a CommonJS function': COMMON_JS(`async (req, res) => { await null; if (req.body !== 'fine') throw new TypeError('it is broken'); res.send('fine'); }`),
  'thrown by an ES module': MODULE(`(request) => { if (request.rawBody.length !== 4) throw new TypeError('it is broken'); return 'fine'; }`),
  'rejected by an ES module': MODULE(`async (request) => { if (await request.text() !== 'fine') throw new TypeError('it is broken'); return 'fine'; }`),
  'thrown in a timer of a CommonJS function': COMMON_JS(`(req, res) => { setTimeout(() => { if (req.body !== 'fine') throw new TypeError('it is broken'); res.send('fine'); }, 1); }`),
  'rejected where nobody awaits': COMMON_JS(`(req, res) => { Promise.resolve().then(() => { if (req.body !== 'fine') throw new TypeError('it is broken'); res.send('fine'); }); }`),
})) {
  test(`should answer 500 with the message of what is ${style}, log the stack trace, and live on`, async (t) => {
    const handler = await start(t, files);
    for (let i = 0; i < 2; i++) {
      const answer = await call(handler, { body: 'not fine' });
      assert.equal(answer.status, 500);
      assert.equal(answer.text, 'it is broken');
      assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8');
    }
    assert.match(handler.log, /TypeError: it is broken\n +at .*index\.m?js:1/);
    assert.equal((await call(handler, { body: 'fine' })).text, 'fine');
  });
}

test('should tell the caller one short line whatever is thrown', async (t) => {
  const handler = await start(t, `module.exports = (req, res) => { throw eval(req.body); };`);
  const told = async (body) => {
    const answer = await call(handler, { body });
    assert.equal(answer.status, 500, body);
    return answer.text;
  };
  assert.equal(await told(`new Error('a'.repeat(500))`), 'a'.repeat(200));
  assert.equal(await told(`new Error('one\\n  at two\\u0000\\tthree')`), 'one at two three');
  assert.equal(await told(`new Error('é'.repeat(300))`), 'é'.repeat(200));
  assert.equal(await told(`new RangeError()`), 'RangeError');
  assert.equal(await told(`'only text'`), 'only text');
  assert.equal(await told(`({ message: 'like an error' })`), 'like an error');
  for (const nothing of ['undefined', 'null', `''`, `({ get message() { throw 1; } })`, 'new Proxy({}, { get() { throw 1; } })']) {
    assert.equal(await told(nothing), 'The function failed.', nothing);
  }
  assert.equal(await told('Symbol("s")'), 'Symbol(s)');
});

test('should bound the stack trace in the log', async (t) => {
  const handler = await start(t, `module.exports = (req, res) => { throw new Error('x'.repeat(1e6)); };`);
  await call(handler);
  await eventually(() => handler.log.endsWith('…\n'), handler);
  assert.ok(handler.log.length < 20_000);
});

test('should keep the answer that was given before the function throws', async (t) => {
  const handler = await start(t, `module.exports = async (req, res) => { res.status(201).send('given'); if (req.body) await null; throw new Error('afterwards'); };`);
  for (const body of ['', 'later']) {
    const answer = await call(handler, { body });
    assert.deepEqual([answer.status, answer.text], [201, 'given']);
  }
  await eventually(() => handler.log.split('Error: afterwards').length === 3, handler);
});

for (const [how, code] of Object.entries({
  'a function without res': `(req) => 'lost'`,
  'an async function without res': `async (req) => 'lost'`,
  'an async function with res': `async (req, res) => 'lost'`,
  'a function with res, a text,': `(req, res) => 'lost'`,
  'a function with res, a number,': `(req, res) => 42`,
})) {
  test(`should say once in the log that what ${how} returns is no answer`, async (t) => {
    const handler = await start(t, COMMON_JS(code));
    const connection = await connect(handler);
    connection.socket.write(request() + request());
    await eventually(() => /^The function returned a value, which is not sent, and has not answered\. Call res\.send\(value\), or/.test(handler.log), handler);
    await call(handler, { method: 'GET', path: '/health' });
    assert.equal(handler.log.split('\n').length, 2);
  });
}

test('should not mind what a function returns that answers', async (t) => {
  const handler = await start(t, COMMON_JS(`(req, res) => req.body === 'later' ? setTimeout(() => res.send('sent'), 5) : Promise.resolve(res.send('sent'))`));
  for (const body of ['', 'later']) assert.equal((await call(handler, { body })).text, 'sent');
  assert.equal(handler.log, '');
});

test('should refuse a second answer as Express does', async (t) => {
  const handler = await start(t, `
    module.exports = (req, res) => {
      res.send('first');
      for (const again of [() => res.send('x'), () => res.json({}), () => res.end(), () => res.write('x'), () => res.set('a', 'b'), () => res.sendStatus(200)]) {
        try { again(); console.log('allowed ' + again); } catch (error) { console.log(error.code); }
      }
      console.log(res.headersSent, res.writableEnded);
    };`);
  assert.equal((await call(handler)).text, 'first');
  await eventually(() => handler.log === 'ERR_HTTP_HEADERS_SENT\n'.repeat(6) + 'true true\n', handler);
});

test('should tell apart which of several invocations a stray failure belongs to', async (t) => {
  const handler = await start(t, `
    let waiting = null;
    module.exports = (req, res) => {
      if (req.body === 'wait') { waiting = res; console.log('waiting'); return; }
      if (req.body === 'release') { waiting.send('undisturbed'); res.send('released'); return; }
      setImmediate(() => { if (req.body === 'throw') throw new Error('stray'); Promise.reject(new Error('stray')); });
    };`);
  const innocent = call(handler, { body: 'wait' });
  await eventually(() => handler.log.includes('waiting'), handler);
  for (const body of ['throw', 'reject']) {
    const answer = await call(handler, { body });
    assert.deepEqual([answer.status, answer.text], [500, 'stray']);
  }
  assert.equal((await call(handler, { body: 'release' })).text, 'released');
  assert.equal((await innocent).text, 'undisturbed');
});

test('should survive a failure that belongs to no invocation', async (t) => {
  const handler = await start(t, `
    process.on('SIGUSR2', () => { throw new Error('nobody asked'); });
    module.exports = (req, res) => res.send('alive');`);
  handler.child.kill('SIGUSR2');
  await eventually(() => handler.log.includes('Error: nobody asked'), handler);
  assert.equal((await call(handler)).text, 'alive');
});

for (const [what, statement] of Object.entries({
  'a header name with a space': `res.set('bad name', 'x')`,
  'a header value with a line break': `res.set('x-split', 'a\\r\\nSet-Cookie: b')`,
  'a header without a value': `res.set('x-none', undefined)`,
  'an empty header name': `res.set('', 'x')`,
  'a status that is text': `res.status('ok')`,
  'a status beyond 599': `res.status(1000)`,
  'an informational status': `res.sendStatus(101)`,
  'a value that JSON cannot hold': `res.json({ self: 1n })`,
  'a value that is a function': `res.send(() => {})`,
  'an object for write': `res.write({})`,
})) {
  test(`should answer 500 to ${what}`, async (t) => {
    const handler = await start(t, `module.exports = (req, res) => { ${statement}; res.send('unreachable'); };`);
    const answer = await call(handler);
    assert.equal(answer.status, 500);
    assert.ok(answer.text.length > 10 && answer.text.length <= 200, answer.text);
    assert.equal(answer.headers['set-cookie'], undefined);
  });
}

for (const [what, result] of Object.entries({
  'a header name with a space': `{ headers: { 'bad name': 'x' }, body: '' }`,
  'a header value with a line break': `{ headers: { 'x-split': 'a\\r\\nb' }, body: '' }`,
  'a status beyond 599': `{ status: 600 }`,
  'a status that is no integer': `{ status: 200.5, body: 'x' }`,
  'a status that is text, with a body': `{ status: 'ok', body: 'x' }`,
  'a cyclic object': `globalThis`,
  'a bigint': `1n`,
  'a symbol': `Symbol('s')`,
  'a network error': `Response.error()`,
  'a response whose body breaks off': `new Response(new ReadableStream({ pull(c) { c.error(new Error('broke off')); } }))`,
})) {
  test(`should answer 500 to a result with ${what}`, async (t) => {
    const handler = await start(t, { 'index.mjs': `export default async (request) => (${result});` });
    const answer = await call(handler);
    assert.equal(answer.status, 500);
    assert.ok(answer.text.length >= 9 && answer.text.length <= 200, answer.text);
  });
}

for (const [what, result, message] of [
  ['a Map', `new Map([['a', 1]])`, 'A Map cannot be written as JSON: give Object.fromEntries(map) instead.'],
  ['a Set', `new Set([1])`, 'A Set cannot be written as JSON: give [...set] instead.'],
  ['a generator', `(function* () { yield 1; })()`, 'A generator cannot be written as JSON: give a list of what it yields instead.'],
  ['a stream of objects', `(async function* () { yield { a: 1 }; })()`, 'A stream that is answered has pieces of text or bytes, and this one has one of type object.'],
  ['a stream that breaks off', `(async function* () { yield 'a'; throw new Error('broke off'); })()`, 'broke off'],
  ['a Blob that is too large', `new Blob(['x'.repeat(1001)])`, 'The stream that is answered has more than 1000 bytes.'],
  ['a stream that does not end', `new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(100)); }, cancel() { console.log('closed'); } })`, 'The stream that is answered has more than 1000 bytes.'],
  ['a Response that does not end', `new Response(new ReadableStream({ pull(c) { c.enqueue(new Uint8Array(100)); }, cancel() { console.log('closed'); } }))`, 'The stream that is answered has more than 1000 bytes.'],
]) {
  test(`should answer 500 and what to return to ${what}`, async (t) => {
    for (const kind of ['async ', '']) {
      const handler = await start(t, { 'index.mjs': `export default ${kind}() => (${result});` }, { TINYFAAS_MAX_BODY: '1000' });
      const answer = await call(handler);
      assert.deepEqual([answer.status, answer.text], [500, message]);
      if (result.includes('cancel')) await eventually(() => handler.log.includes('closed'), handler);
    }
  });
}

test('should say what to send instead of what JSON cannot hold', async (t) => {
  const handler = await start(t, COMMON_JS(`(req, res) => res.send(eval(req.body))`));
  for (const [body, instead] of [[`new Map()`, 'Object.fromEntries(map)'], [`new Blob(['x'])`, 'await its arrayBuffer()'], [`(async function* () {})()`, 'what has been read from it']]) {
    const answer = await call(handler, { body });
    assert.equal(answer.status, 500);
    assert.ok(answer.text.endsWith(`give ${instead} instead.`), answer.text);
  }
});

test('should take bytes for what they are, not for an object with a key for each', async (t) => {
  for (const kind of ['async ', '']) {
    // Eight million keys would be more than this heap holds.
    const handler = await start(t, MODULE(`${kind}() => new Uint8Array(8e6)`), { NODE_OPTIONS: '--max-old-space-size=64' });
    assert.equal((await call(handler)).bytes.length, 8e6);
  }
});

for (const [what, files, file] of [
  ['the entry', { 'index.mjs': `export default () => {\n  const x = ;\n};` }, 'index.mjs:2'],
  ['an imported module', { 'index.mjs': `import './lib.mjs'; export default () => 1;`, 'lib.mjs': `let a;\n\nlet a;` }, 'lib.mjs:3'],
  ['a module that is imported later', { 'index.mjs': `await import('./lib.mjs'); export default () => 1;`, 'lib.mjs': `let a;\nlet a;` }, 'lib.mjs:2'],
  ['an ES module by its syntax', { 'index.js': `import fs from 'node:fs';\nexport default () => { const x = ; };` }, 'index.js:2'],
  ['an ES module by package.json', { 'package.json': '{"type":"module"}', 'index.js': `\nexport default () => { const x = ; };` }, 'index.js:2'],
  ['an import of what is not exported', { 'index.mjs': `\nimport { x } from './lib.mjs'; export default () => 1;`, 'lib.mjs': `export const y = 1;` }, 'index.mjs:2'],
  ['imported JSON', { 'index.mjs': `import x from './a.json' with { type: 'json' }; export default () => 1;`, 'a.json': `{` }, 'a.json: '],
]) {
  test(`should name the file and the line of a syntax error in ${what}`, async (t) => {
    const { code, log } = await launch(t, files).ended;
    assert.equal(code, 1, log);
    assert.match(log, /^The function does not load:/);
    assert.match(log, /SyntaxError/);
    assert.ok(log.includes(`/${file}`), log);
  });
}

test('should name the file and the line of a syntax error that nobody awaits', async (t) => {
  const { code, log } = await launch(t, { 'index.mjs': `import('./lib.mjs'); await new Promise(() => setInterval(() => {}, 1000)); export default () => 1;`, 'lib.mjs': `let a;\nlet a;` }).ended;
  assert.equal(code, 1, log);
  assert.match(log, /^The function does not load:\n.*lib\.mjs:2\n/);
});

for (const [what, files, message] of [
  ['throws while it loads', `throw new Error('no database');`, /^The function does not load: Error: no database\n +at .*index\.js:1/],
  ['has a syntax error', `module.exports = (req, res) => { `, /The function does not load: .*index\.js:1[^]*SyntaxError/],
  ['requires a module that is not there', `require('left-pad');`, /Cannot find module 'left-pad'[^]*index\.js:1[^]*Name "left-pad" in the "dependencies" of package\.json/],
  ['requires a file of a scoped module that is not there', `require('@a/b/c.js');`, /Name "@a\/b" in the "dependencies"/],
  ['requires a file that is not there', `require('./lib/a');`, /Cannot find module '\.\/lib\/a'(?![^]*dependencies)/],
  ['imports a module that is not there', { 'index.mjs': `import 'left-pad';` }, /Cannot find package 'left-pad'[^]*Name "left-pad" in the "dependencies" of package\.json/],
  ['exports nothing', `const x = 1;`, /index\.js exports no function\. Write `module\.exports =/],
  ['exports an object', { 'index.mjs': `export default {};` }, /index\.mjs exports no function/],
  ['exports a handler by name', `exports.handler = async (event) => 1;`, /index\.js exports no function but handler by its name, as other platforms want it; here it is the module's own\. Write `module\.exports =/],
  ['exports a function by name', { 'index.mjs': `export const run = () => 1;` }, /index\.mjs exports no function but run by its name/],
  ['exports an Express application', `const app = (req, res, next) => app.handle(req, res, next); app.handle = app.listen = app.use = () => {}; module.exports = app;`, /index\.js exports an Express application, which is no function\. Export the function that answers a request/],
  ['exports a class', `module.exports = class Lamp {};`, /index\.js exports a class, which is no function\. Write `module\.exports =/],
  ['has no file', { 'README.md': '' }, /the archive has no JavaScript file at its top\. Name it index\.js/],
  ['has several files', { 'a.js': '', 'b.mjs': '' }, /several files could be it \(a\.js, b\.mjs\)\. Name it index\.js/],
  ['has a package.json that is not JSON', { 'package.json': '{', 'index.js': '' }, /package\.json is not JSON: /],
  ['names a file that is not there', { 'package.json': '{"main": "gone.js"}', 'a.js': '' }, /package\.json names "gone\.js", which the archive does not hold/],
  ['ends the process', `process.exit(0);`, /never finished loading/],
  ['awaits what never comes', { 'index.mjs': `await new Promise(() => {}); export default () => 1;` }, /never finished loading/],
  ['rejects while it loads', `Promise.reject(new Error('left alone')); module.exports = () => {};`, /left alone/],
  ['throws undefined', `throw undefined;`, /The function does not load: undefined/],
]) {
  test(`should end with 1 and say why when a function ${what}`, async (t) => {
    const { code, log } = await launch(t, files).ended;
    assert.equal(code, 1, log);
    assert.match(log, message);
  });
}

test('should end with 1 when the file that is named as the entry is not there', async (t) => {
  for (const entry of ['gone.js', 'lib']) {
    const { code, log } = await launch(t, { 'index.js': 'module.exports = () => {}', 'lib/a.js': '' }, { TINYFAAS_ENTRY: entry }).ended;
    assert.equal(code, 1);
    assert.match(log, new RegExp(`the archive has no file ${entry}, which is named as the entry`));
  }
});

test('should keep a connection usable after a failure on it', async (t) => {
  const handler = await start(t, `module.exports = (req, res) => { if (req.body === 'bad') throw new Error('bad'); res.send(req.body); };`);
  const connection = await connect(handler);
  connection.socket.write(request('bad') + request('good'));
  await connection.until(/^HTTP\/1\.1 500 [^]*\r\n\r\nbadHTTP\/1\.1 200 OK[^]*\r\n\r\ngood$/);
});
