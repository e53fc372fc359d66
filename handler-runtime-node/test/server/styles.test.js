'use strict';

// What functions in both styles see of a request, and what becomes of what they answer; and how a function is found.

const test = require('node:test');
const assert = require('node:assert/strict');
const { start, call } = require('./handler');

const DEVICE = {
  'Content-Type': 'application/json',
  'X-tinyFaaS-Method': 'FETCH',
  'X-tinyFaaS-Path': '/a%20b/c',
  'X-tinyFaaS-Query': 'x=1&y=%C3%A9&x=2&__proto__=z&flag',
  'X-tinyFaaS-Protocol': 'coap',
  'X-tinyFaaS-Peer': '[2001:db8::7]:40123',
  'X-tinyFaaS-Message-Type': 'NON',
};
const SEEN = {
  method: 'FETCH', path: '/a%20b/c', url: '/a%20b/c?x=1&y=%C3%A9&x=2&__proto__=z&flag', x: ['1', '2'], y: 'é', proto: 'z', flag: '',
  peer: '[2001:db8::7]:40123', type: 'application/json', lower: 'NON', absent: true, json: { größe: 1 },
};
const LOOK = `(r) => ({ method: r.method, path: r.path, url: r.url, x: r.query.x, y: r.query.y, proto: r.query.__proto__, flag: r.query.flag,
  peer: r.peer, type: r.get('CONTENT-TYPE'), lower: r.headers['x-tinyfaas-message-type'], absent: r.get('ETag') === undefined })`;
const NOTHING = { method: 'POST', path: '/', url: '/', query: {}, peer: null, text: '', size: 0 };

test('should show a CommonJS function what the device sent', async (t) => {
  const handler = await start(t, `
    const look = ${LOOK};
    module.exports = (req, res) => res.json({ ...look(req), json: req.json(), body: req.body, raw: req.rawBody.length, header: req.header('accept') });`);
  const body = '{"größe":1}';
  const answer = await call(handler, { headers: { ...DEVICE, Accept: 'text/plain' }, body });
  assert.deepEqual(JSON.parse(answer.text), { ...SEEN, body, raw: Buffer.byteLength(body), header: 'text/plain' });
});

test('should show an ES module what the device sent', async (t) => {
  const handler = await start(t, { 'index.mjs': `
    const look = ${LOOK};
    export default async (request) => ({ ...look(request), json: await request.json(), text: await request.text(),
      bytes: (await request.bytes()).length, buffer: (await request.arrayBuffer()).byteLength, body0: (await request.bytes()) instanceof Uint8Array });` });
  const body = '{"größe":1}';
  const size = Buffer.byteLength(body);
  const answer = await call(handler, { headers: DEVICE, body });
  assert.deepEqual(JSON.parse(answer.text), { ...SEEN, text: body, bytes: size, buffer: size, body0: true });
});

test('should have defaults for what the device did not send', async (t) => {
  const common = await start(t, `module.exports = (req, res) => res.send({ method: req.method, path: req.path, url: req.url, query: req.query, peer: req.peer, text: req.body, size: req.rawBody.length });`);
  assert.deepEqual(JSON.parse((await call(common)).text), NOTHING);
  const module = await start(t, { 'index.mjs': `export default async (r) => ({ method: r.method, path: r.path, url: r.url, query: r.query, peer: r.peer, text: await r.text(), size: (await r.bytes()).length });` });
  assert.deepEqual(JSON.parse((await call(module)).text), NOTHING);
});

test('should let a function overwrite what it was given, as Express does', async (t) => {
  const handler = await start(t, `'use strict'; module.exports = (req, res) => { req.body = JSON.parse(req.body); req.user = 'me'; req.path = '/else'; res.send([req.body.a, req.user, req.path]); };`);
  assert.equal((await call(handler, { body: '{"a":1}' })).text, '[1,"me","/else"]');
});

const TEXT = 'text/plain; charset=utf-8';
const JSON_TYPE = 'application/json';
const BYTES = 'application/octet-stream';

