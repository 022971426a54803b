import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect, headers, type NatsConnection } from '@nats-io/transport-node';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { createUserJwt } from '../../../src/jwt/user.js';
import { generateKeyBundle } from '../../../src/nkeys/key-bundle.js';
import { loadCredsFile, parseCredsData } from '../../../src/creds/parse.js';
import { formatCreds } from '../../../src/creds/format.js';
import type { Finding } from '../../../src/trust/finding.js';
import { zester as run } from '../../cli/run-zester.js';
import { atEnd } from '../../support/cleanup.js';
import { tempDir } from '../../support/temp-dir.js';
import { waitFor } from '../../support/wait-for.js';
import { startFleet, type Fleet } from './fleet.js';
import { TestPeel } from './peels.js';

/** A fleet for one test, and its actions. */
interface Stage {
  fleet: Fleet;
  /** Runs the command. */
  zester: (...args: string[]) => ReturnType<typeof run>;
  /** Runs the command, which must succeed. */
  done: (...args: string[]) => Promise<void>;
  /** The path of a credentials file. */
  creds: (id: string) => string;
  integrity: (...args: string[]) => Promise<{ code: number; stderr: string; findings: Finding[] }>;
  /** Adds a peel and starts it. */
  running: (id: string) => Promise<TestPeel>;
  /** A connection with full permissions in the account, like an attacker who took it over. */
  attacker: (name?: string) => Promise<{ nc: NatsConnection; publicKey: string }>;
}

async function start(): Promise<Stage> {
  const fleet = await startFleet({ policy: 'manual', lifetime: 900 });
  const dir = await tempDir();
  const env = { ZESTER_HOME: fleet.home.home, ZESTER_SERVERS: fleet.servers.join(','), XDG_STATE_HOME: dir };
  const zester = (...args: string[]) => run(args, { env });
  const creds = (id: string) => join(dir, `${id}.creds`);

  async function done(...args: string[]): Promise<void> {
    const { code, stderr } = await zester(...args);
    expect(code, stderr).toBe(0);
  }

  async function integrity(
    ...args: string[]
  ): Promise<{ code: number; stderr: string; findings: Finding[] }> {
    const { code, stdout, stderr } = await zester('doctor', '--integrity', '--json', ...args);
    const { findings } = JSON.parse(stdout) as { findings: Finding[] };
    return { code, stderr, findings: findings.filter(({ severity }) => severity !== 'ok') };
  }

  async function running(id: string): Promise<TestPeel> {
    await done('peel', 'add', id, '--out', creds(id));
    const peel = await TestPeel.start(fleet, creds(id));
    await fleet.record(id, ({ state }) => state === 'active');
    return peel;
  }

  async function attacker(name = 'evil'): Promise<{ nc: NatsConnection; publicKey: string }> {
    const domain = await fleet.home.domain();
    const user = generateKeyBundle('user');
    const jwt = createUserJwt(user, await domain.accountKey(), {
      name,
      permissions: { publish: { allow: ['>'] }, subscribe: { allow: ['>'] } },
    });
    const file = parseCredsData(formatCreds(jwt, user.seed), 'the attacker');
    const nc = await connect({
      servers: fleet.servers,
      authenticator: (nonce?: string) => file.authenticate(nonce),
    });
    atEnd(() => nc.close());
    return { nc, publicKey: user.publicKey };
  }

  return { fleet, zester, done, creds, integrity, running, attacker };
}

describe.concurrent('zester doctor --integrity', () => {
  it('finds nothing in a fleet that rotated, revoked, and removed tokens', async () => {
    const { zester, done, creds, integrity, running } = await start();
    const peel = await running('web-01');
    const other = await running('web-02');
    await done('peel', 'rotate', 'web-01', '--wait');
    await done('peel', 'revoke', 'web-02', '--yes');
    await other.peel.closed;
    await done('join-token', 'create', '--out', creds('token'), '--uses', '2');
    await done('join-token', 'create', '--out', creds('token-2'));
    const { stdout } = await zester('join-token', 'list', '--json');
    const [token] = (JSON.parse(stdout) as { tokens: { id: string }[] }).tokens;
    await done('join-token', 'remove', token?.id ?? '');
    await done('peel', 'add', 'web-03', '--out', creds('web-03'), '--expiry', '1s');
    await done('peel', 'add', 'web-01', '--replace', '--out', creds('web-01b'));
    const { exp = 0 } = (await loadCredsFile(creds('web-03'))).claims;
    await waitFor('the credential of web-03 to expire', () => Date.now() / 1000 > exp || undefined);
    const { code, findings, stderr } = await integrity();
    expect(findings).toEqual([]);
    expect(code).toBe(0);
    expect(stderr).toContain('audit events read');
    await peel.peel.drain();
  });
});

