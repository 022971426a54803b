import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/**
 * Rules for the whole public API, checked against the reports in api/: arguments of a function can be aborted, disposed
 * of, left undefined and not confused with each other. Each exception is listed here, with its reason.
 */

/** Options of the client's `connect()`, and deprecated option names. */
const NAMES_OF_OTHERS = new Map([
  ['timeout', "the client's own name"],
  ['expiry', 'the same as expirySeconds'],
  ['lifetime', 'deprecated: lifetimeSeconds'],
  ['ttl', 'deprecated: ttlSeconds'],
  ['drainTimeout', 'deprecated: drainTimeoutMs'],
  ['handoverTimeout', 'deprecated: handoverTimeoutMs'],
]);
/** These take external data, not options. */
const DATA = new Set([
  'AuditEvent',
  'PeelEvent',
  'PeelRecord',
  'PeelKey',
  'ScopedSigningKeyClaim',
  'UserPermissionLimits',
  'Permissions_2',
  'Permission',
  'ResponsePermission',
  'JoinRequest',
  'Newcomer',
]);
/** Functions that do not wait for others: they read or write a file, or end by themselves in limited time. */
const WAITS_FOR_NOBODY = new Map([
  ['bootstrapPeelCreds', 'writes a file'],
  ['defaultCredentials', 'looks for files'],
  ['loadCredsFile', 'reads a file'],
  ['loadJwtFile', 'reads a file'],
  ['loadKeyBundleFromFile', 'reads a file'],
  ['writeCredsFile', 'writes a file'],
  ['KeyBundle.saveSeedToFile', 'writes a file'],
  ['natsOptionsForMaster', 'the provider is asked for 10 s at most'],
  ['natsOptionsForPeel', 'the provider is asked for 10 s at most'],
  ['Fleet.close', 'closes'],
  ['ZesterConnection.events', 'ends with the connection'],
  ['Master.events', 'ends with the master'],
  ['Master.metricsText', 'computes'],
  ['Master.stop', 'limited by waitMs'],
  ['Peel.drain', 'limited by drainTimeoutMs'],
  ['RegisteredMetric.get', "ours: the program's registry calls it"],
  ['Peel.events', 'ends with the peel'],
]);

interface Api {
  functions: ts.FunctionDeclaration[];
  types: Map<string, ts.InterfaceDeclaration | ts.TypeAliasDeclaration | ts.ClassDeclaration>;
}

async function readApi(name: string): Promise<Api> {
  const path = fileURLToPath(new URL(`../../api/${name}.api.md`, import.meta.url));
  const [, code = ''] = /```ts\r?\n(.*?)```/s.exec(await readFile(path, 'utf8')) ?? [];
  const source = ts.createSourceFile(`${name}.d.ts`, code, ts.ScriptTarget.Latest, true);
  const api: Api = { functions: [], types: new Map() };
  for (const statement of source.statements) {
    if (ts.isFunctionDeclaration(statement)) api.functions.push(statement);
    if (
      ts.isInterfaceDeclaration(statement) ||
      ts.isTypeAliasDeclaration(statement) ||
      ts.isClassDeclaration(statement)
    )
      api.types.set(statement.name?.text ?? '', statement);
  }
  return api;
}

const zester = await readApi('zester');
const apis = [
  zester,
  await readApi('zester-master'),
  await readApi('zester-peel'),
  await readApi('zester-testing'),
];
/** Types of one entry point are used by the others, too. */
const types: Api['types'] = new Map(apis.flatMap((api) => [...api.types]));

type Callable =
  | ts.FunctionDeclaration
  | ts.MethodSignature
  | ts.MethodDeclaration
  | ts.ConstructorDeclaration;

function isPublic(member: ts.TypeElement | ts.ClassElement): boolean {
  return (
    !ts.canHaveModifiers(member) ||
    !ts.getModifiers(member)?.some(({ kind }) => kind === ts.SyntaxKind.PrivateKeyword)
  );
}

let cached: Map<string, ts.InterfaceDeclaration> | undefined;

