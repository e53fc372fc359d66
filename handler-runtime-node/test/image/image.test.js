'use strict';

// The built image as the manager runs it: real containers, hardened, without network, over a Unix socket in a mounted folder.
// Needs a Docker Engine and the image (RUNTIME_IMAGE, tinyfaas/runtime-nodejs).

const test = require('node:test');
const assert = require('node:assert/strict');
const crypto = require('node:crypto');
const fs = require('node:fs');
const http = require('node:http');
const os = require('node:os');
const path = require('node:path');
const { execFile } = require('node:child_process');
const { promisify } = require('node:util');
const { setTimeout: pause } = require('node:timers/promises');
const { WANTS_INSTALLATION, INSTALLATION_SCRIPTS } = require('../../image/install-dependencies.js');

const IMAGE = process.env.RUNTIME_IMAGE ?? 'tinyfaas/runtime-nodejs';
const HARDENED = [
  '--user=65534', '--read-only', '--tmpfs=/tmp:size=16m', '--cap-drop=ALL', '--security-opt=no-new-privileges', '--init',
  '--memory=128m', '--memory-swap=128m', '--cpus=1', '--pids-limit=64',
];

const docker = async (...parameters) => (await promisify(execFile)('docker', parameters, { timeout: 600_000 })).stdout.trim();

/** An image of a function, made as the manager makes it: its files, then the build command in /function. */
async function functionImage(t, files) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tinyfaas-image-'));
  fs.mkdirSync(path.join(folder, 'function'));
  for (const [name, text] of Object.entries(files)) fs.writeFileSync(path.join(folder, 'function', name), text);
  const command = await label('build.command');
  const run = 'package.json' in files ? `RUN ${command}\n` : '';
  fs.writeFileSync(path.join(folder, 'Dockerfile'), `FROM ${IMAGE}\nCOPY function /function\n${run}`);
  const image = `tinyfaas-node-test:${crypto.randomUUID()}`;
  t.after(async () => {
    fs.rmSync(folder, { recursive: true });
    await docker('image', 'rm', '--force', image).catch(() => {});
  });
  await promisify(execFile)('docker', ['build', '--quiet', '--tag', image, folder], { timeout: 600_000 });
  return image;
}

const label = (name) => docker('image', 'inspect', '--format', `{{index .Config.Labels "tinyfaas.runtime.${name}"}}`, IMAGE);

/** Runs `image` and waits until it is healthy. */
async function run(t, image, ...more) {
  const sockets = fs.mkdtempSync(path.join(os.tmpdir(), 'tinyfaas-sockets-'));
  fs.chmodSync(sockets, 0o777);
  const unix = more.includes('--network=none');
  const place = unix ? [`--volume=${sockets}:/run/tinyfaas`, '--env=TINYFAAS_SOCKET=/run/tinyfaas/http.sock'] : [];
  const id = await docker('create', ...HARDENED, ...place, ...more, image);
  t.after(async () => {
    await docker('rm', '--force', id);
    fs.rmSync(sockets, { recursive: true });
  });
  const began = performance.now();
  await docker('start', id);
  const address = unix ? null : await docker('inspect', '--format', '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}', id);
  const target = unix ? { socketPath: path.join(sockets, 'http.sock') } : { host: address, port: 8000 };
  const end = Date.now() + 60_000;
  for (;;) {
    const health = await call(target, 'GET', '/health').catch(() => null);
    if (health?.status === 200) break;
    if (Date.now() > end) throw new Error(`not healthy: ${await docker('logs', id)}`);
    await pause(2);
  }
  t.diagnostic(`docker start to healthy: ${Math.round(performance.now() - began)} ms`);
  return { id, target, sockets };
}

function call(target, method, url, body) {
  return new Promise((resolve, reject) => {
    const request = http.request({ ...target, method, path: url, agent: false, timeout: 60_000 }, async (response) => {
      const chunks = [];
      for await (const chunk of response) chunks.push(chunk);
      resolve({ status: response.statusCode, bytes: Buffer.concat(chunks), text: Buffer.concat(chunks).toString() });
    });
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('error', reject);
    request.end(body);
  });
}

test('should name its runtime in labels', async () => {
  assert.deepEqual(
    await Promise.all(['aliases', 'transports', 'check', 'build.network'].map(label)),
    ['node', 'unix,tcp', 'package.json,*.js,*.mjs,*.cjs', 'outbound'],
  );
  assert.equal(await docker('image', 'inspect', '--format', '{{index .Config.Labels "tinyfaas.runtime"}}', IMAGE), 'nodejs');
});

