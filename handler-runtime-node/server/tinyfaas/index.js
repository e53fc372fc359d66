'use strict';

// What a function gets from require('tinyfaas') and from import … from 'tinyfaas': calling another function of the box.

const http = require('node:http');
const { AnswerHeaders } = require('../answer-headers');
const { encoded } = require('../answer');
const { serving, callsSocket } = require('../serving');

const MAX_CONNECTIONS = 16;
const MAX_WAITING = 1024;
/** The gateway keeps connections for longer, so that none is used while it is being closed. */
const MAX_IDLE_MILLIS = 10_000;
/** Where nobody says until when he waits. */
const DEFAULT_MILLIS = 60_000;
/** The gateway knows better what took so long, and answers at the deadline: it is given the time to. */
const GRACE_MILLIS = 1_000;
const OPTIONS = ['path', 'method', 'headers', 'body', 'async', 'delay', 'idempotencyKey', 'timeout'];
const PROBLEM = 'urn:tinyfaas:problem:';
const OF_THE_CONNECTION = ['expect', 'host', 'proxy-connection', 'te'];

const maxBody = Number(process.env.TINYFAAS_MAX_BODY || 1_048_576);
const agent = new http.Agent({ keepAlive: true, maxSockets: MAX_CONNECTIONS, maxFreeSockets: MAX_CONNECTIONS, timeout: MAX_IDLE_MILLIS });
let underWay = 0;

/** No answer of the function: `status` and `type` are those of the gateway's problem, null where it said nothing. */
class CallError extends Error {
  constructor(message, status = null, type = null) {
    super(message);
    this.name = 'CallError';
    this.status = status;
    this.type = type;
  }
}

class CallAnswer {
  constructor(status, headers, body) {
    this.status = status;
    /** Names in lower case. */
    this.headers = headers;
    /** Buffer */
    this.body = body;
    /** The ID of a durable call that has been accepted; else null. */
    this.call = (status === 202 && /^\/calls\/([^/?]+)$/.exec(headers.location ?? '')?.[1]) || null;
  }

  text() {
    return this.body.toString();
  }

  json() {
    return JSON.parse(this.body.toString());
  }
}

/**
 * Calls the function `name` and answers what it answers, whatever its status. Rejects with CallError where there is no answer of it.
 * With `async: true` the call is on disk when the answer (202) comes, and runs at least once.
 */
async function call(name, options = {}) {
  if (callsSocket === null) {
    throw new CallError(`This function may call no others. Name those that it calls in its specification: "calls": ["${name}"].`);
  }
  const request = requestOf(name, options);
  if (underWay >= MAX_WAITING) throw new CallError(`${name} is not called: ${MAX_WAITING} calls of this handler are under way already.`);
  underWay++;
  try {
    return answerOf(name, await exchange(request));
  } finally {
    underWay--;
  }
}

function requestOf(name, options) {
  for (const option of Object.keys(options)) {
    if (!OPTIONS.includes(option)) throw new TypeError(`A call has no option ${option}. There are ${OPTIONS.join(', ')}.`);
  }
  const { path = '', method = 'POST', body = null, async: isDurable = false, delay, idempotencyKey, timeout } = options;
  if (typeof name !== 'string' || name === '') throw new TypeError('A call wants the name of a function: call("alarm").');
  if (path !== '' && !/^[/?]/.test(path)) throw new TypeError(`The path ${path} does not begin with a slash.`);
  if (/^connect$/i.test(method)) throw new TypeError('A function cannot be called with the method CONNECT.');
  if (!isDurable && (delay !== undefined || idempotencyKey !== undefined)) throw new TypeError('delay and idempotencyKey are for durable calls: add async: true.');
  if (timeout !== undefined && !(timeout > 0)) throw new TypeError('timeout is a number of milliseconds above 0.');

  const [type, bytes] = encoded(body);
  const size = bytes === null ? 0 : Buffer.byteLength(bytes);
  if (size > maxBody) throw new CallError(`${name} is not called: the body has ${size} bytes, and may have ${maxBody}.`);
  const passedOn = serving.getStore()?.passedOn ?? {};
  const millis = millisLeft(name, passedOn['x-tinyfaas-deadline'], timeout);
  return {
    name, millis, bytes, repeatable: isDurable && idempotencyKey !== undefined, isReused: false, isAnswered: false,
    path: `/functions/${encodeURIComponent(name)}${path}`,
    method,
    headers: headersOf(options, type, size, passedOn, timeout === undefined ? null : Date.now() + millis),
  };
}

