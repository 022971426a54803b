// Hostile strings, one for each kind of attack, for every place that reads untrusted text.

const ESC = '\u001b';

/** By name. */
export const HOSTILE: Readonly<Record<string, string>> = {
  'a carriage return': 'ok\rzester: all is well',
  'a line end': 'x\nok web-02 accepted',
  'a Windows line end': 'x\r\n[INF] forged',
  'a line separator': 'x\u2028forged\u2029forged\u0085forged',
  'a NUL': 'x\0y',
  'all of C0': Array.from({ length: 32 }, (_, i) => String.fromCharCode(i)).join(''),
  'all of C1': Array.from({ length: 33 }, (_, i) => String.fromCharCode(0x7f + i)).join(''),
  'a cleared screen': `${ESC}[2J${ESC}[H`,
  'a colour': `${ESC}[31mred`,
  'a CSI of one byte': '\u009b2Jx',
  'a window title': `${ESC}]0;pwned\u0007`,
  'a link (OSC 8)': `${ESC}]8;;http://127.0.0.1/\u0007click${ESC}]8;;\u0007`,
  'the clipboard (OSC 52)': `${ESC}]52;c;cm0gLXJmIH4=\u0007`,
  'a device control string': `${ESC}Pq${ESC}\\`,
  backspaces: 'rm\b\b\b\bls',
  'a bidirectional override': 'a\u202egnp.exe\u202c',
  'bidirectional isolates': 'a\u2066b\u2067c\u2068d\u2069\u061c\u200e\u200f',
  'zero-width characters': 'we\u200bb\u200c-\u200d0\u20601\ufeff',
  'invisible tags': 'x\u{e0041}\u{e0042}\u{e007f}',
  'a variation selector': 'x\ufe0fy\u{e0100}',
  'other spaces': 'a\u00a0b\u2003c\u3000d\u2800e',
  'half a character': 'x\ud800y\udc00',
  'a private and an unassigned character': '\ue000\u{10ffff}\u0378',
  'an option': '-oProxyCommand=touch /tmp/x',
  'a long option': '--home=/etc',
  quotes: `'"\`'; rm -rf ~; '`,
  'a command substitution': '$(touch x)`touch y`${HOME}',
  'a shell pipe': 'a|b;c&&d>e<f*?[g]!h~#',
  'a CSV formula': `=cmd|' /C calc'!A0`,
  'more CSV formulas': '@SUM(1)\t+1-1\t-2+3',
  HTML: '<script>alert(1)</script><img src=x onerror=y>&lt;',
  Markdown: '| a | b |\n| --- | --- |\n[x](javascript:y) `z` **w**',
  'a YAML tag': 'x: !!js/function "y"\n- !!python/object:os.system z',
  'a YAML document': '---\na: &a [*a]\n...\n',
  'a YAML value of another type': 'no',
  'a path upwards': '../../../etc/cron.d/x',
  'an absolute path': '/etc/passwd',
  'a Windows path': '..\\..\\x:y',
  'a template': '{{name()}}${jndi:ldap://x}%s%n{id}',
  'a label': 'x"} 1\nzester_peels{state="active"} 999',
  subjects: 'zester.cmd.> *',
  'a prototype': '__proto__',
  'too long a text': 'a'.repeat(10_000),
  nothing: '',
};

/** Characters that a terminal interprets or hides. Our own line breaks are removed first. */
export const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u;
