'use strict';

const http = require('node:http');
const net = require('node:net');
const fs = require('node:fs');
const { AsyncLocalStorage } = require('node:async_hooks');
const { Answer, logFailure } = require('./answer');
const { rawHeader } = require('./request');

const PORT = 8000;

// The gateway owns its connections and bounds every call, so that none is closed from this side; a Host header says
// nothing on a socket of one function.
const OPTIONS = { keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0, requireHostHeader: false };

/** The handler contract over HTTP: `GET /health` and `POST /fn` (contract/handler-http.md). */
class HandlerServer {
  #invoke;
  #maxBody;
  #server;
  #draining = false;
  /** Each open connection and the newest response on it, null before the first request. */
  #connections = new Map();
  /** Tells which invocation a failure outside its call's own promise belongs to. */
  #current = new AsyncLocalStorage();

  constructor(invoke, maxBody) {
    this.#invoke = invoke;
    this.#maxBody = maxBody;
    this.#server = http.createServer(OPTIONS, (request, response) => this.#serve(request, response));
    this.#server.on('connection', (socket) => {
      this.#connections.set(socket, null);
      socket.once('close', () => this.#connections.delete(socket));
    });
    this.#server.on('error', (error) => {
      console.error(`The handler cannot listen: ${error.message}`);
      process.exit(1);
    });
  }

  /** Listens on the Unix socket at `socketPath`, or on TCP port 8000 when it is null. */
  listen(socketPath, listening) {
    if (socketPath === null) return this.#server.listen(PORT, listening);
    fs.rmSync(socketPath, { force: true });
    // The gateway runs as another user, and connecting takes the right to write.
    this.#server.listen({ path: socketPath, readableAll: true, writableAll: true, backlog: 1024 }, listening);
  }

  #serve(request, response) {
    // What arrives behind the last request that is finished is not run: its sender sees the connection close and tries another handler.
    if (this.#draining) return;
    response.sendDate = false;
    this.#connections.set(request.socket, response);
    const answer = new Answer(response);
    if (request.url === '/fn' && request.method === 'POST') this.#readBody(request, response, answer);
    else if (request.url === '/health' && request.method === 'GET') answer.text(200, 'healthy');
    else answer.text(404, 'A handler answers POST /fn and GET /health only.');
  }

  #readBody(request, response, answer) {
    const declared = rawHeader(request, 'content-length');
    if (declared === undefined ? rawHeader(request, 'transfer-encoding') === undefined : declared === '0') {
      return this.#run(request, null, answer);
    }
    if (Number(declared) > this.#maxBody) return this.#refuse(request, response, answer);
    let first = null;
    let chunks = null;
    let size = 0;
    request.on('data', (chunk) => {
      size += chunk.length;
      if (size > this.#maxBody) this.#refuse(request, response, answer);
      else if (first === null) first = chunk;
      else (chunks ??= [first]).push(chunk);
    });
    request.on('end', () => this.#run(request, chunks === null ? first : Buffer.concat(chunks, size), answer));
  }

  #refuse(request, response, answer) {
    request.removeAllListeners('data').removeAllListeners('end').pause();
    response.shouldKeepAlive = false;
    answer.text(413, `The body is larger than ${this.#maxBody} bytes.`);
  }

  #run(request, body, answer) {
    this.#current.run(answer, () => {
      try {
        this.#invoke(request, body, answer);
      } catch (error) {
        answer.fail(error);
      }
    });
  }

  /** A failure that no call's promise carries: the invocation it came from answers 500 unless it has answered. */
  failUnattended(error) {
    const answer = this.#current.getStore();
    if (answer === undefined) logFailure(error);
    else answer.fail(error);
  }

  /** Stops accepting, finishes the requests that have been read, closes each connection behind its last one. */
  drain(drained) {
    if (this.#draining) return;
    this.#draining = true;
    // Not http.Server's close, which destroys connections whose last answer is still being written.
    net.Server.prototype.close.call(this.#server, drained);
    for (const [socket, newest] of this.#connections) {
      if (newest === null || newest.writableFinished) {
        socket.destroySoon();
      } else {
        newest.shouldKeepAlive = false;
        newest.once('finish', () => socket.destroySoon());
      }
    }
  }
}

module.exports = { HandlerServer };
