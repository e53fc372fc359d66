module.exports = (req, res) => {
  res.status(201).set('Location', '/things/7').send('made');
};
