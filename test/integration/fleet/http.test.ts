import { request } from 'node:http';
import { expect, it } from 'vitest';
import { serveMasterHttp } from '../../../src/master/http.js';
import { atEnd } from '../../support/cleanup.js';
import { startFleet } from './fleet.js';

/** The status and body of the response to a request with this `Host`. */
function get(url: string, host: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers: { host } }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (part: string) => (body += part));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body }));
    });
    sent.once('error', reject).end();
  });
}

it('/metrics and /healthz answer to names of this machine, and to no name that a web page chose', async () => {
  const { master } = await startFleet();
  const { url, close } = await serveMasterHttp(master, { host: '127.0.0.1', port: 0 });
  atEnd(close);
  const port = new URL(url).port;
  for (const path of ['/metrics', '/healthz']) {
    for (const host of [`127.0.0.1:${port}`, `localhost:${port}`, '[::1]']) {
      expect((await get(`${url}${path}`, host)).status, `${path} ${host}`).not.toBe(421);
    }
    for (const host of [`evil.example:${port}`, 'localhost.evil.example']) {
      const { status, body } = await get(`${url}${path}`, host);
      expect([400, 421], `${path} ${host}`).toContain(status);
      expect(body).not.toContain('zester_');
      expect(body).not.toContain(master.id);
    }
  }
  expect((await get(`${url}/metrics`, `localhost:${port}`)).body).toContain('zester_master_requests_total');
});
