'use strict';

const fs = require('node:fs');
const net = require('node:net');
const { HttpConnection } = require('./http-connection');
const { logFailure } = require('./answer');
const { serving, callsSocket, passedOn } = require('./serving');

const PORT = 8000;
const BACKLOG = 1024;
/** Further ones are closed at once. The gateway has far fewer. */
const MAX_CONNECTIONS = 1024;

/**
 * The handler contract over HTTP: `GET /health` and `POST /fn` (contract/handler-http.md). There is no timeout: the gateway
 * owns the connections and bounds every call.
 */
class HandlerServer {
  #invoke;
  #server;
  #connections = new Set();
  #isDraining = false;

  constructor(invoke, maxBody) {
    this.#invoke = invoke;
    this.#server = net.createServer({ noDelay: true }, (socket) => {
      const connection = new HttpConnection(socket, (request, answer) => this.#serve(request, answer), maxBody);
      this.#connections.add(connection);
      socket.once('close', () => this.#connections.delete(connection));
      if (this.#isDraining) connection.drain();
    });
    this.#server.maxConnections = MAX_CONNECTIONS;
    this.#server.on('error', (error) => {
      console.error(`The handler cannot listen: ${error.message}`);
      process.exit(1);
    });
  }

  /** Listens on the Unix socket at `socketPath`, or on TCP port 8000 when it is null. */
  listen(socketPath, listening) {
    if (socketPath === null) return this.#server.listen({ port: PORT, backlog: BACKLOG }, listening);
    fs.rmSync(socketPath, { force: true });
    // The gateway runs as another user, and connecting takes the right to write.
    this.#server.listen({ path: socketPath, readableAll: true, writableAll: true, backlog: BACKLOG }, listening);
  }

  #serve(request, answer) {
    if (request.isInvocation) this.#run(request, answer);
    else if (request.isHealth) answer.text(200, 'healthy');
    else answer.text(404, 'A handler answers POST /fn and GET /health only.');
  }

  #run(request, answer) {
    if (callsSocket !== null) answer.passedOn = passedOn(request.headers);
    serving.run(answer, () => {
      try {
        this.#invoke(request, answer);
      } catch (error) {
        answer.fail(error);
      }
    });
  }

  /** A failure that no call's promise carries: the invocation it came from answers 500 unless it has answered. */
  failUnattended(error) {
    const answer = serving.getStore();
    if (answer === undefined) logFailure(error);
    else answer.fail(error);
  }

  /**
   * Stops accepting, finishes the requests that have been read, closes each connection behind its last one. What arrives
   * behind that is not run: its sender sees the connection close and tries another handler.
   */
  drain(drained) {
    if (this.#isDraining) return;
    this.#isDraining = true;
    this.#server.close(drained);
    for (const connection of this.#connections) connection.drain();
  }
}

module.exports = { HandlerServer };