function millisLeft(name, deadline, timeout) {
  const left = deadline === undefined ? DEFAULT_MILLIS : Number(deadline) - Date.now();
  if (!(left > 0)) throw new CallError(`${name} is not called: nobody waits for this invocation any more, its time is over.`);
  return Math.min(left, timeout ?? left, 2 ** 31 - 1 - GRACE_MILLIS);
}

function headersOf({ headers = {}, async: isDurable, delay, idempotencyKey }, type, size, passedOn, ownDeadline) {
  const set = new AnswerHeaders();
  const { traceparent, tracestate, ...ofTheGateway } = passedOn;
  if (traceparent !== undefined) set.set('traceparent', traceparent);
  if (tracestate !== undefined) set.set('tracestate', tracestate);
  for (const [name, value] of typeof headers.entries === 'function' ? headers.entries() : Object.entries(headers)) set.set(name, value);
  for (const name of OF_THE_CONNECTION) set.delete(name);
  if (isDurable) set.set('Prefer', 'respond-async');
  if (delay !== undefined) set.set('X-tinyFaaS-Delay', delay);
  if (idempotencyKey !== undefined) set.set('Idempotency-Key', idempotencyKey);
  for (const [name, value] of Object.entries(ofTheGateway)) set.set(name, value);
  if (ownDeadline !== null) set.set('x-tinyfaas-deadline', Math.floor(ownDeadline));
  const flat = set.flat(size > 0 ? type : null);
  const named = { Host: 'box', 'Content-Length': size };
  for (let i = 0; i < flat.length; i += 2) named[flat[i]] = flat[i + 1];
  return named;
}

/** [status, headers, body]. The time counts from here on, waiting for a connection included. */
async function exchange(request) {
  let sent = null;
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    sent?.destroy();
  }, request.millis + GRACE_MILLIS);
  try {
    for (let attempt = 1; ; attempt++) {
      try {
        return await send(request, (started) => (sent = started));
      } catch (error) {
        if (isLate) throw new CallError(`${request.name} has not answered in time.`);
        if (error instanceof CallError) throw error;
        if (attempt > 1 || !mayRepeat(request, error)) throw broken(request, error);
        // The others that were kept are most likely closed as well.
        for (const socket of Object.values(agent.freeSockets).flat()) socket.destroy();
      }
    }
  } finally {
    clearTimeout(timer);
  }
}

/** A connection that was kept may have been closed meanwhile. What the kernel did not take whole (EPIPE) was run by nobody. */
function mayRepeat(request, error) {
  return request.isReused && !request.isAnswered && (request.repeatable || error.code === 'EPIPE');
}

function broken(request, error) {
  if (request.isAnswered) return new CallError(`The answer of ${request.name} was cut short: ${error.message}.`);
  if (error.syscall === 'connect') return new CallError(`${request.name} is not called: the gateway cannot be reached (${error.message}). It may be starting anew.`);
  return new CallError(`The gateway has closed the connection before ${request.name} answered, which may have run (${error.message}).`);
}

function send(request, started) {
  return new Promise((resolve, reject) => {
    const { path, method, headers } = request;
    const sent = http.request({ socketPath: callsSocket, path, method, headers, agent });
    started(sent);
    sent.on('socket', () => (request.isReused = sent.reusedSocket));
    sent.on('error', reject);
    sent.on('response', (response) => {
      request.isAnswered = true;
      receive(response, request).then(resolve, (error) => {
        sent.destroy();
        reject(error);
      });
    });
    sent.end(request.bytes);
  });
}

async function receive(response, { name }) {
  const tooLarge = () => new CallError(`The answer of ${name} is larger than ${maxBody} bytes.`);
  if (response.headers['content-length'] > maxBody && response.req.method !== 'HEAD') throw tooLarge();
  const pieces = [];
  let size = 0;
  for await (const piece of response) {
    size += piece.length;
    if (size > maxBody) throw tooLarge();
    pieces.push(piece);
  }
  return [response.statusCode, response.headers, Buffer.concat(pieces, size)];
}

/** A status of the called function is an answer, a problem of the gateway is none. */
function answerOf(name, [status, headers, body]) {
  const answer = new CallAnswer(status, headers, body);
  if (status < 400 || !/^application\/problem\+json\b/.test(headers['content-type'] ?? '')) return answer;
  let problem;
  try {
    problem = answer.json();
  } catch {
    return answer;
  }
  if (!String(problem?.type).startsWith(PROBLEM)) return answer;
  throw new CallError(`${name} is not called (${status}): ${[problem.title, problem.detail].filter(Boolean).join('. ')}`, status, problem.type.slice(PROBLEM.length));
}

module.exports = { call, CallError };
