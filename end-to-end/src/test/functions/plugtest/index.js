// The resources that the ETSI CoAP test descriptions ask of a server. Deployed once for each; the numbers at the end of
// their names (seg1, link2) are left out here.
let validated = { value: 'first', version: 1 };
let calls = 0;
let created = false;
let large = '0123456789abcdef'.repeat(125);
const held = new Map();
let observed = { value: 'state 0', type: 'text/plain' };

const resources = {
  test(req, res) {
    switch (req.method) {
      case 'POST':
        return res.status(201).set('Location', '/location1/location2/location3').send('created');
      case 'PUT':
        return res.type('text/plain').send('changed');
      case 'DELETE':
        return res.send('deleted');
      default:
        return res.send('the content of test');
    }
  },
  secure(req, res) {
    res.send('a secret for ' + req.headers['x-tinyfaas-device']);
  },
  separate(req, res) {
    const { id } = req.query;
    if (req.method !== 'PUT') {
      held.set(id, res);
      return;
    }
    const answer = held.get(id);
    held.delete(id);
    answer?.send('late');
    res.send(answer ? 'released' : 'nobody waits');
  },
  seg(req, res) {
    res.send('at ' + req.path);
  },
  query(req, res) {
    res.send(Object.entries(req.query).map(([name, value]) => `${name} is ${value}`).join(', '));
  },
  'location-query'(req, res) {
    res.status(201).set('Location', '?first=1&second=2').send('created');
  },
  'multi-format'(req, res) {
    if (req.headers.accept === 'application/xml') {
      return res.type('application/xml').send('<content/>');
    }
    return res.send('content');
  },
  validate(req, res) {
    const tag = `"v${validated.version}"`;
    if (req.method === 'PUT') {
      if (req.headers['if-match'] && req.headers['if-match'] !== tag) {
        return res.sendStatus(412);
      }
      validated = { value: req.body, version: validated.version + 1 };
      return res.sendStatus(204);
    }
    if (req.headers['if-none-match'] === tag) {
      return res.set('ETag', tag).sendStatus(304);
    }
    return res.set('ETag', tag).send(validated.value);
  },
  create(req, res) {
    if (created && req.headers['if-none-match'] === '*') {
      return res.sendStatus(412);
    }
    created = true;
    return res.status(201).send('created');
  },
  large(req, res) {
    res.send(large);
  },
  'large-update'(req, res) {
    if (req.method === 'PUT') {
      large = req.body;
      return res.sendStatus(204);
    }
    return res.send(large);
  },
  'large-create'(req, res) {
    if (req.method === 'POST') {
      large = req.body;
      return res.status(201).set('Location', '/large-create/1').end();
    }
    return res.send(large);
  },
  'large-post'(req, res) {
    res.send(req.body.toUpperCase());
  },
  obs(req, res) {
    if (req.method === 'PUT' || req.method === 'POST') {
      observed = { value: req.body, type: req.headers['content-type'] ?? 'text/plain' };
    }
    return res.type(observed.type).send(observed.value);
  },
  count(req, res) {
    calls += 1;
    return res.send(String(calls));
  },
  busy(req, res) {
    return res.status(429).set('Retry-After', '7').send('come back');
  },
  unavailable(req, res) {
    return res.status(503).set('Retry-After', '9').send('later');
  },
  echo(req, res) {
    const type = req.headers['content-type'] ?? 'application/octet-stream';
    return res.type(type).send(req.rawBody.length === 0 ? req.method : req.rawBody);
  },
  path(req, res) {
    const links = ['/path/sub1', '/path/sub2'];
    if (req.path === '/') {
      return res.type('application/link-format').send(links.map((link) => `<${link}>`).join(','));
    }
    return res.send('/path' + req.path);
  },
};

module.exports = resources[process.env.RESOURCE] ?? resources.test;
