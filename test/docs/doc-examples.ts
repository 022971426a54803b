// Reads the examples of doc comments from the sources, and finds public exports without one.
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** An `@example`. */
export interface DocExample {
  /** Such as `zester/peel startPeel`, or `zester KeyBundle.sign`. */
  name: string;
  code: string;
  /** The expected output of its `console.log` lines, in order. `…` matches anything. */
  prints: string[];
}

/** The public exports that lack an example. */
export interface PublicApi {
  examples: DocExample[];
  /** Functions and classes without their own example. */
  missing: string[];
  /** Methods of public classes, such as `KeyBundle.sign`: each is called by an example. */
  methods: string[];
}

/** `entries`: the entry points, such as `zester/peel`, and the sources that they are. */
export function readPublicApi(entries: ReadonlyMap<string, string>): PublicApi {
  const { config } = ts.readConfigFile(`${ROOT}tsconfig.json`, ts.sys.readFile) as { config: unknown };
  const { options } = ts.parseJsonConfigFileContent(config, ts.sys, ROOT);
  const program = ts.createProgram([...entries.values()], options);
  const checker = program.getTypeChecker();
  const api: PublicApi = { examples: [], missing: [], methods: [] };
  const seen = new Set<ts.Symbol>();
  for (const [entry, path] of entries) {
    const file = program.getSourceFile(path);
    const module = file && checker.getSymbolAtLocation(file);
    if (module === undefined) throw new Error(`${path} is no module`);
    for (const exported of checker.getExportsOfModule(module)) {
      const symbol =
        (exported.flags & ts.SymbolFlags.Alias) === 0 ? exported : checker.getAliasedSymbol(exported);
      if (seen.has(symbol)) continue;
      seen.add(symbol);
      readSymbol(`${entry} ${exported.name}`, symbol);
    }
  }
  return api;

  function readSymbol(name: string, symbol: ts.Symbol): void {
    const examples = examplesOf(name, symbol);
    api.examples.push(...examples);
    const callable = (symbol.flags & (ts.SymbolFlags.Function | ts.SymbolFlags.Class)) !== 0;
    if (callable && examples.length === 0 && !isErrorSubclass(symbol)) api.missing.push(name);
    if ((symbol.flags & ts.SymbolFlags.Class) === 0 || isError(symbol)) return;
    for (const method of methodsOf(symbol)) {
      api.methods.push(`${symbol.name}.${method.name}`);
      api.examples.push(...examplesOf(`${name}.${method.name}`, method));
    }
  }

  function examplesOf(name: string, symbol: ts.Symbol): DocExample[] {
    const tags = symbol.getJsDocTags(checker).filter((tag) => tag.name === 'example');
    return tags.map(({ text }, i) => {
      const code = ts.displayPartsToString(text);
      return { name: tags.length === 1 ? name : `${name} ${i + 1}`, code, prints: printsOf(code) };
    });
  }

  function isError(symbol: ts.Symbol): boolean {
    return checker
      .getDeclaredTypeOfSymbol(symbol)
      .getProperties()
      .some(({ name }) => name === 'stack');
  }

  /** Users catch errors and do not create them: the example of the base class covers all of them. */
  function isErrorSubclass(symbol: ts.Symbol): boolean {
    return isError(symbol) && symbol.name !== 'ZesterError';
  }
}

/** The public methods of a class, without those of every object. */
function methodsOf(symbol: ts.Symbol): ts.Symbol[] {
  const EVERY = new Set(['toString', 'toJSON']);
  return [...(symbol.members?.values() ?? [])].filter(({ name, declarations }) => {
    const [declaration] = declarations ?? [];
    if (declaration === undefined || !ts.isMethodDeclaration(declaration)) return false;
    if (!ts.isIdentifier(declaration.name) || EVERY.has(name)) return false;
    const hidden = ts.ModifierFlags.Private | ts.ModifierFlags.Protected;
    const internal = ts.getJSDocTags(declaration).some(({ tagName }) => tagName.text === 'internal');
    return (ts.getCombinedModifierFlags(declaration) & hidden) === 0 && !internal;
  });
}

function printsOf(code: string): string[] {
  return [...code.matchAll(/console\.log\(.*\);? \/\/ (.+)$/gm)].map(([, text = '']) => text);
}

/**
 * Compiles programs strictly.
 *
 * @returns the compiler's errors, and the methods that the programs call, such as `Peel.drain`
 */
export function compilePrograms(
  paths: readonly string[],
  outDir: string,
): { errors: string[]; calls: Set<string> } {
  const program = ts.createProgram([...paths], {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    types: ['node'],
    strict: true,
    noUncheckedIndexedAccess: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: true,
    outDir,
  });
  const checker = program.getTypeChecker();
  const calls = new Set<string>();
  const collect = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const [declaration] = checker.getSymbolAtLocation(node.expression.name)?.declarations ?? [];
      if (declaration !== undefined && ts.isClassDeclaration(declaration.parent))
        calls.add(`${declaration.parent.name?.text ?? ''}.${node.expression.name.text}`);
    }
    ts.forEachChild(node, collect);
  };
  for (const path of paths) {
    const file = program.getSourceFile(path);
    if (file !== undefined) collect(file);
  }
  const { diagnostics } = program.emit();
  const errors = [...ts.getPreEmitDiagnostics(program), ...diagnostics].map(
    ({ file, start, messageText }) => {
      const line = file && start !== undefined ? file.getLineAndCharacterOfPosition(start).line + 1 : 0;
      const name = file?.fileName.replace(/^.*\//, '') ?? '';
      return `${name}:${line} ${ts.flattenDiagnosticMessageText(messageText, '\n')}`;
    },
  );
  return { errors, calls };
}
