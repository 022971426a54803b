// A command to run in a terminal, with a button that copies it.
import { useState } from 'preact/hooks';
import { printable } from '../../text/printable.js';

export function Command({ text }: { text: string }) {
  const [copied, setCopied] = useState('');
  // browsers offer the clipboard only in a secure context
  const { clipboard } = navigator as Partial<Navigator>;
  const shown = printable(text);
  return (
    <div class="command">
      <pre tabIndex={0}>{shown}</pre>
      {clipboard !== undefined && (
        <button
          type="button"
          onClick={() => {
            clipboard.writeText(shown).then(
              () => setCopied('Copied'),
              () => setCopied('The browser denied access to the clipboard'),
            );
          }}
        >
          Copy
        </button>
      )}
      <span role="status" class="quiet">
        {copied}
      </span>
    </div>
  );
}
