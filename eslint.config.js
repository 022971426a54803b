import tseslint from 'typescript-eslint';

/**
 * The layers of the design, top first: a folder imports only from itself and from those above it.
 * The rule below is generated from this list, so that adding a layer is adding a line.
 */
const layers = [
  'text',
  'errors',
  'async',
  'files',
  'nkeys',
  'jwt',
  'permissions',
  'creds',
  'connection',
  'trust',
  'nats-server',
  'fleet',
  'master',
  'peel',
  'cli',
];

const layerRules = layers.map((layer, i) => {
  const below = layers.slice(i + 1);
  // master and peel are siblings: two programs that share only `fleet`
  if (layer === 'peel') below.push('master');
  return {
    files: layer === 'errors' ? ['src/errors.ts', 'src/error-traits.ts'] : [`src/${layer}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            ...(below.length === 0
              ? []
              : [
                  {
                    regex: `^\\.{1,2}/(.*/)?(${below.join('|')})(/|\\.js$)`,
                    message: `The layer ${layer} does not import from a layer below it (docs/design.md, "Layers").`,
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