test('should be built where there is something to install, and only there', async () => {
  const pointers = [...WANTS_INSTALLATION, ...INSTALLATION_SCRIPTS.map((name) => `scripts/${name}`)];
  assert.deepEqual((await label('build.when')).split(','), pointers.map((pointer) => `package.json#/${pointer}`));
});

test('should serve bytes hardened and without network, over a socket that any user may use, and stop at once', async (t) => {
  const image = await functionImage(t, { 'index.js': `module.exports = (req, res) => { console.log('ran'); res.send(req.rawBody); };` });
  const { id, target, sockets } = await run(t, image, '--network=none');
  fs.chmodSync(sockets, 0o555); // as the manager does once a handler is healthy
  for (const size of [0, 1, 524288]) {
    const body = crypto.randomBytes(size);
    const answer = await call(target, 'POST', '/fn', body);
    assert.equal(answer.status, 200);
    assert.ok(answer.bytes.equals(body), `${size} bytes`);
  }
  assert.equal(fs.statSync(target.socketPath).mode & 0o777, 0o777);
  assert.equal(await docker('logs', id), 'ran\nran\nran');
  const began = performance.now();
  await docker('stop', '--time=10', id);
  t.diagnostic(`docker stop: ${Math.round(performance.now() - began)} ms`);
  assert.equal(await docker('inspect', '--format', '{{.State.ExitCode}}', id), '0');
});

test('should let a function write to /tmp only, see no network, and be no one', async (t) => {
  const image = await functionImage(t, { 'index.mjs': `
    import fs from 'node:fs'; import os from 'node:os';
    const attempt = (file) => { try { fs.writeFileSync(file, 'x'); return 'written'; } catch (error) { return error.code; } };
    export default () => ({ uid: process.getuid(), cwd: process.cwd(), tmp: attempt('/tmp/x'), function: attempt('/function/x'), root: attempt('/x'),
      interfaces: Object.keys(os.networkInterfaces()) });` });
  const { target } = await run(t, image, '--network=none');
  const seen = JSON.parse((await call(target, 'POST', '/fn')).text);
  assert.equal(seen.uid, 65534);
  assert.equal(seen.cwd, '/function');
  assert.equal(seen.tmp, 'written');
  assert.match(seen.function, /EROFS|EACCES/);
  assert.match(seen.root, /EROFS|EACCES/);
  assert.deepEqual(seen.interfaces.filter((name) => name !== 'lo'), []);
});

test('should listen on TCP port 8000 where no socket is named', async (t) => {
  const image = await functionImage(t, { 'index.js': `module.exports = (req, res) => res.send('over TCP');` });
  const { target } = await run(t, image);
  assert.equal((await call(target, 'POST', '/fn')).text, 'over TCP');
});

test('should end with 1 and say why where a function does not load', async (t) => {
  const image = await functionImage(t, { 'index.js': `throw new Error('no database');` });
  await assert.rejects(docker('run', '--rm', ...HARDENED, '--network=none', image), { code: 1, stderr: /The function does not load: Error: no database/ });
});

test('should install dependencies that the function\'s user can read', async (t) => {
  const image = await functionImage(t, {
    'package.json': JSON.stringify({ name: 'fn', version: '1.0.0', main: 'index.js', dependencies: { 'is-number': '7.0.0' } }),
    'index.js': `const isNumber = require('is-number'); module.exports = (req, res) => res.send(isNumber(req.body));`,
  });
  const { target } = await run(t, image, '--network=none');
  assert.equal((await call(target, 'POST', '/fn', '42')).text, 'true');
  assert.equal((await call(target, 'POST', '/fn', 'x')).text, 'false');
});

test('should install what a lock file says, without development dependencies and without leaving a cache', async (t) => {
  const integrity = 'sha512-41Cifkg6e8TylSpdtTpeLVMqvSBEVzTttHvERD741+pnZ8ANv0004MRL43QKPDlK9cGvNp6NZWZUBlbGXYxxng==';
  const image = await functionImage(t, {
    'package.json': JSON.stringify({ name: 'fn', version: '1.0.0', dependencies: { 'is-number': '^7.0.0' }, devDependencies: { 'left-pad': '1.3.0' } }),
    'package-lock.json': JSON.stringify({
      name: 'fn', version: '1.0.0', lockfileVersion: 3, requires: true,
      packages: {
        '': { name: 'fn', version: '1.0.0', dependencies: { 'is-number': '^7.0.0' }, devDependencies: { 'left-pad': '1.3.0' } },
        'node_modules/is-number': { version: '7.0.0', resolved: 'https://registry.npmjs.org/is-number/-/is-number-7.0.0.tgz', integrity, engines: { node: '>=0.12.0' } },
        'node_modules/left-pad': { version: '1.3.0', resolved: 'https://registry.npmjs.org/left-pad/-/left-pad-1.3.0.tgz', dev: true },
      },
    }),
    'index.js': `const fs = require('node:fs'); module.exports = (req, res) => res.send([fs.readdirSync('node_modules').filter((n) => !n.startsWith('.')), fs.existsSync('/tmp/npm'), require('is-number')(1)]);`,
  });
  const { target } = await run(t, image, '--network=none');
  assert.equal((await call(target, 'POST', '/fn')).text, '[["is-number"],false,true]');
});

