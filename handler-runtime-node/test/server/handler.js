'use strict';

// Starts real handlers for the tests: the server in a process of its own, on a Unix socket, with a function written here.

const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { spawn } = require('node:child_process');
const { once } = require('node:events');
const { setTimeout: pause } = require('node:timers/promises');

const MAIN = path.resolve(__dirname, '../../server/main.js');
const DEADLINE = 60_000; // for what comes at once on a quiet machine

/** Writes `files` (name to text) into a new folder; a text alone is index.js. The module tinyfaas is where the image has it. */
function functionFolder(files) {
  const root = fs.realpathSync(fs.mkdtempSync(path.join(os.tmpdir(), 'tinyfaas-')));
  fs.mkdirSync(path.join(root, 'node_modules'));
  fs.symlinkSync(path.resolve(__dirname, '../../server/tinyfaas'), path.join(root, 'node_modules', 'tinyfaas'));
  const folder = path.join(root, 'function');
  fs.mkdirSync(folder);
  for (const [name, text] of Object.entries(typeof files === 'string' ? { 'index.js': files } : files)) {
    fs.mkdirSync(path.dirname(path.join(folder, name)), { recursive: true });
    fs.writeFileSync(path.join(folder, name), text);
  }
  return folder;
}

/** A process that runs the function in `files`; nothing is awaited. The test `t` ends it. */
function launch(t, files, environment = {}) {
  const folder = functionFolder(files);
  const socket = environment.TINYFAAS_SOCKET ?? path.join(folder, 'http.sock');
  const child = spawn(process.execPath, ['--disable-warning=MODULE_TYPELESS_PACKAGE_JSON', MAIN, folder], {
    env: { PATH: process.env.PATH, TINYFAAS_SOCKET: socket, ...environment },
  });
  const handler = { child, folder, socket, log: '' };
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (handler.log += text));
  handler.ended = once(child, 'close').then(([code, signal]) => ({ code, signal, log: handler.log }));
  setTimeout(() => child.kill('SIGKILL'), 2 * DEADLINE).unref();
  t.after(async () => {
    child.kill('SIGKILL');
    await handler.ended;
    fs.rmSync(path.dirname(folder), { recursive: true, force: true });
  });
  return handler;
}

/** A handler that is healthy. */
async function start(t, files, environment) {
  const handler = launch(t, files, environment);
  await eventually(async () => (await call(handler, { method: 'GET', path: '/health' })).status === 200, handler);
  return handler;
}

async function eventually(condition, handler) {
  const end = Date.now() + DEADLINE;
  for (;;) {
    if (await Promise.resolve(condition()).catch(() => false)) return;
    if (Date.now() > end || handler.child.exitCode !== null) throw new Error(`It did not come about. The handler's log:\n${handler.log}`);
    await pause(5);
  }
}

/** One request: `body` is sent with its length, or in chunks if it is a list. */
function call(handler, { method = 'POST', path: target = '/fn', headers = {}, body, agent } = {}) {
  return new Promise((resolve, reject) => {
    const request = http.request({ socketPath: handler.socket, method, path: target, headers, agent: agent ?? false, timeout: DEADLINE });
    request.on('error', reject);
    request.on('timeout', () => request.destroy(new Error('no answer')));
    request.on('response', async (response) => {
      const chunks = [];
      try {
        for await (const chunk of response) chunks.push(chunk);
      } catch (error) {
        return reject(error);
      }
      const bytes = Buffer.concat(chunks);
      resolve({ status: response.statusCode, headers: response.headers, bytes, text: bytes.toString() });
    });
    if (Array.isArray(body)) {
      for (const chunk of body) request.write(chunk);
      request.end();
    } else {
      request.end(body);
    }
  });
}

/** A connection that is written and read by the byte. */
async function connect(handler) {
  const socket = net.connect(handler.socket);
  await once(socket, 'connect');
  const connection = { socket, received: '', closed: new Promise((closed) => socket.once('close', closed)) };
  socket.on('data', (bytes) => (connection.received += bytes.toString('latin1')));
  socket.on('error', () => {});
  connection.until = (pattern) => eventually(() => pattern.test(connection.received), handler);
  return connection;
}

const request = (body = '') => `POST /fn HTTP/1.1\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;

module.exports = { launch, start, call, connect, eventually, request };
