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
  'cli',
];

/** Layers that are files and no folders. */
const FILES = { timing: ['src/timing.ts'], errors: ['src/errors.ts', 'src/error-traits.ts'] };

const layerRules = layers.map((layer, i) => {
  const higher = layers.slice(i + 1);
  // master and peel are siblings: two programs that share only the layers below them
  if (layer === 'peel') higher.push('master');
  return {
    files: FILES[layer] ?? [`src/${layer}/**/*.ts`],
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

export default tseslint.config(
  { ignores: ['dist/', 'coverage/', 'node_modules/'] },
  ...tseslint.configs.strict,
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-non-null-assertion': 'error',
      // the client's own interface has `Promise<void | Error>`
      '@typescript-eslint/no-invalid-void-type': 'off',
      'no-console': 'error',
    },
  },
  { files: ['bench/**/*.ts', 'examples/**/*.ts', 'scripts/**'], rules: { 'no-console': 'off' } },
  ...layerRules,
);
