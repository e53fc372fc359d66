import { call } from 'tinyfaas';

// In °C: vaccines are kept between 2 and 8.
const WARMEST = 8;

// A device published its temperature at shed/NAME/temperature. The report is a call, so it may run twice: the key makes the second alarm the first.
export default async (request) => {
  const shed = request.get('X-tinyFaaS-MQTT-Topic').split('/')[1];
  const temperature = Number(await request.text());
  if (!Number.isFinite(temperature)) return { status: 422, body: 'no temperature' };
  if (temperature <= WARMEST) return 'cold enough';
  const alarm = await call('cold-alarm', { async: true, body: { shed, temperature }, idempotencyKey: request.get('X-tinyFaaS-Call') });
  return `alarm ${alarm.call}`;
};
