// Where Zester's verdict on a token and a server's may differ, and why that is safe. docs/security.md prints it.

/** A difference. */
export interface Difference {
  /** Zester refuses what a server accepts, or the other way round. */
  zester: 'stricter' | 'laxer';
  what: string;
  why: string;
  /** What Zester says of such a token, if it is the stricter one. */
  says?: RegExp;
  /** What was done to the token. */
  done?: RegExp;
}

export const DIFFERENCES: readonly Difference[] = [
  {
    zester: 'stricter',
    what: 'a name twice in one object, or a known name in another case',
    why: 'JSON readers disagree about which one counts, so the JWT says one thing to Zester and another to the server',
    says: /names a member twice|in another case/,
  },
  {
    zester: 'stricter',
    what: 'text that is not UTF-8, half of a surrogate pair, or nesting more than 64 deep',
    why: 'Go replaces such text by another, and no tool nests like this',
    says: /is not UTF-8|half of a character|nested more than/,
  },
  {
    zester: 'stricter',
    what: 'line ends within base64',
    why: 'Go skips them: one JWT would have many spellings, and a `.creds` file other lines',
    says: /not base64url/,
  },
  {
    zester: 'stricter',
    what: 'version 1, and the algorithm name `ed25519` or in another case',
    why: 'no current tool writes them; version 1 signs less of the JWT',
    says: /its alg is|of version 1|not of version 2|this one is without a type/,
  },
  {
    zester: 'stricter',
    what: 'a time before 1970 or after the year 9999',
    why: 'no tool writes one, and none can be shown as a date; a JWT that never expires has no `exp`',
    says: /it is a negative time|it is a time after the year 9999/,
  },
  {
    zester: 'stricter',
    what: "a subject that is not a user's key, or a key that anybody can sign for (small order)",
    why: 'no tool issues one',
    says: /subject is not a user's public key|subject is not an account's public key|that anybody can sign for/,
  },
  {
    zester: 'stricter',
    what: 'a claim that only newer servers know (`proxy_required`): of the wrong type, or of a scoped user',
    why: 'a newer server refuses it',
    says: /"nats\.proxy_required": it is|carries its own permissions/,
    done: /proxy_required = /,
  },
  {
    zester: 'laxer',
    what: 'what depends on the connection and its server: the address (`src`), the time of day (`times`), the type, whether a proxy passed it on, which time zones there are',
    why: 'only the server that is asked can know; a master judges connections that a server accepted',
    done: /nats\.(src = \["10\.|times = .*00:00:01|times_location = "Nowhere\/|allowed_connection_types = \["(MQTT|WEBSOCKET)"|proxy_required = true$)/,
  },
  {
    zester: 'stricter',
    what: 'an entry of `signing_keys` that is neither a key nor a scoped key, a scoped key without a template, or a key that anybody can sign for',
    why: 'servers pass over the first, and let the users of the second do everything; nobody means that',
    says: /"nats\.signing_keys\.\d+(\.template)?": it is (missing|null|of the type|a list|not an account's)/,
  },
  {
    zester: 'stricter',
    what: 'a whole number in a template that is written with a point or an exponent',
    why: 'servers take it there and nowhere else; no tool writes one',
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
    what: 'an account whose limits let in nobody: no limits at all, or no connections or subscriptions',
    why: 'the server refuses its users; a master judges connections that a server accepted',
    done: /nats\.limits(\.(conn|subs))?( as |\s=\s(absent|null|-?0|\{|-9223372036854775808))/,
  },
  {
    zester: 'laxer',
    what: 'limits beyond 32 bits',
    why: 'servers cut off their upper half, some to 0, and refuse the user then; a master judges connections that a server accepted',
    done: /nats\.(limits\.|signing_keys\.\d\.template\.)?(subs|data|payload|conn|leaf|imports|exports)\b.* = -?\d{10,}/,
  },
];

const BEGIN = '<!-- token differences: npm run docs:security -->\n';
const END = '<!-- end of the differences -->';

/** The document with the table of differences as it is here. */
export function withTokenDifferences(document: string): string {
  const [from, to] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (from < 0 || to < from) throw new Error('the document has no place for the token differences');
  const rows = DIFFERENCES.map(
    ({ zester, what, why }) => `| ${zester === 'stricter' ? 'Zester' : 'a server'} | ${what} | ${why} |\n`,
  );
  const head = '| refused only by | what | why that is safe |\n| --- | --- | --- |\n';
  return `${document.slice(0, from + BEGIN.length)}\n${head}${rows.join('')}\n${document.slice(to)}`;
}
