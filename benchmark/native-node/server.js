'use strict';

// The paper's native server: the very function that is deployed on the platform, called by a CoAP server in the same process.
const coap = require('coap');
const sieve = require('../../examples/sieve-node');

const port = Number(process.argv[2]);
const server = coap.createServer((request, response) => sieve(request, { send: (body) => response.end(body) }));
server.listen(port, '127.0.0.1', () => console.log(`listening on ${port}`));