// What a function does, then the status, type and body of the answer.
const EXPRESS = [
  [`res.send('grün')`, 200, TEXT, 'grün'],
  [`res.send('')`, 200, TEXT, ''],
  [`res.send({ a: 1 })`, 200, JSON_TYPE, '{"a":1}'],
  [`res.send([1, 2])`, 200, JSON_TYPE, '[1,2]'],
  [`res.send(true)`, 200, JSON_TYPE, 'true'],
  [`res.send(42)`, 200, JSON_TYPE, '42'],
  [`res.send(Buffer.from('bytes'))`, 200, BYTES, 'bytes'],
  [`res.send(new Uint8Array([104, 105]))`, 200, BYTES, 'hi'],
  [`res.send(new Uint16Array([0x6968]))`, 200, BYTES, 'hi'],
  [`res.send(new Uint8Array([104, 105]).buffer)`, 200, BYTES, 'hi'],
  [`res.send(null)`, 200, undefined, ''],
  [`res.send()`, 200, undefined, ''],
  [`res.json('text')`, 200, JSON_TYPE, '"text"'],
  [`res.json(null)`, 200, JSON_TYPE, 'null'],
  [`res.status(404).send('none')`, 404, TEXT, 'none'],
  [`res.statusCode = 202; res.end()`, 202, undefined, ''],
  [`res.sendStatus(503)`, 503, TEXT, 'Service Unavailable'],
  [`res.sendStatus(599)`, 599, TEXT, '599'],
  [`res.type('html').send('<p>')`, 200, 'text/html; charset=utf-8', '<p>'],
  [`res.type('.cbor').send(Buffer.from('x'))`, 200, 'application/cbor', 'x'],
  [`res.type('unheard').send('x')`, 200, BYTES, 'x'],
  [`res.contentType('application/senml+json').send([{ n: 't' }])`, 200, 'application/senml+json', '[{"n":"t"}]'],
  [`res.set('content-type', 'text/csv').send('a,b')`, 200, 'text/csv', 'a,b'],
  [`res.setHeader('Content-Type', 'text/csv'); res.end('a,b')`, 200, 'text/csv', 'a,b'],
  [`res.set('Content-Type', 'text/csv'); res.removeHeader('content-TYPE'); res.send('a')`, 200, TEXT, 'a'],
  [`res.write('a'); res.write(Buffer.from('b')); res.end('c', () => {})`, 200, undefined, 'abc'],
  [`res.write('6869', 'hex'); res.end()`, 200, undefined, 'hi'],
  [`res.write(new Uint8Array([104]).buffer); res.write(new DataView(new Uint8Array([0, 105]).buffer, 1)); res.end(new Uint16Array([0x6968]))`, 200, undefined, 'hihi'],
  [`const shared = new SharedArrayBuffer(2); new Uint8Array(shared).set([104, 105]); res.send(shared)`, 200, BYTES, 'hi'],
  [`res.end(() => {})`, 200, undefined, ''],
  [`res.writeHead(418, { 'Content-Type': 'text/teapot' }).end('short')`, 418, 'text/teapot', 'short'],
  [`res.writeHead(418, 'Teapot').end()`, 418, undefined, ''],
  [`res.header({ 'Content-Type': 'a/b', 'X-Is': res.get('x-none') ?? 1 }).send(res.getHeader('CONTENT-TYPE'))`, 200, 'a/b', 'a/b'],
  [`return new Promise((done) => setTimeout(() => { res.send('later'); done(); }, 5))`, 200, TEXT, 'later'],
  [`return setImmediate(() => res.send('returned a handle'))`, 200, TEXT, 'returned a handle'],
  [`return 'is not looked at', res.send('x')`, 200, TEXT, 'x'],
];

test('should answer what a CommonJS function sends', async (t) => {
  const handler = await start(t, `module.exports = (req, res) => new Function('req', 'res', req.body)(req, res);`);
  for (const [statement, status, type, body] of EXPRESS) {
    const answer = await call(handler, { body: statement });
    assert.deepEqual([answer.status, answer.headers['content-type'], answer.text], [status, type, body], statement);
    assert.equal(answer.headers['content-length'], String(Buffer.byteLength(body)), statement);
    assert.equal(answer.headers.connection, 'close', 'as the test asked');
  }
});

