module.exports = (req, res) => {
  const names = Object.keys(req.headers).filter((name) => name.startsWith('x-tinyfaas-'));
  res.send(names.sort().map((name) => `${name}: ${req.headers[name]}\n`).join(''));
};
