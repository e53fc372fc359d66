'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { inspect } = require('node:util');
const { createRequire } = require('node:module');
const { pathToFileURL } = require('node:url');
const { expressStyle } = require('./express-style');
const { resultStyle } = require('./result-style');

const NAMES = ['index', 'fn', 'handler'];
const EXTENSIONS = ['.js', '.mjs', '.cjs'];

/** A failure whose message says it all, so that no stack trace of the runtime follows it. */
class LoadFailure extends Error {
  constructor(notice) {
    super(notice);
    this.notice = notice;
  }
}

/**
 * Loads the function in `folder`, from the file `entry` of it if one is named, and answers what runs it: `(request, answer) => void`, which may throw.
 * What a function answers as a stream may have `maxBody` bytes.
 * An ES module's default export is in the result style, a CommonJS function in Express's; a CommonJS `exports.default`
 * is what compilers make of an ES module's default export.
 */
async function loadFunction(folder, entry, maxBody) {
  const file = entry ? entryFile(folder, entry) : findModule(folder);
  const namespace = await importModule(file);
  const isCommonJs = file in require.cache;
  const exported = namespace.default;
  const isExpressStyle = isCommonJs && typeof exported === 'function';
  const found = isExpressStyle || !isCommonJs ? exported : exported?.default;
  const wrong = whyNoFunction(found, isCommonJs ? exported : namespace);
  if (wrong !== null) throw new LoadFailure(`${path.relative(folder, file)} exports ${wrong}`);
  return isExpressStyle ? expressStyle(found) : resultStyle(found, maxBody);
}

/** What it is instead, and what to write; null for a function. `all` is what the file exports by name, too. */
function whyNoFunction(exported, all) {
  const write = 'Write `module.exports = (req, res) => …` or `export default async (request) => …`.';
  if (typeof exported !== 'function') {
    const named = Object.keys(all ?? {}).find((name) => name !== 'default' && typeof all[name] === 'function');
    // As other platforms have it, which call it with an event.
    return named === undefined ? `no function. ${write}` : `no function but ${named} by its name, as other platforms want it; here it is the module's own. ${write}`;
  }
  if (/^class\b/.test(Function.prototype.toString.call(exported))) return `a class, which is no function. ${write}`;
  // It would fail at each call: there is no socket, and no request of node:http.
  if (typeof exported.handle === 'function' && typeof exported.listen === 'function') {
    return 'an Express application, which is no function. Export the function that answers a request: `module.exports = (req, res) => …`.';
  }
  return null;
}

function entryFile(folder, entry) {
  if (!fs.statSync(path.join(folder, entry), { throwIfNoEntry: false })?.isFile()) {
    throw new LoadFailure(`the archive has no file ${entry}, which is named as the entry.`);
  }
  return realFile(folder, entry);
}

async function importModule(file) {
  try {
    return await import(pathToFileURL(file).href);
  } catch (error) {
    const missing = /^Cannot find (?:module|package) '((?:@[^/']+\/)?[^/'.][^/']*)/.exec(error?.message)?.[1];
    if (missing === undefined) throw error;
    throw new LoadFailure(`${inspect(error)}\nName "${missing}" in the "dependencies" of package.json, or bring it in node_modules.`);
  }
}

function findModule(folder) {
  const named = namedByPackage(folder);
  if (named !== null) return named;
  const present = fs.readdirSync(folder, { withFileTypes: true }).filter((entry) => !entry.isDirectory()).map((entry) => entry.name);
  for (const name of NAMES) {
    for (const extension of EXTENSIONS) {
      if (present.includes(name + extension)) return realFile(folder, name + extension);
    }
  }
  const modules = present.filter((name) => EXTENSIONS.includes(path.extname(name)));
  if (modules.length === 1) return realFile(folder, modules[0]);
  throw new LoadFailure(
    `${modules.length === 0 ? 'the archive has no JavaScript file at its top' : `several files could be it (${modules.slice(0, 10).join(', ')})`}. ` +
      'Name it index.js, or name it as "main" in package.json.',
  );
}

function namedByPackage(folder) {
  const file = path.join(folder, 'package.json');
  if (!fs.existsSync(file)) return null;
  let description;
  try {
    // Without the byte order mark that Windows tools write, as npm reads it.
    description = JSON.parse(fs.readFileSync(file, 'utf8').replace(/^\ufeff/, ''));
  } catch (error) {
    throw new LoadFailure(`package.json is not JSON: ${error.message}`);
  }
  const named = exportsTarget(description?.exports) ?? description?.main;
  if (typeof named !== 'string' || named === '') return null;
  const resolve = createRequire(file).resolve;
  try {
    return resolve(path.resolve(folder, named));
  } catch {
    // As Node does: a "main" that does not exist (what `npm init` wrote) falls back to the index file.
    if (EXTENSIONS.some((extension) => fs.existsSync(path.join(folder, `index${extension}`)))) return null;
    throw new LoadFailure(`package.json names "${named}", which the archive does not hold. If it is built by development dependencies, build it before zipping.`);
  }
}

/** The file that `exports` gives for the package itself: a path, or conditions of which the first that Node meets counts. */
function exportsTarget(exports) {
  if (typeof exports === 'string') return exports;
  if (typeof exports !== 'object' || exports === null) return undefined;
  if ('.' in exports) return exportsTarget(exports['.']);
  for (const condition of Object.keys(exports)) {
    if (['node', 'import', 'module-sync', 'require', 'default'].includes(condition)) {
      const target = exportsTarget(exports[condition]);
      if (target !== undefined) return target;
    }
  }
  return undefined;
}

/** Node's module cache knows files by their real path. */
function realFile(folder, name) {
  return fs.realpathSync(path.join(folder, name));
}

module.exports = { loadFunction };
