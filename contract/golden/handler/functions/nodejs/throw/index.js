module.exports = (req) => {
  throw new Error(req.body);
};
