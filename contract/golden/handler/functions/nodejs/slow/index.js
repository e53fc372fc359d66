const waiting = [];

module.exports = (req, res) => {
  waiting.push(() => res.send(req.body));
  if (waiting.length >= 8) waiting.splice(0).forEach((answer) => answer());
};
