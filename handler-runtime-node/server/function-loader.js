'use strict';

const fs = require('node:fs');
const path = require('node:path');
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
 * Loads the function in `folder` and answers what runs it: `(request, answer) => void`, which may throw.
 * An ES module's default export is in the result style, a CommonJS function in Express's; a CommonJS `exports.default`
 * is what compilers make of an ES module's default export.
 */
async function loadFunction(folder) {
  const file = findModule(folder);
  const namespace = await import(pathToFileURL(file).href);
  const isCommonJs = file in require.cache;
  const exported = namespace.default;
  if (isCommonJs && typeof exported === 'function') return expressStyle(exported);
  const byDefault = isCommonJs ? exported?.default : exported;
  if (typeof byDefault === 'function') return resultStyle(byDefault);
  throw new LoadFailure(
    `${path.relative(folder, file)} exports no function. ` +
      'Write `module.exports = (req, res) => …` or `export default async (request) => …`.',
  );
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
    description = JSON.parse(fs.readFileSync(file, 'utf8'));
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
    throw new LoadFailure(`package.json names "${named}", which the archive does not hold.`);
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
