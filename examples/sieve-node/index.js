'use strict';

const LIMIT = 1000;

/** The primes from 1 to `limit` by the Sieve of Eratosthenes. */
function primes(limit) {
  const composite = new Uint8Array(limit + 1);
  const found = [];
  for (let candidate = 2; candidate <= limit; candidate++) {
    if (composite[candidate]) continue;
    found.push(candidate);
    for (let multiple = candidate * candidate; multiple <= limit; multiple += candidate) composite[multiple] = 1;
  }
  return found;
}

module.exports = (req, res) => res.send(primes(LIMIT).join(','));
