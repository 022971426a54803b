// `zester keys generate`: generate a key, with its seed in a file of mode 0600.
import { UsageError } from '../../../errors.js';
import { command } from '../../command/declaration.js';
import { choiceArgument, flag, text } from '../../command/option.js';
import { refuseToReplace } from '../../options/new-file.js';

const ROLES = ['operator', 'account', 'user', 'curve'] as const;
type Role = (typeof ROLES)[number];

export default command({
  summary: 'generate a key, with its seed in a file of mode 0600',
  arguments: { role: choiceArgument('role of the key', ROLES) },
  options: {
    out: text('-o, --out <file>', 'the file for the seed'),
    stdout: flag('--stdout', 'print the seed instead, for a pipe'),
    force: flag('--force', 'replace an existing file; with --stdout, print to a terminal'),
  },
  examples: [
    'zester keys generate account --out account.seed',
    'zester keys generate user --stdout | vault kv put secret/web-01 seed=-',
  ],
  async run({ role, out, stdout, force }, { io, output }) {
    if ((out === undefined) === !stdout) {
      throw new UsageError('pass either --out FILE, or --stdout for a pipe');
    }
    if (stdout && io.stdout.isTTY && !force) {
      throw new UsageError(
        'this would show the seed on the terminal: use --out FILE, pipe the output, or add --force',
      );
    }
    if (out !== undefined) await refuseToReplace(out, force);
    const key = await makeKey(role);
    const { publicKey } = key;
    const bytes = key.seed;
    try {
      if (out === undefined) {
        const seed = Buffer.from(bytes).toString('latin1');
        output.seed(seed, { role, publicKey, seed });
        output.note(`public key: ${publicKey}`);
      } else {
        await saveSeed(out, bytes, force !== true);
        output.result([publicKey], { role, publicKey, path: out });
        output.note(`the seed is in ${out} (mode 0600): treat it like a password`);
      }
    } finally {
      bytes.fill(0);
      key.wipe();
    }
  },
});

async function makeKey(role: Role): Promise<{ publicKey: string; seed: Uint8Array; wipe(): void }> {
  if (role === 'curve') return (await import('../../../nkeys/curve.js')).generateCurveKey();
  return (await import('../../../nkeys/key-bundle.js')).generateKeyBundle(role);
}

async function saveSeed(path: string, seed: Uint8Array, ifAbsent: boolean): Promise<void> {
  const { writeSecretFile } = await import('../../../files/write-secret-file.js');
  const line = new Uint8Array(seed.length + 1);
  line.set(seed);
  line[seed.length] = 0x0a;
  try {
    await writeSecretFile(path, line, { ifAbsent });
  } finally {
    line.fill(0);
  }
}
