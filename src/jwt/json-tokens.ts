// Finds the tokens of a JSON text. The text must be valid: JSON.parse has accepted it.

/** A JSON token and its position. */
export interface JsonToken {
  is: 'open' | 'close' | 'name' | 'string' | 'number';
  start: number;
  end: number;
}

const WHITE_SPACE = /[ \t\n\r]/;
const NUMBER = /[-+.\deE]/;

/** The tokens of valid JSON: brackets, names, strings and numbers. */
export function* jsonTokens(text: string): Generator<JsonToken, void, undefined> {
  for (let at = 0; at < text.length; at++) {
    const start = at;
    switch (text[at]) {
      case '{':
      case '[':
        yield { is: 'open', start, end: at + 1 };
        break;
      case '}':
      case ']':
        yield { is: 'close', start, end: at + 1 };
        break;
      case '"': {
        at++;
        while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
        let next = at + 1;
        while (WHITE_SPACE.test(text[next] ?? '')) next++;
        yield { is: text[next] === ':' ? 'name' : 'string', start, end: at + 1 };
        break;
      }
      case 't':
      case 'n':
        at += 3;
        break;
      case 'f':
        at += 4;
        break;
      case ',':
      case ':':
        break;
      default: {
        if (WHITE_SPACE.test(text[at] ?? '')) break;
        while (NUMBER.test(text[at + 1] ?? '')) at++;
        yield { is: 'number', start, end: at + 1 };
      }
    }
  }
}