const build = (package_, ...options) =>
  docker('run', '--rm', '--interactive', '--network=none', ...options, '--entrypoint=sh', '--env', `PACKAGE=${package_}`, IMAGE, '-c',
    'echo "$PACKAGE" > package.json; [ -z "$VENDORED" ] || { mkdir -p node_modules/is-number; echo "{\\"name\\":\\"is-number\\",\\"version\\":\\"7.0.0\\"}" > node_modules/is-number/package.json; }; node /opt/tinyfaas/install-dependencies.js 2>&1');

test('should need no network where nothing is to be installed', async (t) => {
  const began = performance.now();
  assert.equal(await build('{"name":"fn","dependencies":{},"scripts":{"test":"false","install":""}}'), 'package.json asks for no dependencies.');
  t.diagnostic(`docker run with it: ${Math.round(performance.now() - began)} ms`);
  assert.match(await build('{"name":"fn","version":"1.0.0","scripts":{"postinstall":"echo built > /dev/stderr"}}'), /npm install: 0 direct dependencies/);
});

test('should leave out the package\'s scripts that call development dependencies, and say so', async () => {
  for (const [name, script] of [['prepare', 'husky'], ['postinstall', 'husky install'], ['prepare', 'tsc --build']]) {
    const said = await build(JSON.stringify({ name: 'fn', version: '1.0.0', scripts: { [name]: script }, devDependencies: { husky: '9.1.7', typescript: '5.9.2' } }));
    assert.ok(said.includes(`The script ${name} ("${script}") is left out: it calls what is not installed`), said);
  }
});

test('should run the package\'s scripts in npm\'s order, and say which one fails', async () => {
  const scripts = Object.fromEntries(INSTALLATION_SCRIPTS.map((name) => [name, `echo ran ${name}`]));
  const said = await build(JSON.stringify({ name: 'fn', version: '1.0.0', scripts }));
  assert.deepEqual(said.split('\n').filter((line) => line.startsWith('ran')), INSTALLATION_SCRIPTS.map((name) => `ran ${name}`));
  await assert.rejects(build('{"name":"fn","version":"1.0.0","scripts":{"prepare":"exit 3"}}'), (error) =>
    error.code === 1 && error.stdout.includes('The script prepare ("exit 3") of package.json ended with 3.'));
});

test('should need no network where the archive brings its dependencies', async () => {
  assert.match(await build('{"name":"fn","version":"1.0.0","dependencies":{"is-number":"7.0.0"}}', '--env=VENDORED=1'), /npm install: 1 direct dependencies/);
});

test('should say why dependencies cannot be installed', async (t) => {
  for (const [package_, said] of [
    ['{"name":"fn","version":"1.0.0","dependencies":{"is-number":"7.0.0"}}', /EAI_AGAIN|ENOTFOUND|network/],
    ['{ broken', /package\.json cannot be read: /],
    ['[]', /package\.json is not a JSON object/],
  ]) {
    const began = performance.now();
    await assert.rejects(build(package_), (error) => error.code === 1 && said.test(error.stdout));
    t.diagnostic(`${Math.round(performance.now() - began)} ms: ${package_}`);
  }
});

test('should try a registry that cannot be reached for seconds only', async () => {
  const npm = 'mkdir /tmp/bin; printf "#!/bin/sh\\necho \\"\\$@\\"\\n" > /tmp/bin/npm; chmod +x /tmp/bin/npm;';
  const asked = await docker('run', '--rm', '--network=none', '--entrypoint=sh', IMAGE, '-c',
    `${npm} echo '{"dependencies":{"a":"1.0.0"}}' > package.json; PATH=/tmp/bin:$PATH node /opt/tinyfaas/install-dependencies.js`);
  assert.match(asked, /--fetch-retries=2 --fetch-retry-mintimeout=1000 --fetch-retry-maxtimeout=5000/);
});
