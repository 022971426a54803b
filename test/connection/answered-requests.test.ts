import type { Msg } from '@nats-io/nats-core';
import { MsgImpl, MuxSubscription, RequestOne } from '@nats-io/nats-core/internal';
import { expect, it } from 'vitest';
import { shareCancelError } from '../../src/connection/answered-requests.js';

const mux = new MuxSubscription();
const request = () => {
  const made = new RequestOne(mux, 'subject', { timeout: 60_000 }, false);
  mux.add(made);
  shareCancelError(made);
  // as the client does: whichever settles first
  return { made, answer: Promise.race([made.timer, made.deferred]) };
};
const rejection = (promise: Promise<unknown>) => promise.then(String, (error: unknown) => error);

it('has its answer, and is forgotten', async () => {
  const { made, answer } = request();
  const message = new MsgImpl({} as never, new Uint8Array(), {} as never) as Msg;
  made.resolver(null, message);
  expect(await answer).toBe(message);
  expect(mux.size()).toBe(0);
});

it('rejects with the error that it failed or was cancelled with', async () => {
  const failed = request();
  failed.made.resolver(new Error('no permission'), {} as never);
  expect(await rejection(failed.answer)).toMatchObject({ message: 'no permission' });
  const cancelled = request();
  cancelled.made.cancel(new Error('not sent'));
  expect(await rejection(cancelled.answer)).toMatchObject({ message: 'not sent' });
  expect(mux.size()).toBe(0);
});

it('creates no error when it is cancelled without one', async () => {
  const [one, other] = [request(), request()];
  one.made.cancel();
  other.made.cancel();
  const error = await rejection(one.answer);
  expect(error).toMatchObject({ name: 'RequestError', message: 'cancelled' });
  expect(await rejection(other.answer)).toBe(error);
});
