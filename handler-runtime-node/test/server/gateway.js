'use strict';

// The gateway's side of a function's calls, as the tests need it: HTTP on a Unix socket, answered as each test says.

const fs = require('node:fs');
const http = require('node:http');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { once } = require('node:events');

/** Listens until the test `t` ends. `server.socket` is what TINYFAAS_CALLS_SOCKET names. */
async function listen(t, server) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'tinyfaas-calls-'));
  server.socket = path.join(folder, 'http.sock');
  const open = new Set();
  server.connections = 0;
  server.on('connection', (socket) => {
    server.connections++;
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => {});
  });
  server.closeAll = () => open.forEach((socket) => socket.destroy());
  server.listen(server.socket);
  await once(server, 'listening');
  t.after(() => {
    server.closeAll();
    server.close();
    fs.rmSync(folder, { recursive: true, force: true });
  });
  return server;
}

/** `answer(request, body)` gives {status, headers, body}, or a promise of it; `requests` has what came. */
function gateway(t, answer) {
  const requests = [];
  const server = http.createServer(async (request, response) => {
    const pieces = [];
    for await (const piece of request) pieces.push(piece);
    const came = { method: request.method, url: request.url, headers: request.headers, body: Buffer.concat(pieces) };
    requests.push(came);
    const { status = 200, headers = {}, body = '' } = await answer(came);
    response.writeHead(status, headers);
    response.end(body);
  });
  server.requests = requests;
  return listen(t, server);
}

/** Speaks no HTTP of its own: `converse(socket, number)` has each connection, and the number of those before it. */
function rawGateway(t, converse) {
  let number = 0;
  return listen(t, net.createServer((socket) => converse(socket, number++)));
}

const problem = (status, type, detail) => ({
  status,
  headers: { 'Content-Type': 'application/problem+json' },
  body: JSON.stringify({ type: `urn:tinyfaas:problem:${type}`, title: 'No', status, detail }),
});

module.exports = { gateway, rawGateway, problem };