describe.concurrent('zester doctor --integrity finds', () => {
  it('foreign streams and consumers, except those that the user allows', async () => {
    const { integrity, attacker } = await start();
    const { nc, publicKey } = await attacker();
    const jsm = await jetstreamManager(nc);
    await jsm.streams.add({ name: 'evil', subjects: ['zester.admin.>'] });
    await jsm.streams.add({ name: 'copy', mirror: { name: 'KV_zester-peels' } });
    await jsm.streams.add({ name: 'events', subjects: ['zester.event.>'] });
    await jsm.streams.add({ name: 'orders', subjects: ['orders.>', '$KV.mine.>'] });
    await jsm.consumers.add('zester-audit', { durable_name: 'spy' });
    await jsm.consumers.add('KV_zester-fleet', { deliver_subject: 'out.here', ack_policy: 'none' as never });
    const { code, findings } = await integrity('--allow-stream', 'events', '--known-key', publicKey);
    expect(code).toBe(1);
    expect(findings.map(({ check, subject }) => [check, subject.replace(/ > \w{22}$/, ' > …')])).toEqual(
      expect.arrayContaining([
        ['stream', 'evil'],
        ['stream', 'copy'],
        ['consumer', 'zester-audit > spy'],
      ]),
    );
    expect(findings.some(({ message }) => message.includes('out.here'))).toBe(true);
    expect(findings).toHaveLength(4);
    expect((await integrity('--known-key', publicKey)).findings.map(({ subject }) => subject)).toContain(
      'events',
    );
  });

  it('a fleet stream that was changed, and one that was deleted', async () => {
    const { integrity, attacker } = await start();
    const { nc, publicKey } = await attacker();
    const jsm = await jetstreamManager(nc);
    const { config } = await jsm.streams.info('KV_zester-fleet');
    await jsm.streams.update('KV_zester-fleet', { ...config, republish: { src: '>', dest: 'zester.out.>' } });
    await jsm.streams.delete('KV_zester-presence');
    const { findings } = await integrity('--known-key', publicKey);
    expect(findings).toContainEqual(
      expect.objectContaining({ subject: 'KV_zester-fleet', message: expect.stringContaining('zester.out') }),
    );
    expect(findings).toContainEqual(
      expect.objectContaining({ subject: 'KV_zester-presence', message: expect.stringContaining('gone') }),
    );
  });

  it('forged records, deleted records and forged audit events', async () => {
    const { fleet, done, creds, integrity, attacker } = await start();
    for (const id of ['web-01', 'web-02', 'web-03', 'web-04'])
      await done('peel', 'add', id, '--out', creds(id));
    const events = await waitFor('the audit', async () => {
      const all = await fleet.audit();
      return all.filter(({ kind }) => kind === 'key.issued').length === 4 ? all : undefined;
    });
    await fleet.master.stop();
    const { nc, publicKey } = await attacker();
    const js = jetstream(nc);
    const jsm = await jetstreamManager(nc);
    const kv = async (id: string) => {
      const message = await jsm.streams.getMessage('KV_zester-peels', {
        last_by_subj: `$KV.zester-peels.${id}`,
      });
      return JSON.parse(new TextDecoder().decode(message?.data)) as { record: { id: string; state: string } };
    };
    const put = (id: string, value: object) => js.publish(`$KV.zester-peels.${id}`, JSON.stringify(value));
    const one = await kv('web-01');
    await put('web-01', { ...one, record: { ...one.record, state: 'active' } });
    await put('ghost', { ...one, record: { ...one.record, id: 'ghost' } });
    const deleted = headers();
    deleted.set('KV-Operation', 'PURGE');
    await js.publish('$KV.zester-peels.web-02', '', { headers: deleted });
    const issued = events.find(({ peelId, kind }) => peelId === 'web-03' && kind === 'key.issued');
    const forged = { ...issued, id: 'forgedforgedforged0001' };
    await js.publish('zester.audit.web-03.key.issued', JSON.stringify(forged), { msgID: forged.id });
    await js.publish('zester.audit.web-04.peel.revoked', JSON.stringify({ ...issued, peelId: 'web-04' }));
    await js.publish('zester.audit.web-04.key.issued', 'nonsense');
    const { code, findings } = await integrity('--known-key', publicKey);
    expect(code).toBe(1);
    const about = (subject: string) => findings.filter((finding) => finding.subject === subject);
    expect(about('web-01')).toHaveLength(1);
    expect(about('ghost')[0]?.message).toContain('without an event');
    expect(
      about('web-02')
        .map(({ message }) => message)
        .join(),
    ).toMatch(/deleted \(PURGE\).*there is no record/);
    expect(about('web-03')[0]?.message).toContain('two events with the number 1');
    expect(findings.filter(({ subject }) => subject.startsWith('zester-audit '))).toHaveLength(2);
  });

  it('connected keys without an issuer', async () => {
    const { integrity, attacker } = await start();
    const { publicKey } = await attacker('web-09');
    const { findings, code } = await integrity();
    expect(code).toBe(1);
    expect(findings).toEqual([expect.objectContaining({ check: 'connection', subject: publicKey })]);
    expect((await integrity('--known-key', publicKey)).code).toBe(0);
  });
});
