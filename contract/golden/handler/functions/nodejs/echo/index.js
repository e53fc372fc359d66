module.exports = (req, res) => {
  res.type(req.get('content-type') ?? 'application/octet-stream').send(req.rawBody);
};
