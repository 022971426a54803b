// The lint rules of this repository, for oxlint; .oxlintrc.json says for which files, with the list of layers.
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const SOURCES = fileURLToPath(new URL('../src', import.meta.url));

/** Each source file starts with one line that says what it is for: `// Signs user JWTs.` or `// createUserJwt: signs user JWTs.` */
const purposeComment = {
  create: (context) => ({
    Program() {
      const { sourceCode } = context;
      const first = sourceCode.getAllComments().find(({ type }) => type !== 'Shebang');
      const isFirst =
        first?.type === 'Line' && !sourceCode.text.slice(0, first.range[0]).replace(/^#!.*/, '').trim();
      if (isFirst && /^ ([A-Z`]|[a-z]\w+( and \w+)?: ).*\w.*[.]$/.test(first.value)) return;
      context.report({
        loc: { start: { line: 1, column: 0 }, end: { line: 1, column: 1 } },
        message: 'Start the file with one line that says what it is for: "// Does this and that."',
      });
    },
  }),
};

/** A layer is a folder of `src/` or files in it; it imports only from itself and from lower layers. Its option is the list. */
const layers = {
  meta: { schema: [{ type: 'array' }] },
  create(context) {
    const [list] = context.options;
    const rankOf = (path) => {
      const [name = ''] = relative(SOURCES, path).split('/');
      return list.findIndex((layer) => [layer].flat().includes(name.replace(/\.tsx?$/, '')));
    };
    const own = rankOf(context.filename);
    if (own < 0) return {};
    const nameOf = (rank) => [list[rank]].flat()[0];
    const check = ({ source }) => {
      if (typeof source?.value !== 'string' || !source.value.startsWith('.')) return;
      if (/(^|\/)index\.js$/.test(source.value)) {
        context.report({
          node: source,
          message: 'index.ts is for users; inside, import the file that has it.',
        });
        return;
      }
      const imported = rankOf(join(dirname(context.filename), source.value.replace(/\.js$/, '.ts')));
      // master and peel are siblings: two programs that share only the layers below them
      const isSibling = nameOf(own) === 'peel' && nameOf(imported) === 'master';
      if (imported > own || isSibling)
        context.report({
          node: source,
          message: `The layer ${nameOf(own)} does not import from ${nameOf(imported)} (docs/design.md, "Layers").`,
        });
    };
    return {
      ImportDeclaration: check,
      ImportExpression: check,
      ExportNamedDeclaration: check,
      ExportAllDeclaration: check,
    };
  },
};

const WAITS = /^(setTimeout|setInterval|setImmediate|delay|sleep|fetch)$/;

/** A file that decides does nothing else: what happens is a result of what it is given, the time included. */
const decision = {
  create(context) {
    const report = (node, what) =>
      context.report({
        node,
        message: `This ${what}; a decision takes what it needs as arguments (.oxlintrc.json, "zester/decision").`,
      });
    const checkSource = (node) => {
      if (typeof node.source.value === 'string' && /^(node:timers|@nats-io)/.test(node.source.value))
        report(node, 'waits or connects');
    };
    return {
      MemberExpression(node) {
        const { object, property } = node;
        if (object.type !== 'Identifier') return;
        if (object.name === 'performance' || (object.name === 'Date' && property.name === 'now'))
          report(node, 'reads the clock');
        if (object.name === 'Math' && property.name === 'random') report(node, 'rolls dice');
      },
      NewExpression(node) {
        if (node.callee.name === 'Date' && node.arguments.length === 0) report(node, 'reads the clock');
      },
      CallExpression(node) {
        if (node.callee.type === 'Identifier' && WAITS.test(node.callee.name)) report(node, 'waits');
      },
      ImportDeclaration: checkSource,
      ImportExpression: checkSource,
    };
  },
};

/** A test writes to another program through `childInput`: that program may exit first. */
const childInput = {
  create: (context) => ({
    MemberExpression(node) {
      const { object, property } = node;
      if (property.name !== 'stdin' || (object.type === 'Identifier' && object.name === 'process')) return;
      context.report({
        node,
        message: 'Use childInput (test/support/child-input.ts): the program may exit before it reads this.',
      });
    },
  }),
};

/** A test's request has a timeout: nats.js waits for one second, and a busy machine may take longer. */
const requestTimeout = {
  create: (context) => ({
    CallExpression(node) {
      const { callee } = node;
      if (callee.type !== 'MemberExpression' || callee.property.name !== 'request') return;
      if (node.arguments.length >= 3) return;
      context.report({
        node,
        message:
          'Pass a timeout: the client waits for one second by default, and a busy machine may take longer.',
      });
    },
  }),
};

export default {
  meta: { name: 'zester' },
  rules: {
    'purpose-comment': purposeComment,
    layers,
    decision,
    'child-input': childInput,
    'request-timeout': requestTimeout,
  },
};
