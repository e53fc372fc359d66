'use strict';

const test = require('node:test');
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { start, call } = require('./handler');

const example = (name, file) => ({ [file]: fs.readFileSync(path.resolve(__dirname, '../../../examples', name, file), 'utf8') });

test('should run the sieve of the paper', async (t) => {
  const handler = await start(t, example('sieve-node', 'index.js'));
  const primes = (await call(handler)).text.split(',').map(Number);
  assert.equal(primes.length, 168);
  assert.deepEqual([primes[0], primes[1], primes[2], primes.at(-1)], [2, 3, 5, 997]);
  assert.ok(primes.every((n) => ![...Array(n).keys()].some((d) => d > 1 && n % d === 0)));
});

test('should greet', async (t) => {
  const handler = await start(t, example('hello-node', 'index.mjs'));
  assert.equal((await call(handler)).text, 'Hello, world!');
  assert.equal((await call(handler, { body: 'Grace' })).text, 'Hello, Grace!');
  assert.equal((await call(handler, { headers: { 'X-tinyFaaS-Query': 'name=Ada' } })).text, 'Hello, Ada!');
});
