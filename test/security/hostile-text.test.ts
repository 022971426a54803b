/**
 * Hostile strings from every source, in every sink: no untrusted text can control a terminal, a log, a shell, a
 * manifest or a file name. `test/integration/fleet/hostile-text.test.ts` has end-to-end samples.
 */
import { chmod, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { describe, expect, it } from 'vitest';
import { confirm } from '../../src/cli/terminal/confirm.js';
import { errorLine } from '../../src/cli/terminal/error-line.js';
import { createLog } from '../../src/cli/terminal/log.js';
import { processIo, type CliIo } from '../../src/cli/terminal/io.js';
import { Output, table } from '../../src/cli/terminal/output.js';
import { auditLine } from '../../src/cli/fleet/audit-lines.js';
import { loadConfig } from '../../src/cli/config/load.js';
import { FleetError, NatsServerError } from '../../src/errors.js';
import { createUserJwt } from '../../src/jwt/user.js';
import { quoted } from '../../src/nats-server/configuration-text.js';
import { readServerLogLine } from '../../src/nats-server/log-line.js';
import { generateKeyBundle } from '../../src/nkeys/key-bundle.js';
import { isPeelId } from '../../src/permissions/peel-id.js';
import { readCommandAnswer } from '../../src/protocol/command.js';
import { parseEvent } from '../../src/protocol/records/parse-event.js';
import { formatCreds } from '../../src/creds/format.js';
import { secretManifest } from '../../src/provision/sinks/kubernetes.js';
import { ndjsonLine } from '../../src/provision/sinks/ndjson.js';
import { readRows } from '../../src/provision/rows.js';
import { isHost, sshSink } from '../../src/provision/sinks/ssh.js';
import { printable } from '../../src/text/printable.js';
import { tempDir } from '../support/temp-dir.js';
import { HOSTILE, UNSAFE } from './hostile-strings.js';

const own = processIo();

interface Captured {
  io: CliIo;
  /** All output, line by line. */
  lines: () => string[];
}

function captured(isTTY: boolean): Captured {
  let text = '';
  const stream = { write: (part: string) => void (text += part), isTTY, columns: 80 };
  const io = { ...own, stdout: stream, stderr: stream, env: { NO_COLOR: '1' } };
  return { io, lines: () => text.replace(/\n$/, '').split('\n') };
}

/** The entry points of untrusted text, and their output. */
const SOURCES: Readonly<Record<string, (text: string) => unknown>> = {
  'text as it is': (text) => text,
  "a peel's answer": (text) =>
    readCommandAnswer(Buffer.from(JSON.stringify({ peelId: 'w', result: { [text]: [text] } })), 'w'),
  "a peel's error": (text) =>
    readCommandAnswer(Buffer.from(JSON.stringify({ peelId: 'w', error: { code: 'X', message: text } })), 'w'),
  'an error code of a peel': (text) =>
    readCommandAnswer(Buffer.from(JSON.stringify({ peelId: 'w', error: { code: text, message: 'x' } })), 'w'),
  'an audit event': (text) => {
    const event = {
      id: text,
      at: text,
      by: { kind: 'master', name: text },
      kind: 'peel.revoked',
      peelId: 'w',
      number: 1,
    };
    const read = parseEvent(Buffer.from(JSON.stringify({ ...event, reason: text, origin: text })));
    return read === undefined ? 'refused' : auditLine(read);
  },
  "a server's log line": (text) => readServerLogLine(text),
};

const asText = (value: unknown) => (typeof value === 'string' ? value : (JSON.stringify(value) ?? ''));
const cases = Object.entries(HOSTILE);
/** Sources times strings. */
const texts = Object.entries(SOURCES).flatMap(([source, read]) =>
  cases.map(([name, text]): [string, unknown] => [`${source}: ${name}`, read(text)]),
);

/** Writers of human-readable text, and the expected number of lines. */
const SINKS: Readonly<Record<string, (io: CliIo, text: string, value: unknown) => Promise<number> | number>> =
  {
    'lines of a result': (io, text) => (new Output(io, {}).result([text, text], {}), 2),
    'a table': (io, text) => {
      const output = new Output(io, {});
      const shape = [
        ['ID', (one: string) => one],
        ['MORE', (one: string) => one],
      ] as const;
      output.lines([...output.columns([text, text], shape), ...table([[text, text]])]);
      return 4;
    },
    'an event': (io, text) => (new Output(io, {}).event(text, {}), 1),
    'a note and a warning': (io, text) => {
      const output = new Output(io, {});
      output.note(text);
      output.warn(text);
      return 2;
    },
    'coloured text': (io, text) => {
      const output = new Output(io, {});
      output.lines([output.colour('red', text)]);
      return 1;
    },
    'an error': (io, text) => (
      io.stderr.write(errorLine(new FleetError('ERR_FLEET_ANSWER', text), { json: false, debug: false })),
      1
    ),
    "a server's error": (io, text) => (
      io.stderr.write(
        errorLine(new NatsServerError('ERR_NATS_SERVER_START', text), { json: false, debug: false }),
      ),
      1
    ),
    'an error with its stack': (io, text) => {
      const error = new FleetError('ERR_FLEET_ANSWER', text, { cause: new Error(text) });
      const all = errorLine(error, { json: false, debug: true });
      io.stderr.write(all);
      // stack frames follow, and none starts with the message
      return all
        .replace(/\n$/, '')
        .split('\n')
        .filter((line) => !/^ {4}at /.test(line)).length <= 3
        ? all.replace(/\n$/, '').split('\n').length
        : -1;
    },
    'the log': async (io, text, value) => {
      const log = await createLog({ level: 'debug' }, io);
      log.warn({ host: text, [text.slice(0, 50)]: value, error: new Error(text) }, text);
      return 1;
    },
    'a question': async (io, text) => {
      const ask = (question: string) => (io.stdout.write(`${question}\n`), Promise.resolve('y'));
      await confirm({ ...io, ask }, text, undefined);
      return 1;
    },
  };

/** Writers of JSON. */
const JSON_SINKS: Readonly<Record<string, (io: CliIo, value: unknown) => void>> = {
  'a document': (io, value) => new Output(io, { json: true }).result([], { value }),
  'an event': (io, value) => new Output(io, { json: true }).event('', { value }),
  'an error': (io, value) =>
    void io.stderr.write(
      errorLine(new FleetError('ERR_FLEET_ANSWER', asText(value)), { json: true, debug: false }),
    ),
};

describe('hostile text', () => {
  it.each(Object.entries(SINKS))('written as %s is one safe line each', async (_, write) => {
    for (const isTTY of [true, false]) {
      for (const [name, value] of texts) {
        const { io, lines } = captured(isTTY);
        const count = await write(io, asText(value), value);
        const written = lines();
        expect(written.length, name).toBe(count);
        for (const line of written) expect(UNSAFE.exec(line)?.[0], name).toBeUndefined();
      }
    }
  });

  it.each(Object.entries(JSON_SINKS))(
    'written as JSON in %s is preserved, and is safe to print',
    (_, write) => {
      for (const [name, value] of texts) {
        const { io, lines } = captured(false);
        write(io, value);
        for (const line of lines()) expect(UNSAFE.exec(line)?.[0], name).toBeUndefined();
        const read = JSON.parse(lines().join('\n')) as { value?: unknown; error?: object };
        if (read.error === undefined)
          expect(read.value, name).toEqual(JSON.parse(JSON.stringify(value) ?? 'null'));
      }
    },
  );

  it('is not a peel ID unless it is a plain word, so it is in no subject, file name, tar entry, argument or label', async () => {
    const accepted = cases.filter(([, text]) => isPeelId(text)).map(([name]) => name);
    expect(accepted).toEqual(['a YAML value of another type']);
    const list = cases.map(([, text]) => JSON.stringify({ id: text })).join('\n');
    async function* chunks() {
      yield await Promise.resolve(Buffer.from(list));
    }
    const ids: string[] = [];
    for await (const row of readRows(chunks(), 'ndjson')) if ('peelId' in row) ids.push(row.peelId);
    expect(ids).toEqual(['no']);
  });

  it('in a list of hosts becomes no option of ssh and no word of a shell', async () => {
    const dir = await tempDir();
    const ssh = join(dir, 'ssh');
    await writeFile(ssh, `#!/bin/sh\nprintf '%s\\n' "$@" >> ${dir}/arguments\ncat > /dev/null\n`);
    await chmod(ssh, 0o700);
    const user = generateKeyBundle('user');
    const jwt = createUserJwt(user, generateKeyBundle('account'), { name: 'web-01' });
    const credential = () => ({
      peelId: 'web-01',
      publicKey: user.publicKey,
      content: formatCreds(jwt, user.seed),
    });
    const deliver = (host: string, path: string) =>
      sshSink({
        hostOf: () => host,
        path,
        sshArguments: [],
        ssh,
        parallel: 1,
        retries: 0,
        timeoutMs: 20_000,
        env: process.env,
        signal: new AbortController().signal,
      }).deliver(credential() as never);
    for (const [name, text] of cases) {
      if (isHost(text)) expect(text, name).toMatch(/^[A-Za-z0-9_[][\w.@:%[\]-]*$/);
      else await expect(deliver(text, '/x'), name).rejects.toMatchObject({ code: 'ERR_BULK_DELIVERY' });
    }
    await deliver('host-1', `/a'b$(touch x)\`touch y\` c`);
    const given = await readFile(join(dir, 'arguments'), 'utf8');
    expect(given).toContain(`p='/a'\\''b$(touch x)\`touch y\` c'`);
    expect(given.split('\n').slice(0, 4)).toEqual(['-o', 'BatchMode=yes', '--', 'host-1']);
  });

  it('in a manifest is one YAML value', () => {
    const user = generateKeyBundle('user');
    const jwt = createUserJwt(user, generateKeyBundle('account'), { name: 'u' });
    for (const [name, text] of cases) {
      const whole = Buffer.from(text).toString();
      const credential = { peelId: whole, publicKey: whole, content: formatCreds(jwt, user.seed) };
      const manifest = secretManifest(credential as never, whole);
      expect(UNSAFE.exec(manifest.replaceAll('\n', ''))?.[0], name).toBeUndefined();
      const read = parse(manifest) as {
        kind: string;
        metadata: { namespace: string; annotations: Record<string, string> };
        stringData: object;
      };
      expect(Object.keys(read), name).toEqual(['apiVersion', 'kind', 'metadata', 'type', 'stringData']);
      expect(read.metadata.namespace, name).toBe(whole);
      expect(read.metadata.annotations, name).toEqual({
        'zester/peel-id': whole,
        'zester/public-key': whole,
      });
      expect(Object.keys(read.stringData)).toEqual(['peel.creds']);
      const line = ndjsonLine(credential as never);
      expect(line.indexOf('\n'), name).toBe(line.length - 1);
      expect(JSON.parse(line), name).toMatchObject({ peelId: whole });
    }
  });

  it('in a server configuration is one quoted value', () => {
    for (const [name, text] of cases) {
      const value = quoted(text);
      expect(value, name).not.toMatch(/[\u0000-\u001f\u007f]/);
      expect(value.slice(1, -1), name).not.toMatch(/(^|[^\\])(\\\\)*"/);
    }
  });

  it('in a configuration file is refused in one line, and nothing of the file reaches stderr otherwise', async () => {
    const dir = await tempDir();
    const path = join(dir, 'master.yaml');
    const warnings: unknown[] = [];
    const listen = (warning: unknown) => void warnings.push(warning);
    process.on('warning', listen);
    try {
      for (const [name, text] of cases) {
        for (const content of [
          text,
          `policy: ${text}`,
          `servers: [${text}]`,
          `a: &${text} 1`,
          `!${text} x`,
        ]) {
          await writeFile(path, content);
          const error: unknown = await loadConfig(
            'master',
            { config: path, home: dir },
            captured(false).io,
          ).catch((e: unknown) => e);
          const line = errorLine(error, { json: false, debug: false });
          if (error instanceof Error)
            expect(error, name).toMatchObject({ code: expect.stringMatching(/^ERR_/) as string });
          expect(UNSAFE.exec(line.slice(0, -1))?.[0], name).toBeUndefined();
        }
      }
      await new Promise((resolve) => setImmediate(resolve));
      expect(warnings).toEqual([]);
    } finally {
      process.off('warning', listen);
    }
  });

  it('is shown by an escape that no text can forge', () => {
    for (const [, text] of cases) expect(printable(printable(text))).toBe(printable(text));
  });
});
