module.exports = (req, res) => {
  setTimeout(() => res.send(req.body), 500);
};
