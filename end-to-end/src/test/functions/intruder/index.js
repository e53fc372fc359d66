'use strict';

// A function that tries what no function may: POST one attempt per line, and get each with what came of it.
//
//   tcp HOST PORT     connect, ask as HTTP does      answered and what | connected | an error's code | timeout
//   unix PATH         the same
//   mqtt HOST PORT    the same as MQTT does          answered connack | …
//   udp HOST PORT     a CoAP ping                    answered coap | an error's code | silence
//   resolve NAME      ask for its addresses          the addresses | an error's code
//   write PATH        make a file                    written | an error's code
//   read PATH         the file's text, or an error's code
//   list PATH         the folder's entries, or an error's code
//   link PATH TARGET  put a link in a file's place   linked | an error's code
//   fill PATH         write until that ends          an error's code and the MiB
//   spill             write until that ends into a file that was opened beside the socket before the handler was healthy, and has no name
//   fork COUNT        start so many processes        how many there were, and an error's code
//   grow              take memory without end

const { spawn } = require('node:child_process');
const dgram = require('node:dgram');
const dns = require('node:dns').promises;
const fs = require('node:fs');
const net = require('node:net');

const PATIENCE = 1500;
const HTTP = 'GET /q/health HTTP/1.0\r\n\r\n';
const CONNECT = Buffer.from('100d00044d51545404020000000161', 'hex');
const PING = Buffer.from([0x40, 0, 0, 1]);
const RESET = Buffer.from([0x70, 0, 0, 1]);

const ways = {
  tcp: (host, port) => connect({ host, port: Number(port) }, HTTP, (answer) => answer.toString().replace(/\s+/g, ' ')),
  unix: (path) => connect({ path }, HTTP, (answer) => answer.toString().replace(/\s+/g, ' ')),
  mqtt: (host, port) => connect({ host, port: Number(port) }, CONNECT, (answer) => answer[0] === 0x20 ? 'connack' : 'otherwise'),

  udp: (host, port) => new Promise((resolve) => {
    const socket = dgram.createSocket(host.includes(':') ? 'udp6' : 'udp4');
    const end = (outcome) => {
      clearTimeout(timer);
      socket.close();
      resolve(outcome);
    };
    const timer = setTimeout(end, PATIENCE, 'silence');
    socket.on('error', (error) => end(error.code));
    socket.on('message', (answer) => end(answer.equals(RESET) ? 'answered coap' : 'answered otherwise'));
    socket.connect(Number(port), host, (error) => error ? end(error.code) : socket.send(PING));
  }),

  resolve: (name) => Promise.race([
    dns.lookup(name, { all: true }).then((found) => found.map(({ address }) => address).join(' ')),
    new Promise((resolve) => setTimeout(resolve, 2 * PATIENCE, 'timeout')),
  ]),
  write: (path) => {
    fs.writeFileSync(path, 'x');
    return 'written';
  },
  read: (path) => fs.readFileSync(path, 'utf8'),
  list: (path) => fs.readdirSync(path).join(' '),
  link: (path, target) => {
    fs.unlinkSync(path);
    fs.symlinkSync(target, path);
    return 'linked';
  },

  fill: (path) => {
    const file = fs.openSync(path, 'w');
    try {
      return write(file);
    } finally {
      fs.closeSync(file);
      fs.unlinkSync(path);
    }
  },
  spill: () => write(nameless),

  fork: async (count) => {
    const started = await Promise.all(Array.from({ length: Number(count) }, () => new Promise((resolve) => {
      const child = spawn('sleep', ['30'], { stdio: 'ignore' });
      child.on('spawn', () => resolve(child));
      child.on('error', (error) => resolve(error.code));
    })));
    const children = started.filter((child) => typeof child !== 'string');
    children.forEach((child) => child.kill('SIGKILL'));
    return `${children.length} ${started.find((code) => typeof code === 'string') ?? 'no error'}`;
  },

  grow: () => {
    for (const held = []; ;) held.push(Buffer.alloc(16 << 20, 1));
  },
};

function write(file) {
  const block = Buffer.alloc(1 << 20, 1);
  let blocks = 0;
  try {
    for (; blocks < 1024; blocks++) fs.writeSync(file, block);
    return `no end after ${blocks}`;
  } catch (error) {
    return `${error.code} after ${blocks}`;
  }
}

function openNameless(path) {
  try {
    const file = fs.openSync(path, 'w');
    fs.unlinkSync(path);
    return file;
  } catch {
    return -1; // handlers with a network have no such folder
  }
}

function connect(options, question, describe) {
  return new Promise((resolve) => {
    const socket = net.connect(options);
    let connected = false;
    let answer = Buffer.alloc(0);
    const end = (otherwise) => {
      socket.destroy();
      resolve(answer.length > 0 ? `answered ${describe(answer)}` : connected ? 'connected' : otherwise);
    };
    setTimeout(end, PATIENCE, 'timeout');
    socket.on('connect', () => {
      connected = true;
      socket.write(question);
    });
    socket.on('data', (chunk) => (answer = Buffer.concat([answer, chunk]).subarray(0, 500)));
    socket.on('close', () => end('closed'));
    socket.on('error', (error) => end(error.code));
  });
}

async function attempt(line) {
  const [way, ...rest] = line.split(' ');
  try {
    return `${line} -> ${await ways[way](...rest)}`;
  } catch (error) {
    return `${line} -> ${error.code ?? error.message}`;
  }
}

async function attempts(lines) {
  return (await Promise.all(lines.split('\n').filter(Boolean).map(attempt))).join('\n');
}

module.exports = async (req, res) => res.send(await attempts(String(req.body ?? '')));
module.exports.attempts = attempts;

const nameless = openNameless('/run/tinyfaas/nameless');

// Something that another function could find.
net.createServer((socket) => socket.end('tinyfaas-victim')).listen(9000).unref();
