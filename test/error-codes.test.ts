import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';

/** The files that declare the codes: what they mention says nothing about their use. */
const DECLARATIONS = ['errors.ts', 'error-traits.ts'];

const declared = new Set<string>();
/** The classes of errors that have a single code, which their constructor knows. */
const classes = new Map<string, string>();
each(parsed('errors.ts'), (node) => {
  if (ts.isLiteralTypeNode(node) && /^'ERR_/.test(node.getText())) declared.add(node.getText().slice(1, -1));
  if (ts.isClassDeclaration(node) && node.name !== undefined) {
    const code = /super\(\s*'(ERR_[A-Z_]+)'/.exec(node.getText())?.[1];
    if (code !== undefined) classes.set(node.name.text, code);
  }
});

/** The codes that code outside the declarations gives to an error or an answer; a template stands for several. */
const given: RegExp[] = [];
/** Every code there, also those that are only compared. */
const mentioned = new Set<string>();
const sources = readdirSync('src', { recursive: true, encoding: 'utf8' });
for (const path of sources.filter((one) => /\.tsx?$/.test(one) && !DECLARATIONS.includes(one))) {
  each(parsed(path), (node) => {
    if (ts.isNewExpression(node)) {
      const code = classes.get(node.expression.getText());
      if (code !== undefined) given.push(exactly(code));
    }
    if (ts.isTemplateExpression(node) && node.head.text.startsWith('ERR_')) given.push(patternOf(node));
    if (!ts.isStringLiteralLike(node) || !/^ERR_[A-Z_]+[A-Z]$/.test(node.text)) return;
    mentioned.add(node.text);
    if (!isOnlyCompared(node)) given.push(exactly(node.text));
  });
}

describe('each error code', () => {
  it('is given to an error by some part of the program', () => {
    const unused = [...declared].filter((code) => !given.some((pattern) => pattern.test(code)));
    expect(unused).toEqual([]);
  });

  it('is expected by a test', () => {
    // the table of all traits names every code
    const tests = readdirSync('test', { recursive: true, encoding: 'utf8' }).filter(
      (path) => path.endsWith('.ts') && path !== 'error-traits.test.ts',
    );
    const expected = new Set(
      tests.flatMap((path) => readFileSync(join('test', path), 'utf8').match(/ERR_[A-Z_]+/g)),
    );
    expect([...declared].filter((code) => !expected.has(code))).toEqual([]);
  });

  it('is declared, if it begins like ours', () => {
    const families = new Set([...declared].map(familyOf));
    const ours = [...mentioned].filter((code) => families.has(familyOf(code)));
    expect(ours.filter((code) => !declared.has(code))).toEqual([]);
  });
});

function parsed(path: string): ts.SourceFile {
  const text = readFileSync(join('src', path), 'utf8');
  return ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
}

function each(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => each(child, visit));
}

/** Such as `ERR_FLEET_`. */
function familyOf(code: string): string {
  return /^ERR_[A-Z]+/.exec(code)?.[0] ?? code;
}

function exactly(code: string): RegExp {
  return new RegExp(`^${code}$`);
}

function patternOf({ head, templateSpans }: ts.TemplateExpression): RegExp {
  return exactly([head.text, ...templateSpans.map(({ literal }) => literal.text)].join('[A-Z_]+'));
}

/** Whether a code is here only to recognize an error: `===`, `case`, a list of codes, a type. */
function isOnlyCompared(node: ts.Node): boolean {
  const { parent } = node;
  if (ts.isParenthesizedExpression(parent) || ts.isAsExpression(parent)) return isOnlyCompared(parent);
  if (ts.isBinaryExpression(parent)) {
    const { kind } = parent.operatorToken;
    return (
      kind === ts.SyntaxKind.EqualsEqualsEqualsToken || kind === ts.SyntaxKind.ExclamationEqualsEqualsToken
    );
  }
  if (ts.isCallExpression(parent)) return /\.(has|includes|startsWith)$/.test(parent.expression.getText());
  return ts.isCaseClause(parent) || ts.isArrayLiteralExpression(parent) || ts.isLiteralTypeNode(parent);
}
