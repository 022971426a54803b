import * as jwtJs from '@nats-io/jwt';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { AdoptedTrustFiles } from '../../src/trust/create/load-adopted.js';
import { tempDir } from '../support/temp-dir.js';

/** A trust domain of another tool, in files like nsc's. */
export interface ForeignDomain {
  files: AdoptedTrustFiles & { systemCreds: string };
  /** The files of its account, for adoption. */
  accountFiles: { accountJwt: string; accountSeed: string };
  /** The seed of the operator's identity. */
  operatorSeed: string;
  systemAccountSeed: string;
  operatorPublicKey: string;
  accountPublicKey: string;
  write(name: string, content: string): Promise<string>;
}

/** Makes an operator, a system account, a user of it and an account with @nats-io/jwt. */
export async function foreignDomain(options: { strict?: boolean } = {}): Promise<ForeignDomain> {
  const dir = await tempDir();
  const write = async (name: string, content: string): Promise<string> => {
    const path = join(dir, name);
    await writeFile(path, content, { mode: 0o600 });
    return path;
  };
  const seedOf = (key: { getSeed(): Uint8Array }) => Buffer.from(key.getSeed()).toString('latin1');
  const operator = jwtJs.createOperator();
  const operatorSigner = jwtJs.createOperator();
  const systemAccount = jwtJs.createAccount();
  const account = jwtJs.createAccount();
  const systemUser = jwtJs.createUser();
  const operatorJwt = await jwtJs.encodeOperator('Acme', operator, {
    signing_keys: [operatorSigner.getPublicKey()],
    system_account: systemAccount.getPublicKey(),
    ...(options.strict === true && { strict_signing_key_usage: true }),
  });
  const unlimited = {
    conn: -1,
    subs: -1,
    data: -1,
    payload: -1,
    imports: -1,
    exports: -1,
    leaf: -1,
    wildcards: true,
  };
  const systemJwt = await jwtJs.encodeAccount(
    'SYS',
    systemAccount,
    { limits: unlimited },
    { signer: operatorSigner },
  );
  const accountJwt = await jwtJs.encodeAccount(
    'Plant 7',
    account,
    {
      limits: { ...unlimited, mem_storage: -1, disk_storage: -1, streams: -1, consumer: -1 },
      description: 'made elsewhere',
      exports: [{ name: 'time', subject: 'time', type: 'service' }],
    } as Partial<jwtJs.Account>,
    { signer: operatorSigner },
  );
  const systemUserJwt = await jwtJs.encodeUser('sys', systemUser, systemAccount, {});
  const creds = await jwtJs.fmtCreds(systemUserJwt, systemUser);
  const decorated = (jwt: string, type: string) =>
    `-----BEGIN NATS ${type} JWT-----\n${jwt}\n------END NATS ${type} JWT------\n`;
  return {
    files: {
      operatorJwt: await write('Acme.jwt', decorated(operatorJwt, 'OPERATOR')),
      operatorSigningSeed: await write('operator-sk.nk', `${seedOf(operatorSigner)}\n`),
      systemAccountJwt: await write('SYS.jwt', systemJwt),
      systemCreds: await write('sys.creds', Buffer.from(creds).toString('latin1')),
    },
    accountFiles: {
      accountJwt: await write('plant.jwt', decorated(accountJwt, 'ACCOUNT')),
      accountSeed: await write('plant.nk', seedOf(account)),
    },
    operatorSeed: await write('operator.nk', seedOf(operator)),
    systemAccountSeed: await write('SYS.nk', seedOf(systemAccount)),
    operatorPublicKey: operator.getPublicKey(),
    accountPublicKey: account.getPublicKey(),
    write,
  };
}
