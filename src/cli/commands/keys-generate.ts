import { Argument, type Command } from 'commander';
import { UsageError } from '../../errors.js';
import type { CliIo } from '../io.js';
import { refuseToReplace } from '../new-file.js';
import { Output, type GlobalOptions } from '../output.js';

const KINDS = ['operator', 'account', 'user', 'curve'] as const;
type Kind = (typeof KINDS)[number];

interface Options extends GlobalOptions {
  out?: string;
  stdout?: boolean;
  force?: boolean;
}

/** `zester keys generate <role>`: a new key, its seed into a file that only its owner can read. */
export function registerKeysGenerate(parent: Command, io: CliIo): void {
  parent
    .command('generate')
    .description('make a key; the seed goes into a file (mode 0600), the public key to standard output')
    .addArgument(new Argument('<role>', 'what the key is for').choices(KINDS))
    .option('-o, --out <file>', 'the file to write the seed to')
    .option('--stdout', 'print the seed itself instead, for a pipe')
    .option('--force', 'replace a file that is there; with --stdout, print to a terminal too')
    .addHelpText(
      'after',
      `
Examples:
  $ zester keys generate account --out account.seed
  $ zester keys generate user --stdout | vault kv put secret/web-01 seed=-`,
    )
    .action(async (role: Kind, _options, command: Command) => {
      await generate(role, command.optsWithGlobals<Options>(), io);
    });
}

async function generate(role: Kind, options: Options, io: CliIo): Promise<void> {
  const output = new Output(io, options);
  const { out, stdout, force } = options;
  if ((out === undefined) === (stdout !== true)) {
    throw new UsageError('say where the seed goes: --out FILE, or --stdout for a pipe (one of the two)');
  }
  if (stdout === true && io.stdout.isTTY && force !== true) {
    throw new UsageError(
      'the seed would be shown on this terminal: use --out FILE, or pipe the output, or add --force if that is meant',
    );
  }
  if (out !== undefined) await refuseToReplace(out, force);

  const key = await makeKey(role);
  const { publicKey } = key;
  const text = key.seed;
  try {
    if (out === undefined) {
      const seed = Buffer.from(text).toString('latin1');
      output.result([seed], { role, publicKey, seed });
      output.note(`public key: ${publicKey}`);
    } else {
      await saveSeed(out, text);
      output.result([publicKey], { role, publicKey, path: out });
      output.note(`the seed is in ${out} (mode 0600): treat it like a password`);
    }
  } finally {
    text.fill(0);
    key.wipe();
  }
}

async function makeKey(role: Kind): Promise<{ publicKey: string; seed: Uint8Array; wipe(): void }> {
  if (role === 'curve') return (await import('../../nkeys/curve.js')).generateCurveKey();
  return (await import('../../nkeys/key-bundle.js')).generateKeyBundle(role);
}

async function saveSeed(path: string, seed: Uint8Array): Promise<void> {
  const { writeSecretFile } = await import('../../files/write-secret-file.js');
  const line = new Uint8Array(seed.length + 1);
  line.set(seed);
  line[seed.length] = 0x0a;
  try {
    await writeSecretFile(path, line);
  } finally {
    line.fill(0);
  }
}