/** All callables, by name: several of one name are overloads. */
const callables = new Map<string, Callable[]>();
for (const { functions, types: own } of apis) {
  for (const one of functions) add(one.name?.text ?? '', one);
  for (const [name, type] of own) {
    if (ts.isTypeAliasDeclaration(type) || DATA.has(name) || given().has(name)) continue;
    for (const member of type.members as ts.NodeArray<ts.TypeElement | ts.ClassElement>) {
      if (!isPublic(member)) continue;
      if (ts.isMethodSignature(member) || ts.isMethodDeclaration(member))
        add(`${name}.${member.name.getText()}`, member);
      else if (ts.isConstructorDeclaration(member) && !name.endsWith('Error')) add(`new ${name}`, member);
    }
  }
}
function add(name: string, one: Callable): void {
  const overloads = callables.get(name) ?? [];
  // a type is in the report of each entry point that uses it
  if (!overloads.some((other) => other.getText() === one.getText())) callables.set(name, [...overloads, one]);
}

/** The interfaces of parameters, and their parts. */
function given(): Map<string, ts.InterfaceDeclaration> {
  if (cached !== undefined) return cached;
  cached = new Map();
  const visit = (node: ts.Node | undefined): void => {
    if (node === undefined || ts.isFunctionTypeNode(node)) return;
    if (ts.isTypeReferenceNode(node) || ts.isExpressionWithTypeArguments(node)) {
      const name = (ts.isTypeReferenceNode(node) ? node.typeName : node.expression).getText();
      const type = types.get(name);
      if (type !== undefined && !DATA.has(name) && !cached?.has(name)) {
        if (ts.isInterfaceDeclaration(type)) {
          cached?.set(name, type);
          type.heritageClauses?.forEach((clause) => clause.types.forEach(visit));
          type.members.forEach((member) => {
            if (ts.isPropertySignature(member)) visit(member.type);
          });
        } else if (ts.isTypeAliasDeclaration(type)) visit(type.type);
      }
    }
    ts.forEachChild(node, visit);
  };
  for (const { functions, types: own } of apis) {
    for (const one of functions) one.parameters.forEach(({ type }) => visit(type));
    for (const type of own.values()) {
      if (!ts.isClassDeclaration(type)) continue;
      for (const member of type.members)
        if (isPublic(member) && (ts.isMethodDeclaration(member) || ts.isConstructorDeclaration(member)))
          member.parameters.forEach((parameter) => visit(parameter.type));
    }
  }
  for (const name of ['Handler', 'ZesterConnection', 'Master']) cached.delete(name);
  return cached;
}

/** The options with their location: members of parameter interfaces and type literals. */
function options(): [where: string, option: ts.PropertySignature][] {
  const found: [string, ts.PropertySignature][] = [];
  const ofMembers = (where: string, members: readonly ts.TypeElement[]): void => {
    for (const member of members) {
      if (!ts.isPropertySignature(member)) continue;
      found.push([`${where}.${member.name.getText()}`, member]);
      inLiterals(`${where}.${member.name.getText()}`, member.type);
    }
  };
  const inLiterals = (where: string, node: ts.Node | undefined): void => {
    if (node === undefined || ts.isFunctionTypeNode(node)) return;
    if (ts.isTypeLiteralNode(node)) ofMembers(where, [...node.members]);
    else ts.forEachChild(node, (child) => inLiterals(where, child));
  };
  for (const [name, type] of given()) ofMembers(name, [...type.members]);
  for (const [name, overloads] of callables)
    for (const { parameters } of overloads) for (const { type } of parameters) inLiterals(`${name}()`, type);
  return found;
}

const nameOf = (option: ts.PropertySignature) => option.name.getText();
const textOf = (node: { type?: ts.TypeNode | undefined }) => node.type?.getText() ?? '';