const RESULTS = [
  [`'grün'`, 200, TEXT, 'grün'],
  [`undefined`, 200, undefined, ''],
  [`null`, 200, undefined, ''],
  [`({ a: 1 })`, 200, JSON_TYPE, '{"a":1}'],
  [`[1]`, 200, JSON_TYPE, '[1]'],
  [`0`, 200, JSON_TYPE, '0'],
  [`false`, 200, JSON_TYPE, 'false'],
  [`({ status: 'on' })`, 200, JSON_TYPE, '{"status":"on"}'],
  [`({ headers: {} })`, 200, JSON_TYPE, '{"headers":{}}'],
  [`({ status: 200, body: 'x', more: 1 })`, 200, JSON_TYPE, '{"status":200,"body":"x","more":1}'],
  [`({ toJSON: () => 'own' })`, 200, JSON_TYPE, '"own"'],
  [`({})`, 200, JSON_TYPE, '{}'],
  [`Buffer.from('hi')`, 200, BYTES, 'hi'],
  [`new Uint8Array([104, 105]).buffer`, 200, BYTES, 'hi'],
  [`new DataView(new Uint8Array([0, 104, 105]).buffer, 1)`, 200, BYTES, 'hi'],
  [`({ status: 404 })`, 404, undefined, ''],
  [`({ status: 201, body: { made: 1 } })`, 201, JSON_TYPE, '{"made":1}'],
  [`({ body: 'only' })`, 200, TEXT, 'only'],
  [`({ status: 200, headers: { 'content-type': 'text/csv' }, body: 'a,b' })`, 200, 'text/csv', 'a,b'],
  [`({ body: Buffer.from('hi'), headers: { 'Content-Type': 'image/png', 'Content-Length': 999, 'Transfer-Encoding': 'chunked' } })`, 200, 'image/png', 'hi'],
  [`new Response('grün', { status: 203 })`, 203, 'text/plain;charset=UTF-8', 'grün'],
  [`Response.json({ a: 1 }, { status: 400 })`, 400, JSON_TYPE, '{"a":1}'],
  [`new Response(null)`, 200, undefined, ''],
  [`new Response(new Uint8Array([104, 105]))`, 200, BYTES, 'hi'],
  [`Promise.resolve('nested')`, 200, TEXT, 'nested'],
  [`{ const shared = new SharedArrayBuffer(2); new Uint8Array(shared).set([104, 105]); shared }`, 200, BYTES, 'hi'],
  [`new Blob(['hi'])`, 200, BYTES, 'hi'],
  [`new Blob(['<p>'], { type: 'text/html' })`, 200, 'text/html', '<p>'],
  [`({ status: 201, headers: { 'content-type': 'text/csv' }, body: new Blob(['a,b']) })`, 201, 'text/csv', 'a,b'],
  [`new Blob(['hi']).stream()`, 200, BYTES, 'hi'],
  [`process.getBuiltinModule('stream').Readable.from(['h', Buffer.from('i')])`, 200, BYTES, 'hi'],
  [`process.getBuiltinModule('stream').Readable.from(['gr', 'ün'])`, 200, TEXT, 'grün'],
  [`process.getBuiltinModule('stream').Readable.from([])`, 200, BYTES, ''],
  [`(async function* () { yield 'h'; yield 'i'; })()`, 200, TEXT, 'hi'],
  [`({ body: (async function* () { yield new Uint16Array([0x6968]).buffer; })() })`, 200, BYTES, 'hi'],
  [`Object.assign(new Map([['a', 1]]), { toJSON: () => 'own' })`, 200, JSON_TYPE, '"own"'],
  [`({ status: null, body: 'x' })`, 200, TEXT, 'x'],
];

for (const kind of ['async ', '']) {
  test(`should answer what an ES module's ${kind}function returns`, async (t) => {
    const handler = await start(t, { 'index.mjs': `export default ${kind}(request) => (0, eval)(request.rawBody.toString());` });
    for (const [expression, status, type, body] of RESULTS) {
      const answer = await call(handler, { body: expression });
      assert.deepEqual([answer.status, answer.headers['content-type'], answer.text], [status, type, body], expression);
      assert.equal(answer.headers['content-length'], String(Buffer.byteLength(body)), expression);
    }
  });
}

test('should send no body and no length where the status allows none', async (t) => {
  const handler = await start(t, `module.exports = (req, res) => res.status(Number(req.body)).send('dropped');`);
  for (const status of [204, 304]) {
    const answer = await call(handler, { body: String(status) });
    assert.deepEqual([answer.status, answer.text, answer.headers['content-length']], [status, '', undefined]);
  }
});

