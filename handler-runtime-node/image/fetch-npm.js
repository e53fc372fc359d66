'use strict';

// node fetch-npm.js URL SHA512 FILE: Debian's npm package brings 158 MB of libraries, npm's own tarball 11.

const crypto = require('node:crypto');
const fs = require('node:fs');

const [url, expected, file] = process.argv.slice(2);
const MAX_BYTES = 32 * 1024 * 1024;

async function main() {
  const response = await fetch(url, { signal: AbortSignal.timeout(120_000) });
  if (!response.ok) throw new Error(`status ${response.status}`);
  if (Number(response.headers.get('content-length')) > MAX_BYTES) throw new Error(`more than ${MAX_BYTES} bytes`);
  const bytes = Buffer.from(await response.arrayBuffer());
  const actual = crypto.createHash('sha512').update(bytes).digest('hex');
  if (actual !== expected) throw new Error(`its SHA-512 is ${actual}, not ${expected}`);
  fs.writeFileSync(file, bytes);
}

main().catch((error) => {
  console.error(`npm cannot be fetched from ${url}: ${error.cause?.message ?? error.message}.`);
  console.error('Behind a proxy with its own CA, put its certificate into compose/ca-certificates/ as a .crt file.');
  process.exit(1);
});
