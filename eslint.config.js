import tseslint from 'typescript-eslint';

/**
 * The layers of the design, lowest first: a folder imports only from itself and from lower layers.
 * The rule is generated from this list: to add a layer, add a line.
 */
const layers = [
  'timing',
  'text',
  'errors',
  'options',
  'async',
  'http',
  'files',
  'nkeys',
  'jwt',
  'permissions',
  'creds',
  'connection',
  'trust',
  'protocol',
  'system-account',
  'nats-server',
  'account',
  'fleet-client',
  'doctor',
  'master',
  'peel',
  'provision',
  'backup',
  'masters',
  'admins',
  'testing',
  'cli',
  'ui',
];

/** Layers that are files and no folders. */
const FILES = { timing: ['src/timing.ts'], errors: ['src/errors.ts', 'src/error-traits.ts'] };

const layerRules = layers.map((layer, i) => {
  const higher = layers.slice(i + 1);
  // master and peel are siblings: two programs that share only the layers below them
  if (layer === 'peel') higher.push('master');
  return {
    files: FILES[layer] ?? [`src/${layer}/**/*.{ts,tsx}`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...(higher.length === 0
              ? []
              : [
                  {
                    regex: `^\\.{1,2}/(.*/)?(${higher.map((name) => (name in FILES ? `${name}\\.js$` : `${name}/`)).join('|')})`,
                    message: `The layer ${layer} does not import from a higher layer (docs/design.md, "Layers").`,
                  },
                ]),
            {
              regex: '(^|/)index\\.js$',
              message: 'index.ts is for users; inside, import the file that has it.',
            },
          ],
        },
      ],
    },
  };
});

/**
 * Files that decide and do nothing else: what happens is a result of what they are given, the time included. To add a
 * decision, add a line.
 */
const decisions = [
  'src/timing.ts',
  'src/error-traits.ts',
  'src/http/allowed-host.ts',
  'src/text/{csv,shell-word}.ts',
  'src/jwt/{dated-after,expiry,revocations,revoke-up-to}.ts',
  'src/permissions/**/*.ts',
  'src/connection/{check-options,connect-failure,connect-plan,connection-state,inbox-prefix,reconnect-delays,reconnect-spread}.ts',
  'src/connection/{refusals,server-info,server-urls,specific-failure}.ts',
  'src/trust/{judge-expiry,migration,template,account-jwt/merge-account}.ts',
  'src/account/{join-reports,judge-retention}.ts',
  'src/protocol/{glob,command-reply,is-master}.ts',
  'src/trust/keys/endorsements.ts',
  'src/protocol/records/*.ts',
  'src/system-account/{connection-pages,meta-group,storage-headroom}.ts',
  'src/nats-server/{connection-limit,restart-delay}.ts',
  'src/doctor/{judge-fleet,integrity/*}.ts',
  'src/master/{check-options,health,master-event}.ts',
  'src/master/requests/{judge-recovery,policy,admin/unconfirmed-reason,flood/diversions,flood/meter}.ts',
  'src/master/audit/unconfirmed-events.ts',
  'src/master/registry/token-rules.ts',
  'src/master/revocation/{breaker,revocation-plan}.ts',
  'src/master/trust/recovery-credential.ts',
  'src/master/store/{held-values,replicas,watch-progress,write-step}.ts',
  'src/master/presence/{feed-step,last-seen-shards}.ts',
  'src/master/watch/{admission,judge,key-retirement,reading,server-roster}.ts',
  'src/peel/{after-recovery,health,is-transient,judge-notice,recovery-plan,renewal-plan,schedule,start-plan}.ts',
  'src/provision/batch-schedule.ts',
  'src/backup/{entries,merge-record}.ts',
  'src/cli/api/{caller,judge-origin,list-peels,match-route,schemas,summarize}.ts',
  'src/ui/{rows,times}.ts',
  'src/masters/{invite,roster}.ts',
];

const impure = [
  ["MemberExpression[object.name='Date'][property.name='now']", 'reads the clock'],
  ["NewExpression[callee.name='Date'][arguments.length=0]", 'reads the clock'],
  ["MemberExpression[object.name='performance']", 'reads the clock'],
  ["MemberExpression[object.name='Math'][property.name='random']", 'rolls dice'],
  ['CallExpression[callee.name=/^(setTimeout|setInterval|setImmediate|delay|sleep|fetch)$/]', 'waits'],
  [
    ':matches(ImportDeclaration, ImportExpression)[source.value=/^(node:timers|@nats-io)/]',
    'waits or connects',
  ],
].map(([selector, what]) => ({
  selector,
  message: `This ${what}: a file that decides is given it (eslint.config.js, "decisions").`,
}));

/** Each source file starts with one line that says what it is for: `// Signs user JWTs.` or `// createUserJwt: signs user JWTs.` */
const purposeComment = {
  meta: {
    messages: { missing: 'Start the file with one line that says what it is for: "// Does this and that."' },
  },
  create: (context) => ({
    Program() {
      const first = context.sourceCode.getAllComments().find(({ type }) => type !== 'Shebang');
      const isFirst =
        first?.type === 'Line' &&
        !context.sourceCode.text.slice(0, first.range[0]).replace(/^#!.*/, '').trim();
      if (isFirst && /^ ([A-Z`]|[a-z]\w+( and \w+)?: ).*\w.*[.]$/.test(first.value)) return;
      context.report({ loc: { line: 1, column: 0 }, messageId: 'missing' });
    },
  }),
};

// Our own rules. The common ones are oxlint's (.oxlintrc.json), which needs a fraction of the time, also for those with types.
export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/'] },
  {
    files: ['src/**/*.{ts,tsx}'],
    languageOptions: { parser: tseslint.parser },
    plugins: { zester: { rules: { 'purpose-comment': purposeComment } } },
    rules: { 'zester/purpose-comment': 'error' },
  },
  ...layerRules,
  { files: decisions, rules: { 'no-restricted-syntax': ['error', ...impure] } },
);
