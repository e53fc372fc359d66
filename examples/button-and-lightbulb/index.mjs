// What a lamp that observes this function is told. One handler holds it, so there is one lamp for all buttons.
let on = false;

// A button posts, with "on" or "off" for those that have two, and nothing otherwise. Everybody else only asks.
export default async (request) => {
  if (request.method === 'POST') {
    const wanted = await request.text();
    on = wanted === 'on' || (wanted !== 'off' && !on);
  }
  return on ? 'on' : 'off';
};
