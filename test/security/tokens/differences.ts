// The allowed differences between Zester's verdict on a token and a server's, and why each is safe. docs/security.md prints them.

/** A difference. */
export interface Difference {
  /** Zester refuses a token that a server accepts, or the reverse. */
  zester: 'stricter' | 'laxer';
  what: string;
  why: string;
  /** Zester's error for such a token, if Zester is the stricter one. */
  says?: RegExp;
  /** The mutation of the token. */
  done?: RegExp;
}

export const DIFFERENCES: readonly Difference[] = [
  {
    zester: 'stricter',
    what: 'a duplicate name in one object, or a known name in another case',
    why: 'JSON readers disagree about which one counts, so the JWT says one thing to Zester and another to the server',
    says: /has a duplicate member|in another case/,
  },
  {
    zester: 'stricter',
    what: 'text that is not UTF-8, half of a surrogate pair, or nesting more than 64 deep',
    why: 'Go replaces invalid text, and no tool nests this deeply',
    says: /is not UTF-8|half a character|nested more than/,
  },
  {
    zester: 'stricter',
    what: 'line breaks within base64',
    why: 'Go skips them: one JWT would have many encodings, and a `.creds` file different lines',
    says: /not base64url/,
  },
  {
    zester: 'stricter',
    what: 'version 1, and the algorithm name `ed25519` or in another case',
    why: 'no current tool writes them; the signature of version 1 covers less of the JWT',
    says: /its alg is|of version 1|not of version 2|this one is without a type/,
  },
  {
    zester: 'stricter',
    what: 'a time before 1970 or after the year 9999',
    why: 'no tool writes such a time, and it cannot be shown as a date; a JWT that never expires has no `exp`',
    says: /it is a time before 1970|it is a time after the year 9999/,
  },
  {
    zester: 'stricter',
    what: "a subject that is not a user's key, or a key that anybody can sign for (small order)",
    why: 'no tool issues such a JWT',
    says: /subject is not a user's public key|subject is not an account's public key|that anybody can sign for/,
  },
  {
    zester: 'stricter',
    what: 'a claim that only newer servers know (`proxy_required`): with the wrong type, or in the JWT of a scoped user',
    why: 'a newer server refuses it, too',
    says: /"nats\.proxy_required": it is|carries its own permissions/,
    done: /proxy_required = /,
  },
  {
    zester: 'laxer',
    what: 'conditions of the connection and its server: the address (`src`), the time of day (`times`), the connection type, a proxy, the known time zones',
    why: 'only that server can know; a master judges connections that a server accepted',
    done: /nats\.(src = \["10\.|times = .*00:00:01|times_location = "Nowhere\/|allowed_connection_types = \["(MQTT|WEBSOCKET)"|proxy_required = true$)/,
  },
  {
    zester: 'stricter',
    what: 'an entry of `signing_keys` that is neither a key nor a scoped key, a scoped key without a template, or a key that anybody can sign for',
    why: 'servers ignore the first, and give users of the second full permissions, which nobody intends',
    says: /"nats\.signing_keys\.\d+(\.template)?": it is (missing|null|of the type|a list|not an account's)/,
  },
  {
    zester: 'stricter',
    what: 'an integer in a template that is written with a decimal point or an exponent',
    why: 'servers accept it there and nowhere else; no tool writes one',
    says: /"nats\.signing_keys\.\d+\.template\..*": it is of the type string, and a number/,
  },
  {
    zester: 'laxer',
    what: 'the content of imports and exports beyond their subject and type, their number against the limits, and the curve key of `authorization`',
    why: 'the server that an account is pushed to checks them, and a push succeeds only once it has accepted them',
    done: /nats\.((imports|exports)\.0\.(?!subject|type)|limits\.(imports|exports|wildcards)\b|authorization\.xkey)/,
  },
  {
    zester: 'laxer',
    what: 'an account whose limits admit nobody: no limits at all, or no connections or subscriptions',
    why: 'the server refuses its users; a master judges connections that a server accepted',
    done: /nats\.limits(\.(conn|subs))?( as |\s=\s(absent|null|-?0|\{|-9223372036854775808))/,
  },
  {
    zester: 'laxer',
    what: 'limits beyond 32 bits',
    why: 'servers truncate them, some to 0, and then refuse the user; a master judges connections that a server accepted',
    done: /nats\.(limits\.|signing_keys\.\d\.template\.)?(subs|data|payload|conn|leaf|imports|exports)\b.* = -?\d{10,}/,
  },
];

const BEGIN = '<!-- token differences: npm run docs:security -->\n';
const END = '<!-- end of the differences -->';

/** The document with the current table of differences. */
export function withTokenDifferences(document: string): string {
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (from < 0 || to < from) throw new Error('the document has no place for the token differences');
  const rows = DIFFERENCES.map(
    ({ zester, what, why }) => `| ${zester === 'stricter' ? 'Zester' : 'a server'} | ${what} | ${why} |\n`,
  );
  const head = '| refused only by | what | why that is safe |\n| --- | --- | --- |\n';
  return `${document.slice(0, from + BEGIN.length)}\n${head}${rows.join('')}\n${document.slice(to)}`;
}