describe('the public API', () => {
  it('is covered by this test', () => {
    expect(callables.size).toBeGreaterThan(80);
    expect([...given().keys()]).toEqual(
      expect.arrayContaining([
        'ConnectSettings',
        'MasterOptions',
        'JoinOptions',
        'AccountLimitOptions',
        'TestFleetOptions',
      ]),
    );
    expect(options().length).toBeGreaterThan(150);
  });

  it('treats undefined as an omitted option', () => {
    const refusing = options()
      .filter(([, option]) => option.questionToken !== undefined && !/\bundefined\b/.test(textOf(option)))
      .filter(([, option]) => textOf(option) !== 'unknown')
      .map(([where]) => where);
    expect(refusing).toEqual([]);
  });

  it('names the unit of every duration', () => {
    const durations =
      /timeout|wait|interval|lifetime|ttl|expiry|recovery$|expir\w*within|duration|delay|window|refresh|\bage\b|period/i;
    const withoutUnit = options()
      .filter(([, option]) => /\bnumber\b/.test(textOf(option)) && durations.test(nameOf(option)))
      .filter(([, option]) => !/(Ms|Seconds)$/.test(nameOf(option)) && !NAMES_OF_OTHERS.has(nameOf(option)))
      .map(([where]) => where);
    expect(withoutUnit).toEqual([]);
  });

  it('accepts a URL where it accepts a path', () => {
    const paths = /^(path|out|home|token|credsPath|\w+CredsPath|\w+File)$/;
    const textOnly = [
      ...options().map(([where, option]) => [where, nameOf(option), textOf(option)] as const),
      ...[...callables].flatMap(([where, overloads]) =>
        overloads.flatMap(({ parameters }) =>
          parameters.map((one) => [where, one.name.getText(), textOf(one)] as const),
        ),
      ),
    ].filter(([, name, type]) => paths.test(name) && /\bstring\b/.test(type) && !/\bURL\b/.test(type));
    expect(textOnly).toEqual([]);
  });

  it('has a form with names wherever strings could be swapped', () => {
    const swappable = [...callables].filter(([, overloads]) => {
      const strings = (one: Callable) =>
        one.parameters.filter(({ type }) =>
          /\b(string|Payload|ProvidedCredentials|Credentials|CredentialProvider)\b(?!\[)/.test(
            withoutLists(type?.getText() ?? ''),
          ),
        );
      const withNames = overloads.some((one) => strings(one).length === 0);
      return overloads.some((one) => strings(one).length > 1) && !withNames;
    });
    expect(swappable.map(([name]) => name)).toEqual([]);
  });

  it('accepts a signal wherever it waits', () => {
    const waiting = [...callables].filter(([name, overloads]) => {
      if (name.includes('[Symbol') || WAITS_FOR_NOBODY.has(name) || /^Test|^Ephemeral|^startTest/.test(name))
        return false;
      const waits = overloads.some((one) => /^(Promise|Async\w+)</.test(textOf(one)));
      return waits && !overloads.some((one) => one.parameters.some(({ type }) => hasSignal(type)));
    });
    expect(waiting.map(([name]) => name)).toEqual([]);
  });

  it('can dispose of everything that holds a seed or a connection', () => {
    const kept = [...types].filter(([name, type]) => {
      if (ts.isTypeAliasDeclaration(type) || DATA.has(name)) return false;
      const members = (type.members as ts.NodeArray<ts.TypeElement | ts.ClassElement>).map(
        (member) => member.name?.getText() ?? '',
      );
      const ends = members.some((member) => ['wipe', 'close', 'drain', 'stop'].includes(member));
      return ends && !/Dispos/.test(type.getText()) && !/\[Symbol\.(async)?[dD]ispose\]/.test(type.getText());
    });
    expect(kept.map(([name]) => name)).toEqual([]);
    for (const name of [
      'MemoryCredentials',
      'ZesterConnection',
      'TestTrust',
      'FullHierarchy',
      'BootstrappedPeel',
      'PeelCredential',
      'CreatedToken',
    ])
      expect(types.get(name)?.getText(), name).toMatch(/Symbol\.(asyncDispose|dispose)|Disposable/);
  });
});

/** Without lists and objects: neither is mistaken for a string. */
function withoutLists(type: string): string {
  return type.replace(
    /\{[^}]*\}|PeelAndCredentials<.*>|readonly string\[\]|Iterable<string>|AsyncIterable<string>|Record<[^>]*>/g,
    '',
  );
}

function hasSignal(node: ts.Node | undefined): boolean {
  if (node === undefined) return false;
  let found = false;
  const seen = new Set<string>();
  const visit = (one: ts.Node | undefined): void => {
    if (one === undefined || found) return;
    if (/\bsignal\??: AbortSignal/.test(one.getText())) found = true;
    if (ts.isTypeReferenceNode(one) || ts.isExpressionWithTypeArguments(one)) {
      const name = (ts.isTypeReferenceNode(one) ? one.typeName : one.expression).getText();
      const type = types.get(name);
      if (type !== undefined && !seen.has(name) && !ts.isClassDeclaration(type)) {
        seen.add(name);
        visit(type);
      }
    }
    ts.forEachChild(one, visit);
  };
  visit(node);
  return found;
}
