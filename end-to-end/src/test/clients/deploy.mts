// deploy.mts API TOKEN ARCHIVE: by the types that openapi-typescript makes, and openapi-fetch.
import { readFile } from 'node:fs/promises';
import createClient from 'openapi-fetch';
import type { paths } from './api.js';

const [api, token, archive] = process.argv.slice(2) as [string, string, string];
const client = createClient<paths>({ baseUrl: api, headers: { Authorization: `Bearer ${token}` } });
const zip = await readFile(archive);

const { data: deployed, error: failure } = await client.PUT('/functions/{name}', {
  params: {
    path: { name: 'from-typescript' },
    query: { runtime: 'nodejs', handlers: 2, memory: '64M', env: ['GREETING=hello'] },
  },
  headers: { 'Content-Type': 'application/zip' },
  // The types have a string for every body that is not JSON.
  body: zip as unknown as string,
  bodySerializer: (body) => body,
});
if (failure) throw new Error(failure.detail);
console.log(deployed.name, deployed.state, deployed.handlers.length, deployed.spec.memory);

const { error: unknown } = await client.GET('/functions/{name}', { params: { path: { name: 'nobody' } } });
console.log(unknown?.type);
