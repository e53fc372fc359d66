'use strict';

// The build step of a function: installs what its package.json asks for. Run as root in the function's folder, once per
// version. `npm ci` where a lock file says what to install; a node_modules folder in the archive is completed, not replaced.

const fs = require('node:fs');
const { spawnSync } = require('node:child_process');

// What it installs for; the image's label tinyfaas.runtime.build.when lists the same.
const WANTS_INSTALLATION = ['dependencies', 'optionalDependencies', 'peerDependencies'];
const INSTALLATION_SCRIPTS = ['preinstall', 'install', 'postinstall', 'prepublish', 'preprepare', 'prepare', 'postprepare'];
/** What a shell ends with that does not find a program. */
const NOT_FOUND = 127;
const LOCK_FILES = ['npm-shrinkwrap.json', 'package-lock.json'];
const CACHE = '/tmp/npm';

function main() {
  const description = readDescription();
  const count = WANTS_INSTALLATION.reduce((sum, kind) => sum + Object.keys(description[kind] ?? {}).length, 0);
  const scripts = INSTALLATION_SCRIPTS.filter((name) => Boolean(description.scripts?.[name]));
  if (count === 0 && scripts.length === 0) return console.log('package.json asks for no dependencies.');

  const isLocked = LOCK_FILES.some((name) => fs.existsSync(name));
  const command = isLocked && !fs.existsSync('node_modules') ? 'ci' : 'install';
  console.log(`npm ${command}: ${count} direct dependencies`);
  // The function runs as another user, which must be able to read what is installed.
  process.umask(0o022);
  const status = withPackage(installable(description, scripts, isLocked), () => npm(
    command, '--omit=dev', '--no-audit', '--no-fund', '--no-progress', '--loglevel=error',
    // An unreachable registry is told in seconds.
    '--fetch-retries=2', '--fetch-retry-mintimeout=1000', '--fetch-retry-maxtimeout=5000', '--fetch-timeout=60000',
  ));
  if (status !== 0) fail(`npm ${command} failed. Check the dependencies in package.json and that the registry can be reached; a dependency that compiles native code needs a prebuilt binary.`);
  for (const name of scripts) run(name, description.scripts[name]);
  fs.rmSync(CACHE, { recursive: true, force: true });
}

/**
 * Without the package's own scripts, which npm would run: one that calls what is a development dependency (husky, tsc) would
 * fail all of it. npm asks the registry for development dependencies that it leaves out, but wants those that a lock file has.
 */
function installable(description, scripts, isLocked) {
  const others = Object.entries(description.scripts ?? {}).filter(([name]) => !scripts.includes(name));
  const { devDependencies, ...rest } = { ...description, scripts: Object.fromEntries(others) };
  return isLocked ? { ...rest, devDependencies } : rest;
}

/** What `install` answers, which finds this package.json instead of the archive's. */
function withPackage(description, install) {
  const written = fs.readFileSync('package.json');
  fs.writeFileSync('package.json', JSON.stringify(description));
  try {
    return install();
  } finally {
    fs.writeFileSync('package.json', written);
  }
}

/** In npm's order each by itself, as npm does while it installs. */
function run(name, script) {
  const status = npm('run', name, '--ignore-scripts', '--silent');
  if (status === NOT_FOUND) {
    console.log(`The script ${name} ("${script}") is left out: it calls what is not installed, as development dependencies are not.`);
  } else if (status !== 0) {
    fail(`The script ${name} ("${script}") of package.json ended with ${status}.`);
  }
}

function npm(...parameters) {
  const { status, error } = spawnSync('npm', [...parameters, '--no-update-notifier', `--cache=${CACHE}`], { stdio: 'inherit' });
  if (error !== undefined) fail(`npm cannot be run: ${error.message}`);
  return status;
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
