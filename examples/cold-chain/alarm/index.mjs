import { call } from 'tinyfaas';

// A call that is not lost: where the lamp is not there, this fails, and is tried again.
export default async (request) => {
  const { shed, temperature } = await request.json();
  console.log(`shed ${shed} has ${temperature} degrees`);
  const lamp = await call('cold-lamp', { body: `shed ${shed}: ${temperature}` });
  if (lamp.status !== 200) throw new Error(`the lamp answered ${lamp.status}`);
  return 'the lamp is lit';
};
