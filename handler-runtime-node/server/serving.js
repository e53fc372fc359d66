'use strict';

const { AsyncLocalStorage } = require('node:async_hooks');

const PASSED_ON = ['x-tinyfaas-deadline', 'x-tinyfaas-depth', 'traceparent', 'tracestate'];

/** The Answer of the invocation that is under way. A failure outside its own promise is told apart by it, and so are the calls that it makes. */
const serving = new AsyncLocalStorage();

/** Where the gateway takes this function's calls; null for a function that may call no others. */
const callsSocket = process.env.TINYFAAS_CALLS_SOCKET || null;

/** Of a request's headers, what the calls that are made for it say again: until when somebody waits, how many functions led here, the trace. */
function passedOn(headers) {
  const some = {};
  for (const name of PASSED_ON) {
    if (headers[name] !== undefined) some[name] = headers[name];
  }
  return some;
}

module.exports = { serving, callsSocket, passedOn };
