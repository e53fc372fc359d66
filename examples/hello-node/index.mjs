// An ES module: what its default export returns is the answer.
export default async (request) => {
  const name = (await request.text()) || request.query.name || 'world';
  return `Hello, ${name}!`;
};
