'use strict';

// The build step of a function: installs what its package.json asks for. Run as root in the function's folder, once per
// version. `npm ci` where a lock file says what to install; a node_modules folder in the archive is completed, not replaced.

const fs = require('node:fs');
const { spawnSync } = require('node:child_process');

// What it installs for; the image's label tinyfaas.runtime.build.when lists the same.
const WANTS_INSTALLATION = ['dependencies', 'optionalDependencies', 'peerDependencies'];
const INSTALLATION_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepublish', 'preprepare', 'prepare', 'postprepare'];
const LOCK_FILES = ['npm-shrinkwrap.json', 'package-lock.json'];
const CACHE = '/tmp/npm';

function main() {
  const description = readDescription();
  const count = WANTS_INSTALLATION.reduce((sum, kind) => sum + Object.keys(description[kind] ?? {}).length, 0);
  const hasScripts = INSTALLATION_SCRIPTS.some((name) => Boolean(description.scripts?.[name]));
  if (count === 0 && !hasScripts) return console.log('package.json asks for no dependencies.');

  const clean = LOCK_FILES.some((name) => fs.existsSync(name)) && !fs.existsSync('node_modules');
  const command = clean ? 'ci' : 'install';
  console.log(`npm ${command}: ${count} direct dependencies`);
  // The function runs as another user, which must be able to read what is installed.
  process.umask(0o022);
  const { status, error } = spawnSync(
    'npm',
    [
      command, '--omit=dev', '--no-audit', '--no-fund', '--no-update-notifier', '--no-progress', '--loglevel=error', `--cache=${CACHE}`,
      // An unreachable registry is told in seconds.
      '--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000', '--fetch-timeout=60000',
    ],
    { stdio: 'inherit' },
  );
  fs.rmSync(CACHE, { recursive: true, force: true });
  if (error !== undefined) fail(`npm cannot be run: ${error.message}`);
  if (status !== 0) fail(`npm ${command} failed. Check the dependencies in package.json and that the registry can be reached; a dependency that compiles native code needs a prebuilt binary.`);
}

function readDescription() {
  try {
    // Without the byte order mark that Windows tools write, as npm reads it.
    const description = JSON.parse(fs.readFileSync('package.json', 'utf8').replace(/^\ufeff/, ''));
    if (typeof description === 'object' && description !== null && !Array.isArray(description)) return description;
    return fail('package.json is not a JSON object.');
  } catch (error) {
    return fail(`package.json cannot be read: ${error.message}`);
  }
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

if (require.main === module) main();

module.exports = { WANTS_INSTALLATION, INSTALLATION_SCRIPTS };
