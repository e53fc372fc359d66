'use strict';

// Starts one handler: loads the function, then listens. `node main.js [folder]`; see ../README.md.

const fs = require('node:fs');
const { inspect } = require('node:util');
const { setImmediate: nextTurn } = require('node:timers/promises');
const { loadFunction } = require('./function-loader');
const { HandlerServer } = require('./handler-server');

const folder = process.argv[2] ?? '/function';
let server = null;
let stopped = false;

// First of all: process 1 has no default action for signals, so a handler could not be stopped while it loads.
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    stopped = true;
    if (server === null) process.exit(0);
    server.drain(() => process.exit(0));
  });
}

// What a function throws outside its call's own promise (a timer, an event, a promise nobody awaits) must neither be lost
// nor end the handler: other invocations are under way in this process. Before the function is loaded it ends it.
process.on('uncaughtException', (error) => {
  if (server === null) return refuseToStart(error);
  server.failUnattended(error);
});

// A function may end the process while it is loaded, or wait for what never comes: that is no clean exit either.
process.on('exit', (code) => {
  if (server !== null || stopped || code !== 0) return;
  console.error('The function never finished loading: its module awaits something that does not happen, or it ended the process.');
  process.exitCode = 1;
});

function refuseToStart(error) {
  if (isUnplaced(error)) return endOf(error);
  console.error(`The function does not load: ${error?.notice ?? inspect(error)}`);
  process.exit(1);
}

/** Whether it is a syntax error in an ES module: its stack names no file of the function. */
function isUnplaced(error) {
  return error instanceof SyntaxError && error.notice === undefined && !String(error.stack).includes(fs.realpathSync(folder));
}

/** Node knows file and line, but tells them only when it dies of the error. */
function endOf(error) {
  console.error('The function does not load:');
  process.removeAllListeners('uncaughtException');
  process.exitCode = 1;
  setImmediate(() => {
    throw error;
  });
}

function maxBody() {
  const text = process.env.TINYFAAS_MAX_BODY || '1048576';
  if (!/^\d{1,15}$/.test(text)) {
    console.error(`TINYFAAS_MAX_BODY is "${text}": give the number of bytes, such as 1048576.`);
    process.exit(1);
  }
  return Number(text);
}

async function start() {
  const limit = maxBody();
  const invoke = await loadFunction(folder, process.env.TINYFAAS_ENTRY, limit);
  await nextTurn(); // a promise that was rejected while loading, and nobody awaits, is a function that does not load
  const loaded = new HandlerServer(invoke, limit);
  loaded.listen(process.env.TINYFAAS_SOCKET || null, () => (server = loaded));
}

start().catch(refuseToStart);
