import { describe, expect, it } from 'vitest';
import { FleetError } from '../../../src/errors.js';
import type { RefusedRequest } from '../../../src/master/audit/refusal-audit.js';
import {
  EncodedAnswer,
  RequestService,
  type Handler,
  type ServiceContext,
  type ServiceOptions,
} from '../../../src/master/requests/service.js';
import { keptLog } from '../../support/kept-log.js';

type Deliver = (error: null, msg: object) => void;
const NO_METRICS = new Proxy({}, { get: () => ({ inc: () => undefined, observe: () => undefined }) });
const REQUEST = JSON.stringify({
  requestId: 'request-0001',
  publicKey: 'UA6KOMQ67XOE3FHE37W4OXADVXVYISBNLTBUT2LSY5VFKAIJ7CRDR2RZ',
});

/** A service with one request, over a connection in memory. */
function started(handler: Handler<'renew'>, options: Partial<ServiceOptions<'renew'>> = {}) {
  const sent: { subject: string; text: string }[] = [];
  const refused: RefusedRequest[] = [];
  let deliver: Deliver = () => undefined;
  const nc = {
    subscribe: (_subject: string, { callback }: { callback: Deliver }) => {
      deliver = callback;
      return { drain: async () => undefined };
    },
    publish: (subject: string, data: Uint8Array = Buffer.from('')) =>
      void sent.push({ subject, text: Buffer.from(data).toString() }),
    flush: async () => undefined,
  } as unknown as ServiceOptions<'renew'>['nc'];
  const { logger, lines } = keptLog();
  const context = {
    logger,
    metrics: NO_METRICS,
    signer: { sign: () => undefined },
  } as unknown as ServiceContext;
  const service = new RequestService<'renew'>(
    context,
    {
      nc,
      inboxes: (caller) => [`_INBOX.${caller}`],
      subject: 'zester.auth.>',
      subjects: { renew: 'zester.auth.*.renew' },
      handlers: { renew: handler },
      authenticate: ({ caller }) => ({ kind: 'peel', name: caller }),
      signed: true,
      queue: { running: 8, runningPerCaller: 8, waiting: 8, waitingPerCaller: 8 },
      audited: (code) => code !== 'ERR_FLEET_PENDING',
      ...options,
    },
    { note: (request) => void refused.push(request) },
  );
  const ask = async (verb = 'renew', data = REQUEST, reply: string | undefined = '_INBOX.web-1.r1') => {
    deliver(null, { subject: `zester.auth.web-1.${verb}`, reply, data: Buffer.from(data) });
    await service.stop();
    await new Promise(setImmediate);
  };
  const answers = () => sent.map(({ text }) => (text === '' ? undefined : JSON.parse(text)) as unknown);
  return { service, ask, sent, answers, refused, lines };
}

const renewed: Handler<'renew'> = async () => ({ jwt: 'a.b.c' }) as never;
const refuses =
  (error: Error): Handler<'renew'> =>
  () =>
    Promise.reject(error);

describe('a request', () => {
  it("is answered once, in the caller's inbox", async () => {
    const { ask, sent, answers, service } = started(renewed);
    await ask();
    expect(sent.map(({ subject }) => subject)).toEqual(['_INBOX.web-1.r1']);
    expect(answers()).toEqual([{ jwt: 'a.b.c' }]);
    expect(service.endpoints[0]?.stats).toMatchObject({ requests: 1, errors: 0 });
  });

  it('is not run, and not answered, if its reply subject is not below the inbox of its caller', async () => {
    let runs = 0;
    const { ask, sent, refused } = started(async () => {
      runs += 1;
      return {} as never;
    });
    for (const reply of ['_INBOX.web-2.r1', '$JS.API.STREAM.PURGE.KV_x', '_INBOX.web-1', '_INBOX.web-1.>'])
      await ask('renew', REQUEST, reply);
    expect([runs, sent]).toEqual([0, []]);
    expect(refused.map(({ code }) => code)).toEqual(Array(4).fill('ERR_FLEET_REPLY'));
  });

  it('without a reply subject is run and not answered', async () => {
    const { ask, sent, service } = started(renewed);
    await ask('renew', REQUEST, '');
    expect(sent).toEqual([]);
    expect(service.endpoints[0]?.stats.requests).toBe(1);
  });

  it.each([
    ['with an unknown name', 'renewal', REQUEST],
    ['that is not JSON', 'renew', '{'],
    ['of another form', 'renew', '{"requestId":"request-0001"}'],
  ])('%s is refused with ERR_FLEET_REQUEST', async (_what, verb, data) => {
    const { ask, answers, refused } = started(renewed);
    await ask(verb, data);
    expect(answers()).toMatchObject([{ error: { code: 'ERR_FLEET_REQUEST' } }]);
    expect(refused).toMatchObject([{ code: 'ERR_FLEET_REQUEST' }]);
  });

  it('may be answered in several parts, ended by an empty message', async () => {
    const parts = async function* () {
      yield new EncodedAnswer('{"part":1}');
      yield new EncodedAnswer('{"part":2}');
    };
    const { ask, answers } = started(parts as unknown as Handler<'renew'>);
    await ask();
    expect(answers()).toEqual([{ part: 1 }, { part: 2 }, undefined]);
  });
});

describe('a refusal', () => {
  it('has the reason and the request that it answers, and is audited unless its code says never', async () => {
    const pending = started(refuses(new FleetError('ERR_FLEET_PENDING', 'wait')));
    await pending.ask();
    expect(pending.answers()).toMatchObject([
      { error: { code: 'ERR_FLEET_PENDING', message: 'wait', requestId: 'request-0001' } },
    ]);
    expect(pending.refused).toEqual([]);
    const revoked = started(refuses(new FleetError('ERR_FLEET_REVOKED', 'no')));
    await revoked.ask();
    expect(revoked.refused).toMatchObject([
      { code: 'ERR_FLEET_REVOKED', by: { kind: 'peel', name: 'web-1' } },
    ]);
  });

  it('of an unexpected error hides it from the caller, and logs it', async () => {
    const { ask, sent, lines } = started(refuses(new Error('the path /home/x is a secret')));
    await ask();
    expect(sent[0]?.text).toContain('ERR_FLEET_INTERNAL');
    expect(sent[0]?.text).not.toContain('/home/x');
    expect(lines).toMatchObject([{ level: 'error', text: 'a request failed' }]);
  });
});

describe('a caller above its rate', () => {
  it('is refused, and ignored when even the refusals are too many', async () => {
    let excess = 0;
    const { ask, answers } = started(renewed, {
      rate: { perSecond: 1, burst: 2, refusalsPerSecond: 0.1, clock: () => 0 },
      onExcess: () => void (excess += 1),
    });
    for (let i = 0; i < 5; i++) await ask();
    const codes = (answers() as { error?: { code: string } }[]).map(({ error }) => error?.code ?? 'ok');
    expect(codes).toEqual(['ok', 'ok', 'ERR_FLEET_RATE']);
    expect(excess).toBe(3);
  });
});
