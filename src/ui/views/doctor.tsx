// The findings of `zester doctor`: problems and fixes.
import { printable } from '../../text/printable.js';
import { Problem, State } from '../components/text.js';
import { useAnswer } from '../use-store.js';

interface Finding {
  part: string;
  severity: 'ok' | 'warning' | 'error';
  check: string;
  subject: string;
  message: string;
  fix?: string;
}

const ORDER: readonly Finding['severity'][] = ['error', 'warning', 'ok'];

export function DoctorView() {
  const { data, error, loading, reload } = useAnswer<{ findings: Finding[] }>('/doctor');
  const findings = (data?.findings ?? []).toSorted(
    (one, other) => ORDER.indexOf(one.severity) - ORDER.indexOf(other.severity),
  );
  const count = (severity: Finding['severity']) =>
    findings.filter((found) => found.severity === severity).length;
  return (
    <section>
      <h1>Doctor</h1>
      <div class="bar">
        <p role="status">
          {loading
            ? 'Checking the home, the servers and the fleet…'
            : data === undefined
              ? ''
              : `${count('error')} errors, ${count('warning')} warnings, ${count('ok')} checks passed`}
        </p>
        <button onClick={reload} disabled={loading}>
          Check again
        </button>
      </div>
      <Problem text={error} />
      <ul class="findings">
        {findings.map(({ part, severity, check, subject, message, fix }, i) => (
          <li key={i} class={`finding ${severity}`}>
            <State of={severity} /> <strong>{printable(`${part}, ${check}`)}</strong>
            <p>{printable(message.includes(subject) ? message : `${subject}: ${message}`)}</p>
            {fix !== undefined && <p class="fix">Fix: {printable(fix)}</p>}
          </li>
        ))}
      </ul>
    </section>
  );
}
