// Hooks for the views: the store, the time, and answers of the interface.
import { useEffect, useReducer, useRef, useState } from 'preact/hooks';
import { errorText, get } from './http.js';
import { store, type Store } from './store.js';

/** The store; the view is rendered again when it changes. */
export function useStore(): Store {
  const [, draw] = useReducer((count: number) => count + 1, 0);
  useEffect(() => store.subscribe(() => draw(0)), []);
  return store;
}

/** Milliseconds since 1970; the view is rendered again every ten seconds. */
export function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 10_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

/** Throttles a value to one change per interval in milliseconds; the last value is never missed. */
export function usePaced<T>(value: T, ms: number): T {
  const [paced, setPaced] = useState(value);
  const latest = useRef(value);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  latest.current = value;
  useEffect(() => {
    if (value === paced) return;
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      setPaced(latest.current);
    }, ms);
  }, [value, paced, ms]);
  useEffect(() => () => clearTimeout(timer.current), []);
  return paced;
}

/** An answer, and a function to request it again. */
export interface Answer<T> {
  data: T | undefined;
  error: string;
  loading: boolean;
  reload: () => void;
}

/**
 * An answer of the interface.
 *
 * @param again requests again when it changes; the previous answer is shown until then
 */
export function useAnswer<T>(path: string | undefined, again: unknown = 0): Answer<T> {
  const [state, setState] = useState<{ path: string | undefined; data?: T; error: string }>({
    path,
    error: '',
  });
  const [count, reload] = useReducer((number: number) => number + 1, 0);
  const [loading, setLoading] = useState(path !== undefined);
  useEffect(() => {
    if (path === undefined) return;
    let left = false;
    setLoading(true);
    get<T>(path).then(
      (data) => {
        if (left) return;
        setState({ path, data, error: '' });
        setLoading(false);
      },
      (error: unknown) => {
        if (left) return;
        setState({ path, error: errorText(error) });
        setLoading(false);
      },
    );
    return () => {
      left = true;
    };
  }, [path, again, count]);
  const current = state.path === path ? state : { data: undefined, error: '' };
  return { data: current.data, error: current.error, loading, reload: () => reload(0) };
}