test('should repeat headers that have several values', async (t) => {
  const common = await start(t, `module.exports = (req, res) => res.set('Set-Cookie', ['a=1', 'b=2']).append('set-cookie', 'c=3').append('X-Many', 'x').append('X-Many', 'y').send();`);
  const module = await start(t, { 'index.mjs': `
    export default () => { const headers = new Headers({ 'X-Many': 'x' }); headers.append('X-Many', 'y'); for (const c of ['a=1', 'b=2', 'c=3']) headers.append('Set-Cookie', c); return new Response('', { headers }); };` });
  for (const handler of [common, module]) {
    const { headers } = await call(handler);
    assert.deepEqual([headers['set-cookie'], headers['x-many']], [['a=1', 'b=2', 'c=3'], 'x, y']);
  }
});

const SAYS = (text) => `module.exports = (req, res) => res.send('${text}');`;
const RETURNS = (text) => `export default () => '${text}';`;
const OTHER = 'throw new Error("the wrong file");';

for (const [how, files] of Object.entries({
  'package.json\'s main': { 'package.json': '{"name":"fn","version":"1.0.0","main":"lib/start.js"}', 'lib/start.js': SAYS('found'), 'index.js': OTHER },
  'package.json\'s main without its extension': { 'package.json': '{"main":"./start"}', 'start.js': SAYS('found') },
  'package.json\'s main, a folder': { 'package.json': '{"main":"lib"}', 'lib/index.js': SAYS('found') },
  'package.json without main': { 'package.json': '{"name":"fn"}', 'index.js': SAYS('found') },
  'package.json whose main is not there': { 'package.json': '{"name":"fn","main":"app.js"}', 'index.js': SAYS('found') },
  'package.json\'s exports': { 'package.json': '{"exports":"./start.js","main":"index.js"}', 'start.js': SAYS('found'), 'index.js': OTHER },
  'package.json\'s exports with conditions': { 'package.json': '{"type":"module","exports":{".":{"browser":"./b.js","import":{"default":"./start.js"}}}}', 'start.js': RETURNS('found'), 'b.js': OTHER },
  'package.json that begins with a byte order mark, as Windows tools write it': { 'package.json': '\ufeff{"main":"start.js"}', 'start.js': SAYS('found'), 'index.js': OTHER },
  'package.json of type module': { 'package.json': '{"type":"module"}', 'index.js': RETURNS('found') },
  'index.js that is an ES module by its syntax': { 'index.js': RETURNS('found') },
  'index.mjs': { 'index.mjs': RETURNS('found'), 'a.js': OTHER, 'b.js': OTHER },
  'index.cjs': { 'index.cjs': SAYS('found') },
  'index.js before fn.js and handler.js': { 'index.js': SAYS('found'), 'fn.js': OTHER, 'handler.js': OTHER },
  'fn.js': { 'fn.js': SAYS('found'), 'helper.js': OTHER },
  'handler.mjs': { 'handler.mjs': RETURNS('found'), 'helper.js': OTHER },
  'the only file': { 'sieve.js': SAYS('found'), 'README.md': '', 'lib/helper.js': OTHER },
  'a compiled default export': { 'index.js': `Object.defineProperty(exports, '__esModule', { value: true }); exports.default = async () => 'found';` },
  'an ES module with top-level await': { 'index.mjs': `const word = await Promise.resolve('found'); export default () => word;` },
  'a module beside it': { 'index.js': `const word = require('./lib/word'); module.exports = (req, res) => res.send(word);`, 'lib/word.js': `module.exports = 'found';` },
})) {
  test(`should find the function by ${how}`, async (t) => {
    const handler = await start(t, files);
    assert.equal((await call(handler)).text, 'found');
    assert.equal(handler.log, '');
  });
}

test('should run the file that is named as the entry', async (t) => {
  const files = { 'package.json': '{"main":"index.js"}', 'index.js': OTHER, 'lib/start.mjs': RETURNS('found') };
  assert.equal((await call(await start(t, files, { TINYFAAS_ENTRY: 'lib/start.mjs' }))).text, 'found');
});

test('should run a function written for the existing tinyFaaS unchanged', async (t) => {
  const handler = await start(t, {
    'package.json': '{ "name": "fn", "version": "1.0.0", "main": "index.js" }',
    'index.js': `module.exports = (req, res) => { const response = 'echo ' + req.body + ' ' + req.headers['user-agent']; console.log(response); res.send(response); }`,
  });
  assert.equal((await call(handler, { body: 'hello', headers: { 'User-Agent': 'device' } })).text, 'echo hello device');
  assert.equal(handler.log, 'echo hello device\n');
});
