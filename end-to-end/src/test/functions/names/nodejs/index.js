// Answers the header that the body names (in lower case) with its name and value as a function gets them.
module.exports = (req, res) => {
  console.log('asked for ' + req.body);
  const name = Object.keys(req.headers).find((name) => name.toLowerCase() === req.body);
  res.send(`${name}=${req.headers[name]}`);
};
